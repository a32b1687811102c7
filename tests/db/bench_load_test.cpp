// `kdb bench load --on-target`: what is offered is counted, and nothing of the target is changed.

#include <string>

#include "db/project.hpp"
#include "support/fault_proxy.hpp"
#include "support/json.hpp"
#include "support/text.hpp"

namespace kdb::test::bench_load_test {

namespace {

struct Target {
  Run load(const std::string& queries, const std::vector<std::string>& more) const {
    std::vector<std::string> words = {KDB_BINARY,
                                      "bench",
                                      "load",
                                      "-d",
                                      url.empty() ? database.url() : url,
                                      "-p",
                                      folder.write("load.toml", queries).string(),
                                      "--format",
                                      "json"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }

  std::string url = {};  // empty: the database's
  Database database = {};
  TempDir folder = {};
};

std::int64_t number_at(const Run& run, const std::string& pointer) {
  return std::stol(json_at(run.out, pointer));
}

}  // namespace

TEST_CASE("requests come at their rate, each query as often as its weight says") {
  const Target target;
  const Run run =
      target.load("[queries.often]\nsql = 'SELECT 1'\nweight = 9\n[queries.seldom]\nsql = 'SELECT 2'\n",
                  {"--on-target", "--rate", "200", "--duration", "1s", "--arrivals", "fixed"});
  REQUIRE_MESSAGE(run.exit == 0, run.err);
  CHECK(number_at(run, "/steps/0/done") == 200);
  CHECK(number_at(run, "/steps/0/errors") == 0);
  const std::int64_t often = number_at(run, "/queries/0/done");
  CHECK(often + number_at(run, "/queries/1/done") == 200);
  CHECK(often > 140);
  CHECK(std::stod(json_at(run.out, "/steps/0/p50_ms")) > 0);
}

TEST_CASE("whoever waits too long is a timeout, whoever is refused an error, and none is left out") {
  const Target target;
  target.database.exec(
      "CREATE TABLE t (a int); CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS "
      "'INSERT INTO t VALUES (1) RETURNING a'");
  const Run slow = target.load(
      "[queries.slow]\nsql = 'SELECT pg_sleep(5)'\n",
      {"--on-target", "--rate", "20", "--duration", "1s", "--arrivals", "fixed", "--timeout", "200ms"});
  REQUIRE_MESSAGE(slow.exit == 0, slow.err);
  CHECK(number_at(slow, "/steps/0/done") == 0);
  CHECK(number_at(slow, "/steps/0/timeouts") == 20);
  const Run writing = target.load("[queries.writing]\nsql = 'SELECT writes()'\n",
                                  {"--on-target", "--rate", "20", "--duration", "1s", "--arrivals", "fixed"});
  REQUIRE_MESSAGE(writing.exit == 0, writing.err);
  CHECK(number_at(writing, "/steps/0/errors") == 20);
  CHECK_MESSAGE(has(writing.err, "writing failed after"), writing.err);
  CHECK(target.database.text("SELECT count(*) FROM t") == "0");
}

TEST_CASE("a timeout is kept from when a request was to start, with what is left of it on the server") {
  const Target target;
  // Of one connection: the second request has 1.1 s left when it is free, the third 100 ms.
  const Run run = target.load(
      "[connection]\npool = { max = 1 }\n[queries.slow]\nsql = 'SELECT pg_sleep(2)'\n",
      {"--on-target", "--rate", "10", "--duration", "250ms", "--arrivals", "fixed", "--timeout", "3s"});
  REQUIRE_MESSAGE(run.exit == 0, run.err);
  CHECK(number_at(run, "/steps/0/done") == 1);
  CHECK(number_at(run, "/steps/0/timeouts") == 2);
  CHECK(std::stod(json_at(run.out, "/steps/0/max_ms")) < 3'700);  // 3,900 where the second may go on
  const Run none = target.load("[queries.one]\nsql = 'SELECT 1'\n", {"--on-target", "--timeout", "0"});
  CHECK(none.exit == 64);
  CHECK_MESSAGE(has(none.err, "--timeout has to be above 0"), none.err);
}

TEST_CASE("a request whose session is lost is asked again") {
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  proxy.add({.contains = "SELECT 41", .fault = FaultProxy::Fault::cut});
  const Target target{.url = proxy.url()};
  const Run run = target.load("[queries.lost]\nsql = 'SELECT 41'\n",
                              {"--on-target", "--rate", "20", "--duration", "500ms", "--arrivals", "fixed"});
  REQUIRE_MESSAGE(run.exit == 0, run.err);
  CHECK(number_at(run, "/steps/0/retries") == 1);
  CHECK(number_at(run, "/steps/0/errors") == 0);
  CHECK(number_at(run, "/steps/0/done") == 10);
}

TEST_CASE("what tidies a session up behind a request is not part of its latency") {
  FaultProxy proxy(server_url("KDB_SANDBOX_TCP_URL"));
  proxy.add({.contains = "pg_advisory_unlock_all", .delay = std::chrono::milliseconds(400), .once = false});
  const Target target{.url = proxy.url()};
  const Run run = target.load("[queries.one]\nsql = 'SELECT 1'\n",
                              {"--on-target", "--rate", "10", "--duration", "400ms", "--arrivals", "fixed"});
  REQUIRE_MESSAGE(run.exit == 0, run.err);
  CHECK(number_at(run, "/steps/0/done") == 4);
  CHECK(std::stod(json_at(run.out, "/steps/0/p50_ms")) < 300);
}

TEST_CASE("the knee is looked for below a rate that the server does not keep up with") {
  const Target target;
  // Of ten connections, each taken for 50 ms, 200 come free in a second.
  const Run run =
      target.load("[queries.half]\nsql = 'SELECT pg_sleep(0.05)'\n",
                  {"--on-target", "--rate", "400", "--to-knee", "--duration", "500ms", "--timeout", "1s"});
  REQUIRE_MESSAGE(run.exit == 0, run.err);
  CHECK_MESSAGE(has(run.out, "; it breaks at "), run.out);
  CHECK(number_at(run, "/steps/3/offered_per_second") == 400);  // halved three times
}

TEST_CASE("a query that takes long breaks no rate of a server that is idle") {
  const Target target;
  // It is 9 a second until the last one ends, which is none of the server's fault.
  const Run run =
      target.load("[queries.long]\nsql = 'SELECT pg_sleep(0.2)'\n",
                  {"--on-target", "--rate", "10", "--rate", "20", "--duration", "1s", "--arrivals", "fixed"});
  REQUIRE_MESSAGE(run.exit == 0, run.err);
  CHECK_MESSAGE(has(run.out, "20/s are borne; the knee is further up"), run.out);
  CHECK(number_at(run, "/steps/0/milliseconds") == 1'000);
}

TEST_CASE("somebody's database is loaded only where that is meant") {
  const Target target;
  const Run run = target.load("[queries.one]\nsql = 'SELECT 1'\n", {"--duration", "1s"});
  CHECK(run.exit == 64);
  CHECK_MESSAGE(has(run.err + run.out, "--on-target says so"), run.err);
  const Run none = target.load("", {"--on-target"});
  CHECK(none.exit == 64);
  CHECK(has(none.err + none.out, "the profile declares no queries"));
  const Run other =
      target.load("[database]\nexpect = { name = 'another' }\n[queries.one]\nsql = 'SELECT 1'\n",
                  {"--on-target", "--duration", "1s"});
  CHECK(other.exit == 3);
  CHECK_MESSAGE(has(other.err + other.out, "the wrong database: its name is"), other.err);
}

TEST_CASE("a load on somebody's database writes nothing, whatever its queries call") {
  const Target target;
  target.database.exec(
      "CREATE TABLE written (a int); CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS "
      "'INSERT INTO written VALUES (1) RETURNING a'");
  const Run run =
      target.load("[queries.one]\nsql = 'SELECT writes()'\n", {"--on-target", "--duration", "1s"});
  CHECK_MESSAGE(has(run.err + run.out, "read-only transaction"), (run.err + run.out));
  CHECK(target.database.text("SELECT count(*) FROM written") == "0");
}

TEST_CASE("of a stranger's profile nothing loads code or leads to another's files") {
  const TempDir folder;
  const std::string elsewhere = (folder.path() / "elsewhere").string();
  const std::string profile =
      "[roles.dashboard]\n[queries.one]\nsql = 'SELECT count(*) FROM klaviyo_events'\n[server.settings]\n"
      "jit_above_cost = 0\nwork_mem = '5MB'\njit_provider = '" +
      elsewhere + "'\ndata_directory = '" + elsewhere + "'\n\"plperl.on_init\" = 'die'\n";
  const Run run =
      test::run({KDB_BINARY, "bench", "load", "-p", folder.write("strange.toml", profile).string(),
                 "--migrations", KDB_SOURCE_DIR "/migrations", "--events", "1000", "--rate", "20",
                 "--duration", "500ms", "--arrivals", "fixed", "--format", "json"});
  REQUIRE_MESSAGE(run.exit == 0, run.err);
  CHECK(number_at(run, "/steps/0/done") == 10);
  for (const char* name : {"jit_provider", "data_directory", "plperl.on_init"})
    CHECK_MESSAGE(has(run.err, std::string(name) + " is left out: a throwaway server has its own"), run.err);
  CHECK_FALSE(has(run.err, "jit_above_cost is left out"));
  CHECK_FALSE(has(run.err, "work_mem is left out"));
}

}  // namespace kdb::test::bench_load_test
