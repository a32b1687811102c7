#include <string>

#include <doctest/doctest.h>

#include "base/error.hpp"
#include "files/migrations.hpp"
#include "support/problems.hpp"
#include "support/temp_dir.hpp"

namespace kdb::files::file_names_test {

TEST_CASE("a migration whose name a history or a terminal cannot take is refused, its name escaped") {
  struct Row {
    std::string name;
    std::string shown;
  };
  const Row rows[] = {{"1_a\nb.sql", "1_a\\x0ab.sql"},
                      {"1_\x1b[2J.sql", "1_\\x1b[2J.sql"},
                      {"1_caf\xe9.sql", "1_caf\\xe9.sql"},
                      {"1_a\x7f.down.sql", "1_a\\x7f.down.sql"}};
  for (const Row& row : rows) {
    CAPTURE(row.shown);
    const test::TempDir folder;
    folder.write(row.name, "SELECT 1;");
    folder.write("1_caf\xc3\xa9.up.sql", "SELECT 1;");
    const MigrationSource source{.folder = folder.path().string(), .layout = Layout::golang_migrate};
    const MigrationSource plain{.folder = folder.path().string(), .layout = Layout::plain};
    const MigrationSource& used = row.name.find("down") == std::string::npos ? plain : source;
    try {
      list_migrations(used);
      FAIL("not refused");
    } catch (const Error& error) {
      CHECK(error.exit() == Exit::usage);
      bool told = false;
      for (const Problem& problem : error.problems())
        told |=
            problem.message == "\"" + row.shown + "\" has control characters in its name, or is no UTF-8" &&
            problem.where.file == folder.path().string() + "/" + row.shown &&
            problem.hint == "rename the file";
      CHECK(told);
    }
  }
}

}  // namespace kdb::files::file_names_test
