// kdb, its backend or the wire between them dies at every message of an apply: the next one ends as an
// undisturbed one does, with no name left over.
#include <csignal>
#include <filesystem>

#include "db/harm.hpp"

namespace kdb::test {

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

struct Shop {
  Project project;
  TempDir folder;
  std::string profile = folder.write("p.toml", profile_text).string();

  Shop() { std::filesystem::create_directories(project.folder()); }

  std::vector<std::string> apply(const std::string& url) const {
    return project.command(url, {"apply", "--allow", "INDEX_DROPPED", "-p", profile});
  }
};

/// Does harm at each message in turn; see at_every_message() of migrations.
void harm_at_every_message(const Harm& harm) {
  const int stride = cases() > 200 ? 1 : 8;  // a run is a third of a second
  const Shop shop;
  const Database whole;
  whole.exec(before);
  FaultProxy counter(whole.tcp_url());
  const Run undisturbed = run(shop.apply(counter.url()));
  REQUIRE_MESSAGE(undisturbed.exit == 0, undisturbed.err);
  const std::string expected = whole.state();
  const int messages = static_cast<int>(counter.queries().size());
  REQUIRE(messages > 20);
  for (int number = 1 + static_cast<int>(&harm - &harms[0]) % stride; number <= messages; number += stride) {
    CAPTURE(std::string(harm.name));
    CAPTURE(number);
    const Database database;
    database.exec(before);
    FaultProxy proxy(database.tcp_url());
    Child kdb(shop.apply(proxy.url()));
    const pid_t pid = kdb.pid();
    std::string sql;
    proxy.add({.number = number,
               .when = harm.when,
               .callback =
                   [&](const FaultProxy::Query& query) {
                     sql = query.sql;
                     if (harm.kills_kdb) ::kill(pid, SIGKILL);
                   },
               .fault = harm.fault});
    const Run first = kdb.wait();
    CAPTURE(sql);
    CAPTURE(first.err);
    if (proxy.fired() == 0) continue;  // the run was a message shorter this time
    if (harm.kills_kdb) CHECK(first.exit == 128 + SIGKILL);
    const Run second = run(shop.apply(database.url()));
    CHECK_MESSAGE(second.exit == 0, second.err);
    CHECK(database.state() == expected);
  }
}

}  // namespace

TEST_CASE("an apply survives harm at every message") {
  for (const Harm& harm : harms) harm_at_every_message(harm);
}

}  // namespace kdb::test
