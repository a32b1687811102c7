// Many deployers at once: each migration is applied exactly once, and who waits in vain is told for whom.

#include <csignal>
#include <memory>

#include <fmt/format.h>

#include "db/gate.hpp"
#include "support/text.hpp"

namespace kdb::test::deployers_test {

namespace {

constexpr int deployers = 20;
constexpr std::chrono::minutes patience{3};

/// Starts them all, and checks that all end well.
void deploy_at_once(const Project& project, const Database& database) {
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < deployers; ++i)
    children.push_back(std::make_unique<Child>(project.command(database.url(), {"migrate", "up"})));
  for (const std::unique_ptr<Child>& child : children) {
    const Run result = child->wait(patience);
    CHECK_MESSAGE(result.exit == 0, result.err);
  }
}

/// Each of `count` migrations has one event, and one deployer did all of them.
void check_applied_once(const Database& database, int count) {
  const std::string each = fmt::format("{} {} {}", count, count, count);
  CHECK(database.text("SELECT count(*) || ' ' || count(DISTINCT subject) || ' ' || (SELECT count(*) FROM "
                      "kdb.migrations WHERE state = 'applied') FROM kdb.events WHERE kind = 'applied'") ==
        each);
  CHECK(database.text("SELECT count(*) FROM kdb.events WHERE kind <> 'applied'") == "0");
  CHECK(database.text("SELECT string_agg(outcome, ',') FROM kdb.runs") == "done");
}

}  // namespace

TEST_CASE("twenty deployers on an empty database apply each of fifty migrations exactly once") {
  Project project;
  project.migration("01_ledger", "CREATE TABLE ledger (n int);");
  for (int n = 2; n <= 50; ++n)
    project.migration(fmt::format("{:02}_entry", n),
                      fmt::format("CREATE TABLE t{0} (n int);\nINSERT INTO ledger VALUES ({0});", n));
  const Database database;
  deploy_at_once(project, database);
  check_applied_once(database, 50);
  CHECK(database.text("SELECT count(*) || ' ' || count(DISTINCT n) FROM ledger") == "49 49");
}

TEST_CASE("twenty deployers insert the rows of non-transactional migrations exactly once") {
  Project project;
  project.migration("01_ledger", "CREATE TABLE ledger (n int);");
  for (int n = 2; n <= 8; ++n)
    project.migration(
        fmt::format("{:02}_entries", n),
        fmt::format(
            "INSERT INTO ledger VALUES ({0});\nVACUUM ledger;\nINSERT INTO ledger VALUES (100 + {0});", n));
  const Database database;
  deploy_at_once(project, database);
  check_applied_once(database, 8);
  CHECK(database.text("SELECT count(*) || ' ' || count(DISTINCT n) FROM ledger") == "14 14");
}

TEST_CASE("--lock-wait ends with exit 4 and names the deployer that holds the lock") {
  Project project;
  project.migration("1_long", "SELECT public.wait_at_gate();");
  const Database database;
  const Gate gate(database.url());
  Child holder(project.command(database.url() + "&application_name=deploy-of-billing", {"migrate", "up"}));
  REQUIRE(gate.is_reached());
  const std::string pid = database.text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted");
  const Run late = project.kdb(database.url(), {"migrate", "up", "--lock-wait", "1s"});
  CHECK_MESSAGE(late.exit == 4, late.err);
  CHECK_MESSAGE(has(late.err, "another deployer held the lock for longer than 1s"), late.err);
  CHECK_MESSAGE(has(late.err, "held by pid " + pid + " (deploy-of-billing"), late.err);
  CHECK(has(late.err, "hint: "));
  gate.open();
  const Run first = holder.wait();
  CHECK_MESSAGE(first.exit == 0, first.err);
  CHECK(database.text("SELECT count(*) FROM kdb.events") == "1");
}

}  // namespace kdb::test::deployers_test
