// What is seen of a statement that takes long: the live line at a terminal of 80 columns.
#include <algorithm>
#include <string>

#include "db/gate.hpp"
#include "support/text.hpp"
#include "support/typist.hpp"

namespace kdb::test::progress_test {

TEST_CASE("apply shows how far an index is, how fast that goes, and how long it will take") {
  Project project;
  const Database database;
  // Rows that hold up the build of an index until they are no longer named.
  database.exec(R"(
    CREATE TABLE public.halts (at int);
    INSERT INTO public.halts VALUES (10000), (30000);
    CREATE FUNCTION public.halt(n int) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      WHILE EXISTS (SELECT FROM public.halts WHERE at = n) LOOP PERFORM pg_catalog.pg_sleep(0.02); END LOOP;
    END $$;
    CREATE FUNCTION public.halting(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
    BEGIN
      IF n IN (10000, 30000) THEN PERFORM public.halt(n); END IF;
      RETURN n;
    END $$;
    CREATE TABLE orders (n int, filler text);
    INSERT INTO orders SELECT n, repeat('x', 100) FROM generate_series(1, 40000) n)");
  TempDir folder;
  const std::string profile =
      folder.write("p.toml", "[indexes.orders_n]\ntable = \"orders\"\ncolumns = [\"halting(n)\"]\n").string();
  project.migration("1_nothing", "SELECT 1;");
  Typist shell(Environment{{"NO_COLOR", "1"}});
  std::string line;
  for (const std::string& word : project.command(database.url(), {"apply", "--yes", "-p", profile}))
    line += "'" + word + "' ";
  shell.type(line + "; echo exit=$?\n");
  shell.expect("index orders_n · ");
  shell.expect("building index: scanning table · 2");  // 25 %
  database.exec("DELETE FROM halts WHERE at = 10000");
  shell.expect("building index: scanning table · 7");  // 75 %
  const std::string figures = shell.expect(" left");
  CAPTURE(figures);
  CHECK(has(figures, " % · "));
  CHECK(has(figures, " blocks/s · "));
  database.exec("DELETE FROM halts");
  shell.expect("created index orders_n (");
  shell.expect("exit=0");
}

TEST_CASE("a long label gives way to the figures, and Ctrl-C leaves nothing of the line") {
  Project project;
  project.migration("1_" + std::string(120, 'a'), "SELECT 1;\nSELECT public.wait_at_gate();");
  const Database database;
  const Gate gate(database.url());
  Typist shell(Environment{{"NO_COLOR", "1"}});
  std::string line;
  for (const std::string& word : project.command(database.url(), {"migrate", "up"}))
    line += "'" + word + "' ";
  shell.type(line + "; echo exit=$?\n");
  REQUIRE(gate.is_reached());
  const std::string label = shell.expect("… · ");
  const std::string seen = label.substr(label.rfind("\x1b[K") + 3) + "… · " + shell.expect("\r\x1b[K");
  CAPTURE(seen);
  CHECK((has(seen, " ms") || has(seen, " s")));
  const auto columns = std::count_if(seen.begin(), seen.end(),
                                     [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
  CHECK(columns <= 77);  // room for ^C
  shell.type("\x03");
  shell.expect("\r\x1b[Kkdb: error: interrupted by SIGINT in migration 1 aaa");
  shell.expect("exit=130");
}

}  // namespace kdb::test::progress_test
