// The questions of `migrate down` and `apply` at a terminal.
#include <chrono>
#include <string>
#include <thread>

#include "db/project.hpp"
#include "support/typist.hpp"

namespace kdb::test::prompt_test {

namespace {

/// A terminal at which `migrate down` has just asked.
struct Asked {
  Project project;
  Database database;
  Typist shell{{{"NO_COLOR", "1"}}};

  /// `setting` is the database's.
  explicit Asked(const std::string& setting = "") {
    if (!setting.empty()) database.exec("ALTER DATABASE " + database.name() + " SET " + setting);
    project.migration("1_one", "CREATE TABLE a (n int);", "DROP TABLE a;");
    REQUIRE(project.up(database.url()).exit == 0);
    std::string line;
    for (const std::string& word : project.command(database.url(), {"migrate", "down"}))
      line += "'" + word + "' ";
    shell.type(line + "; echo exit=$?\n");
    shell.expect("undo this? [y/N] ");
  }

  bool is_applied() const {
    return database.text("SELECT to_regclass('public.a') IS NOT NULL AND count(*) = 1 FROM kdb.migrations") ==
           "t";
  }
};

/// A terminal at which `apply` has just asked.
struct AskedToApply {
  Project project;
  Database database;
  TempDir folder;
  Typist shell{{{"NO_COLOR", "1"}}};

  AskedToApply() {
    database.exec("CREATE TABLE orders (id int PRIMARY KEY, kind text)");
    project.migration("1_nothing", "SELECT 1;");
    REQUIRE(project.up(database.url()).exit == 0);
    const std::string profile =
        folder.write("p.toml", "[indexes.orders_kind]\ntable = \"orders\"\ncolumns = [\"kind\"]\n").string();
    std::string line;
    for (const std::string& word : project.command(database.url(), {"apply", "-p", profile}))
      line += "'" + word + "' ";
    shell.type(line + "; echo exit=$?\n");
    shell.expect("[y/N] ");
  }

  std::string indexes() const {
    return database.text(
        "SELECT coalesce(string_agg(pg_get_indexdef(indexrelid), ' '), '') FROM pg_index WHERE NOT "
        "indisprimary AND indrelid = to_regclass('public.orders')");
  }
};

}  // namespace

TEST_CASE("what others have done while apply asked is seen before anything is done") {
  struct Row {
    const char* meanwhile;
    const char* said;
    const char* exit;
    const char* indexes;
  };
  for (const Row& row :
       {Row{"CREATE INDEX orders_kind ON orders (kind)", "the database is as declared", "exit=0",
            "CREATE INDEX orders_kind ON public.orders USING btree (kind)"},
        Row{"INSERT INTO orders VALUES (1, 'k'); CREATE INDEX orders_kind ON orders (id, kind)",
            "index orders_kind is not as it was when the plan was made", "exit=3",
            "CREATE INDEX orders_kind ON public.orders USING btree (id, kind)"},
        Row{"DROP TABLE orders", "index orders_kind: there is no table orders", "exit=1", ""}}) {
    CAPTURE(row.meanwhile);
    AskedToApply asked;
    asked.database.exec(row.meanwhile);
    asked.shell.type("y\n");
    asked.shell.expect(row.said);
    asked.shell.expect(row.exit);
    CHECK(asked.indexes() == row.indexes);
  }
}

TEST_CASE("yes undoes, anything else does not") {
  struct Row {
    const char* typed;
    const char* exit;
    bool applied;
  };
  for (const Row& row :
       {Row{"y\n", "exit=0", false}, Row{" YES \n", "exit=0", false}, Row{"\n", "exit=3", true},
        Row{"n\n", "exit=3", true}, Row{"yup\n", "exit=3", true}}) {
    CAPTURE(row.typed);
    Asked asked;
    asked.shell.type(row.typed);
    asked.shell.expect(row.exit);
    CHECK(asked.is_applied() == row.applied);
  }
}

TEST_CASE("the server's patience with idle sessions does not end the one that waits for an answer") {
  Asked asked("idle_session_timeout TO '200ms'");
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  asked.shell.type("y\n");
  CHECK(asked.shell.expect("exit=0").find("connection lost") == std::string::npos);
  CHECK_FALSE(asked.is_applied());
}

TEST_CASE("the first Ctrl-C at the question ends kdb, and nothing was changed") {
  Asked asked;
  asked.shell.type("\x03y\n");
  asked.shell.expect("\r\nkdb: error: interrupted by SIGINT\r\nhint: nothing was changed\r\n");
  asked.shell.expect("exit=130");
  CHECK(asked.is_applied());
}

TEST_CASE("an error after the end of the input begins a line") {
  Asked asked;
  asked.shell.type("\x04");
  asked.shell.expect("\r\nkdb: error: nothing was undone: the answer was no");
  asked.shell.expect("exit=3");
  CHECK(asked.is_applied());
}

}  // namespace kdb::test::prompt_test
