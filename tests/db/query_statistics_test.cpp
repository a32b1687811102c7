// kdb explain --statistics: what a server has counted of indexes and statements, with the rights and the
// extension that there are.
#include "pg/query_statistics.hpp"

#include <csignal>

#include "db/own_server.hpp"
#include "db/timescale.hpp"
#include "pg/catalog.hpp"
#include "pg/explain.hpp"
#include "support/json.hpp"
#include "support/skip.hpp"

namespace kdb::test::query_statistics_test {

namespace {

QueryStatistics statistics_of(Session& session, const std::vector<std::string>& indexes) {
  std::vector<ObjectName> names;
  for (const std::string& index : indexes) names.push_back({"public", index});
  return pg::read_query_statistics(session.connection(),
                                   pg::read_facts(session.connection(), "public", "kdb"), names);
}

std::int64_t scans_of(const QueryStatistics& statistics, const std::string& index) {
  REQUIRE(statistics.indexes);
  const auto found = statistics.indexes->find({"public", index});
  return found == statistics.indexes->end() ? -1 : found->second.scans;
}

/// Counters are handed in when a session ends, at the latest.
std::int64_t scans_soon(const Database& database, const std::string& index, std::int64_t wanted) {
  std::int64_t scans = -1;
  eventually([&] {
    Session session(database.url());
    scans = scans_of(statistics_of(session, {index}), index);
    return scans == wanted;
  });
  return scans;
}

/// A server that counts statements.
class CountingServer {
 public:
  CountingServer() {
    server_.stop(SIGINT);
    server_.start({"-c", "shared_preload_libraries=pg_stat_statements"});
    Session session(server_.url());
    session.exec("CREATE SCHEMA \"s t\"; CREATE EXTENSION pg_stat_statements SCHEMA \"s t\"");
    session.exec("CREATE TABLE t (id int, kind text); GRANT SELECT ON t TO public");
    session.exec("CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA \"s t\" TO public");
  }

  std::string url(const std::string& user = "postgres") const {
    std::string text = server_.url();
    return text.replace(text.find("postgres@"), 8, user);
  }
  Run explain(const std::string& profile, std::vector<std::string> words,
              const std::string& user = "postgres") {
    words.insert(words.begin(), "explain");
    words.insert(words.end(), {"--statistics", "-p", folder_.write("p.toml", profile).string()});
    return project_.kdb(url(user), words);
  }

 private:
  OwnServer server_;
  Project project_;
  TempDir folder_;
};

bool can_count() {
  return Session(server_url())
             .text("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'") != "0";
}

}  // namespace

TEST_CASE("the scans of an index are those of its table and of all parts of it") {
  const Database database;
  database.exec(
      "CREATE TABLE e (id int, at date NOT NULL) PARTITION BY RANGE (at);"
      "CREATE TABLE e_1 PARTITION OF e FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');"
      "CREATE TABLE e_2 PARTITION OF e FOR VALUES FROM ('2025-02-01') TO ('2025-06-01') PARTITION BY RANGE "
      "(at);"
      "CREATE TABLE e_2a PARTITION OF e_2 FOR VALUES FROM ('2025-02-01') TO ('2025-06-01');"
      "INSERT INTO e SELECT n, '2025-01-01'::date + n % 120 FROM generate_series(1, 5000) n;"
      "CREATE INDEX idx_e_id ON e (id); CREATE INDEX idx_e_unused ON e (at, id); ANALYZE e");
  {
    Session session(database.url());
    for (int i = 0; i < 3; ++i) session.exec("SELECT * FROM e WHERE id = 7");
  }
  CHECK(scans_soon(database, "idx_e_id", 6) == 6);
  Session session(database.url());
  const QueryStatistics statistics = statistics_of(session, {"idx_e_id", "idx_e_unused", "idx_e_nothing"});
  CHECK(scans_of(statistics, "idx_e_unused") == 0);
  CHECK(scans_of(statistics, "idx_e_nothing") == -1);
  CHECK(statistics.replicas == 0);
  const bool dated = session.connection().server_version() >= 160000;
  CHECK(statistics.indexes->at({"public", "idx_e_id"}).last.empty() == !dated);
  session.exec("SET track_counts TO off");
  CHECK(statistics_of(session, {"idx_e_id"}).why_no_indexes ==
        "the server does not count scans (track_counts = off)");
}

TEST_CASE("the scans of a hypertable's index are those of its chunks") {
  const Timescale timescale(true);
  if (!timescale.reason().empty() && timescale.reason().find("edition") == std::string::npos)
    return skip(timescale.reason());
  const Database database;
  database.exec(
      "CREATE EXTENSION timescaledb; CREATE TABLE ev (id int, at timestamptz NOT NULL);"
      "SELECT create_hypertable('ev', 'at', chunk_time_interval => interval '7 days', create_default_indexes "
      "=> false); CREATE INDEX idx_ev_id ON ev (id); CREATE INDEX idx_ev_at ON ev (at);"
      "INSERT INTO ev SELECT n, '2025-01-01Z'::timestamptz + n * interval '2 minutes' FROM "
      "generate_series(1, 20000) n; ANALYZE ev");
  {
    Session session(database.url());
    session.exec("SELECT id FROM ev WHERE id = 7");
  }
  CHECK(scans_soon(database, "idx_ev_id", 5) == 5);
  CHECK(scans_soon(database, "idx_ev_at", 0) == 0);
}

TEST_CASE("the scans of an index with a long name, or of an aggregate, are its own") {
  const Timescale timescale(false);
  if (!timescale.reason().empty()) return skip(timescale.reason());
  const Database database;
  database.exec(
      "CREATE EXTENSION timescaledb; CREATE TABLE ev (m text, at timestamptz NOT NULL, v int, w int);"
      "SELECT create_hypertable('ev', 'at', chunk_time_interval => interval '7 days', create_default_indexes "
      "=> false);"
      "CREATE INDEX idx_klaviyo_events_metric_timestamp_value_covering ON ev (v) WHERE v >= 0;"
      "CREATE INDEX idx_klaviyo_events_metric_timestamp_value_covering_high ON ev (w);"
      "INSERT INTO ev SELECT 'm', '2025-01-02Z'::timestamptz + n * interval '2 minutes', n, n FROM "
      "generate_series(1, 5000) n; ANALYZE ev");
  database.exec(
      "CREATE MATERIALIZED VIEW days WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', at) AS "
      "day, "
      "m, sum(v) AS total FROM ev GROUP BY 1, 2 WITH NO DATA");
  database.exec("CREATE INDEX idx_days_total ON days (m, day)");
  {
    Session session(database.url());
    session.exec("SELECT v FROM ev WHERE w = 7");
  }
  CHECK(scans_soon(database, "idx_klaviyo_events_metric_timestamp_value_covering_high", 1) == 1);
  CHECK(scans_soon(database, "idx_klaviyo_events_metric_timestamp_value_covering", 0) == 0);
  CHECK(scans_soon(database, "idx_days_total", 0) == 0);
  Session session(database.url());
  const ServerFacts server = pg::read_facts(session.connection(), "public", "kdb");
  const PlanFacts facts =
      pg::read_plan_facts(session.connection(), server, {}, {{"public", "idx_days_total"}});
  CHECK(facts.declared.count({"public", "idx_days_total"}) == 1);
}

TEST_CASE("without pg_stat_statements that is said, and the rest is there") {
  const Database database;
  database.in_session([&](Session& session) {
    const QueryStatistics statistics = statistics_of(session, {});
    CHECK_FALSE(statistics.statements);
    CHECK(statistics.why_no_statements == "the database has no extension pg_stat_statements");
    CHECK(statistics.indexes);
    if (!can_count()) return;
    session.exec("CREATE EXTENSION pg_stat_statements");
    CHECK(statistics_of(session, {}).why_no_statements.find("shared_preload_libraries") != std::string::npos);
  });
}

TEST_CASE("declared queries are found among the statements that the server has counted") {
  if (!can_count()) return skip("the server has no pg_stat_statements");
  CountingServer server;
  const std::string profile =
      "[queries.by_id]\nsql = 'SELECT * FROM t WHERE id = $1'\nparameters = [5]\n"
      "[queries.never]\nsql = 'SELECT id FROM t WHERE kind IS NULL'\n";
  {
    Session session(server.url());
    session.exec("SELECT \"s t\".pg_stat_statements_reset()");
    for (int i = 0; i < 30; ++i) session.exec("SELECT * FROM t WHERE id = " + std::to_string(i));
    session.connection().exec("SELECT * FROM t WHERE id = $1", {std::string("7")});
    for (int i = 0; i < 10; ++i) session.exec("SELECT kind AS \"\x1b[31mred\" FROM t LIMIT 3");
    for (int i = 0; i < 10; ++i) session.exec("SELECT count(*), pg_sleep(0.01), 'nobody''s' FROM t");
    for (int i = 0; i < 12; ++i) session.exec("DO $$ BEGIN PERFORM pg_sleep(0.02), 'secret'; END $$");
    // Longer than what is compared: only its beginning is fetched.
    std::string rows = "INSERT INTO t VALUES (0)";
    while (rows.size() < 300'000) rows += ",(NULL)";
    session.exec(rows);
  }
  const Run run = server.explain(profile, {"--format", "json"});
  CAPTURE(run.out);
  CHECK(run.exit == 0);
  std::int64_t calls = 0;
  for (int row = 0; row < 20; ++row) {
    const std::string at = "/statements/" + std::to_string(row);
    if (json_at(run.out, at + "/queries") == "[\"by_id\"]")
      calls += std::stoll(json_at(run.out, at + "/calls"));
  }
  CHECK(calls == 31);
  const Run text = server.explain(profile, {});
  CAPTURE(text.out);
  CHECK(text.out.find('\x1b') == std::string::npos);
  CHECK(text.out.find("SELECT kind AS \"\\x1b[31mred\"") != std::string::npos);
  CHECK(text.out.find("that no query declares, most of it of \"SELECT count(*), pg_sleep($1)") !=
        std::string::npos);
  CHECK((run.out + text.out).find("secret") == std::string::npos);
  CHECK(text.out.find("slow and repetitive: \"DO\": 12 calls") != std::string::npos);
  CHECK(text.out.find("were not looked at") == std::string::npos);
  CHECK(text.out.find("not among the counted statements") != std::string::npos);
  CHECK(text.out.find(": never\n") != std::string::npos);
  // Of others a role without pg_read_all_stats sees no texts.
  const Run blind = server.explain(profile, {}, "reader");
  CAPTURE(blind.out);
  CHECK(blind.exit == 0);
  CHECK(blind.out.find("they are other roles'") != std::string::npos);
  CHECK(blind.out.find("some texts are hidden") != std::string::npos);
}

}  // namespace kdb::test::query_statistics_test
