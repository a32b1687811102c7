// The live line at a terminal of 80 columns.
#include <algorithm>
#include <string>

#include "db/gate.hpp"
#include "support/text.hpp"
#include "support/typist.hpp"

namespace kdb::test {

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

}  // namespace kdb::test
