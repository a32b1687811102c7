// kdb, its backend or the wire between them dies at every message of an apply: the next one ends as an
// undisturbed one does, with no name left over.
#include <filesystem>

#include "db/harm.hpp"

namespace kdb::test::apply_crash_test {

namespace {

constexpr const char* before =
    "CREATE TABLE orders (id int PRIMARY KEY, kind text, value int);"
    "INSERT INTO orders SELECT i, 'k' || i % 7, i FROM generate_series(1, 500) i;"
    "CREATE INDEX replaced ON orders (value); CREATE INDEX dropped ON orders (id, kind);"
    "CREATE INDEX renamed_from ON orders (value, kind); CREATE INDEX altered ON orders (kind, id)";

constexpr const char* profile_text = R"(
[indexes.created]
table = "orders"
columns = ["kind"]
comment = "c"
[indexes.replaced]
table = "orders"
columns = ["value"]
where = "value > 7"
[indexes.dropped]
table = "orders"
columns = ["id"]
state = "absent"
[indexes.renamed_to]
table = "orders"
columns = ["value", "kind"]
[indexes.altered]
table = "orders"
columns = ["kind", "id"]
with = { fillfactor = 70 }
[tables.orders]
storage = { fillfactor = 90 }
replica_identity = "full"
)";

}  // namespace

TEST_CASE("an apply survives harm at every message") {
  Project project;
  std::filesystem::create_directories(project.folder());
  TempDir folder;
  const std::string profile = folder.write("p.toml", profile_text).string();
  at_every_message({.prepare = [](const Database& database) { database.exec(before); },
                    .command =
                        [&](const std::string& url) {
                          return project.command(url, {"apply", "--allow", "INDEX_DROPPED", "-p", profile});
                        }},
                   12);
}

}  // namespace kdb::test::apply_crash_test
