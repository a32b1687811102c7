// The plans of declared queries on a real server: what is used, of parts too; that nothing is written; and
// what `kdb explain` makes of it.
#include "pg/explain.hpp"

#include "core/expectation.hpp"
#include "core/plan_summary.hpp"
#include "db/project.hpp"
#include "db/timescale.hpp"
#include "pg/catalog.hpp"
#include "support/json.hpp"
#include "support/skip.hpp"

namespace kdb::test::explain_test {

namespace {

DeclaredQuery query_of(const std::string& sql, const std::vector<std::string>& parameters = {}) {
  DeclaredQuery query;
  query.name = "q";
  query.sql = sql;
  query.parameters = parameters;
  return query;
}

pg::ServerError failure_of_query(Session& session, const DeclaredQuery& query,
                                 const pg::ExplainOptions& options) {
  try {
    pg::explain(session.connection(), query, options);
  } catch (const pg::ServerError& error) {
    return error;
  }
  FAIL("no error: " << query.sql);
  return {};
}

/// The verdicts on what is expected of one query, a line each.
std::string verdicts(Session& session, const DeclaredQuery& query, const std::vector<std::string>& expects,
                     bool analyze = false) {
  const QueryPlan plan = pg::explain(session.connection(), query, {.analyze = analyze});
  std::vector<Expectation> parsed;
  std::vector<ObjectName> indexes;
  for (const std::string& text : expects) {
    Expectation& one = parsed.emplace_back();
    REQUIRE_FALSE(parse_expectation(text, "public", one));
    if (one.kind == Expectation::Kind::index) indexes.push_back(one.object);
  }
  const ServerFacts server = pg::read_facts(session.connection(), "public", "kdb");
  const PlanFacts facts = pg::read_plan_facts(session.connection(), server, {&plan}, indexes);
  const PlanSummary summary = summarize(plan, facts);
  std::string text;
  for (const Expectation& one : parsed) {
    const JudgedExpectation judgement = judge(one, summary, facts, "public");
    text += std::string(to_string(judgement.verdict)) + ": " + judgement.reason + "\n";
  }
  return text;
}

constexpr const char* plain_table =
    "CREATE TABLE t (id int, kind text, value int);"
    "INSERT INTO t SELECT n, 'k' || n % 10, n FROM generate_series(1, 20000) n;"
    "CREATE INDEX idx_t_id ON t (id); ANALYZE t";

constexpr const char* partitioned_table =
    "CREATE TABLE e (id int, at date NOT NULL, note text) PARTITION BY RANGE (at);"
    "CREATE TABLE e_1 PARTITION OF e FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');"
    "CREATE TABLE e_2 PARTITION OF e FOR VALUES FROM ('2025-02-01') TO ('2025-04-01') PARTITION BY RANGE "
    "(at);"
    "CREATE TABLE e_2a PARTITION OF e_2 FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');"
    "CREATE TABLE e_2b PARTITION OF e_2 FOR VALUES FROM ('2025-03-01') TO ('2025-04-01');"
    "INSERT INTO e SELECT n, '2025-01-01'::date + n % 90, repeat('x', 50) FROM generate_series(1, 9000) n;"
    "CREATE INDEX idx_e_id ON e (id); ANALYZE e";

}  // namespace

TEST_CASE("an index that is used is told from one that is not") {
  const Database database;
  database.exec(plain_table);
  database.in_session([&](Session& session) {
    CHECK(verdicts(session, query_of("SELECT * FROM t WHERE id = $1", {"77"}),
                   {"index:idx_t_id", "no seq scan on t", "no sort", "buffers < 10"}) ==
          "holds: it is used\nholds: t is read by idx_t_id\nholds: nothing is sorted\nnot checked: only a "
          "run can "
          "tell\n");
    CHECK(verdicts(session, query_of("SELECT * FROM t WHERE kind = $1", {"k3"}),
                   {"index:idx_t_id", "no seq scan on t", "rows removed by filter < 100"}, true) ==
          "fails: it is not used: t is read by a seq scan\nfails: t is read from one end to the other\n"
          "fails: 18000 rows were read and thrown away by a filter\n");
  });
}

TEST_CASE("the index of a partitioned table is found in its partitions, of all levels") {
  const Database database;
  database.exec(partitioned_table);
  database.in_session([&](Session& session) {
    CHECK(verdicts(session, query_of("SELECT * FROM e WHERE id = 77"),
                   {"index:idx_e_id", "no seq scan on e", "chunks < 4"}, true) ==
          "holds: it is used in 3 of 3 partitions\nholds: e is read by idx_e_id in 3 of 3 partitions\nholds: "
          "3 are "
          "touched\n");
    CHECK(verdicts(session, query_of("SELECT count(*) FROM e WHERE at >= $1", {"2025-02-01"}),
                   {"no seq scan on e", "chunks < 3", "index:idx_e_nothing"}) ==
          "fails: e is read from one end to the other in 2 of 3 partitions\nholds: 2 are in the plan\nfails: "
          "there "
          "is no index idx_e_nothing\n");
  });
}

TEST_CASE("the server plans with the values of the parameters, as it does for a first execution") {
  const Database database;
  database.exec(partitioned_table);
  database.in_session([&](Session& session) {
    const QueryPlan plan =
        pg::explain(session.connection(),
                    query_of("SELECT * FROM e WHERE at = $1 AND id <> $2", {"2025-01-05", "3"}), {});
    const PlanNode* node = &plan.root;
    while (node->relation.name.empty() && !node->children.empty()) node = &node->children[0];
    CHECK(node->relation.name == "e_1");  // alone: the other partitions cannot have it
    CHECK(node->filter.find("'2025-01-05'") != std::string::npos);
    CHECK(pg::explain(session.connection(), query_of("SELECT '$1', $1::text", {"it's; SELECT 2"}),
                      {.analyze = true})
              .root.rows == 1);
  });
}

TEST_CASE("a query that writes is refused by the server, and leaves nothing behind") {
  const Database database;
  database.exec(
      "CREATE TABLE w (n int); CREATE FUNCTION sneak() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO w "
      "VALUES (1) RETURNING 1'");
  database.in_session([&](Session& session) {
    const auto error = failure_of_query(session, query_of("SELECT sneak()"), {.analyze = true});
    CHECK(error.sqlstate == "25006");
    CHECK(session.text("SELECT count(*) FROM w") == "0");
    CHECK(session.connection().outside_transaction());
    // A setting that a query makes goes with its transaction.
    pg::explain(session.connection(), query_of("SELECT set_config('work_mem', '77kB', false)"),
                {.analyze = true});
    CHECK(session.text("SHOW work_mem") != "77kB");
  });
}

TEST_CASE("within a transaction a plan sees what that has changed, writes nothing, and leaves it open") {
  const Database database;
  database.exec(
      "CREATE TABLE w (n int); CREATE INDEX by_n ON w (n); CREATE FUNCTION sneak() RETURNS int LANGUAGE sql "
      "VOLATILE AS 'INSERT INTO w VALUES (1) RETURNING 1'");
  database.in_session([](Session& session) {
    const auto way = [&] {
      return pg::explain(session.connection(), query_of("SELECT n FROM w WHERE n = 1"), {.analyze = true})
          .root.type;
    };
    session.exec("SET enable_seqscan = off");
    session.exec("BEGIN; DROP INDEX by_n");
    CHECK(way() == "Seq Scan");
    CHECK(failure_of_query(session, query_of("SELECT sneak()"), {.analyze = true}).sqlstate == "25006");
    CHECK(session.connection().in_transaction());
    session.exec("INSERT INTO w VALUES (1)");
    CHECK(session.text("SELECT count(*) FROM w") == "1");
    session.exec("ROLLBACK");
    CHECK(way() != "Seq Scan");
  });
}

TEST_CASE("a query that takes too long is ended, and the next one goes on") {
  const Database database;
  database.in_session([&](Session& session) {
    const pg::ExplainOptions options{.analyze = true, .timeout = std::chrono::milliseconds(50)};
    CHECK(failure_of_query(session, query_of("SELECT pg_sleep(60)"), options).sqlstate == "57014");
    CHECK(pg::explain(session.connection(), query_of("SELECT 1"), options).executed);
    CHECK_FALSE(pg::explain(session.connection(), query_of("SELECT pg_sleep(60)"), {}).executed);
  });
}

TEST_CASE("what the server finds wrong is at its place in the query's own text") {
  const Database database;
  database.in_session([&](Session& session) {
    const auto error = failure_of_query(session, query_of("SELECT 1\nFROM  nowhere"), {});
    CHECK(error.sqlstate == "42P01");
    CHECK(error.line == 2);
    CHECK(error.column == 7);
    CHECK(session.connection().outside_transaction());
  });
}

TEST_CASE("names without a schema are those of the profile's") {
  const Database database;
  database.exec("CREATE SCHEMA \"it's\"; CREATE TABLE \"it's\".t (n int); CREATE TABLE u (n int)");
  database.in_session([&](Session& session) {
    const QueryPlan plan = pg::explain(session.connection(), query_of("SELECT * FROM t"), {.schema = "it's"});
    CHECK(plan.root.relation == ObjectName{"it's", "t"});
    CHECK(pg::explain(session.connection(), query_of("SELECT * FROM u"), {.schema = "it's"})
              .root.relation.schema == "public");
  });
}

TEST_CASE("the indexes of chunks are those of their hypertable, and a columnstore is one with its chunk") {
  const Timescale timescale(false);
  if (!timescale.reason().empty()) return skip(timescale.reason());
  const Database database;
  database.exec(
      "CREATE EXTENSION timescaledb; CREATE TABLE ev (id int, metric_id text NOT NULL, at timestamptz NOT "
      "NULL, value "
      "numeric); CREATE INDEX idx_ev_metric ON ev (metric_id, at DESC) INCLUDE (value);"
      "SELECT create_hypertable('ev', 'at', chunk_time_interval => interval '7 days', create_default_indexes "
      "=> false);"
      "INSERT INTO ev SELECT n, 'm' || n % 100, '2025-01-01Z'::timestamptz + n * interval '2 minutes', n "
      "FROM "
      "generate_series(1, 20000) n;"
      "ALTER TABLE ev SET (timescaledb.compress, timescaledb.compress_segmentby = 'metric_id', "
      "timescaledb.compress_orderby = 'at DESC');"
      "SELECT compress_chunk(c) FROM show_chunks('ev', older_than => '2025-01-10Z'::timestamptz) c; ANALYZE "
      "ev");
  database.in_session([&](Session& session) {
    CHECK(verdicts(
              session,
              query_of("SELECT at, value FROM ev WHERE metric_id = $1 AND at >= $2 ORDER BY at DESC LIMIT 5",
                       {"m7", "2025-01-20Z"}),
              {"index:idx_ev_metric", "no seq scan on ev", "chunks < 2", "no sort"}, true) ==
          "holds: it is used in 2 of 5 chunks\nholds: ev is read by idx_ev_metric in 1 of 5 chunks\nholds: 1 "
          "are "
          "touched\nholds: nothing is sorted\n");
    // The chunks have its condition with the constant folded: by their definitions they are not alike.
    session.exec(
        "CREATE INDEX idx_ev_high ON ev (value DESC) WHERE value > 0; ALTER INDEX "
        "_timescaledb_internal._hyper_1_5_chunk_idx_ev_metric RENAME TO renamed; ANALYZE ev");
    CHECK(verdicts(session,
                   query_of("SELECT value FROM ev WHERE value > 0 AND at > '2025-01-16Z' ORDER BY value DESC "
                            "LIMIT 3"),
                   {"index:idx_ev_high"})
              .starts_with("holds: it is used in"));
    CHECK(verdicts(session, query_of("SELECT value FROM ev WHERE metric_id = 'm7' AND at > '2025-01-29Z'"),
                   {"index:idx_ev_metric"}) == "holds: it is used in 1 of 5 chunks\n");
    const std::string all =
        verdicts(session, query_of("SELECT max(value), min(id) FROM ev"),
                 {"no seq scan on ev", "chunks < 6", "chunks < 5", "index:idx_ev_metric"}, true);
    CHECK(all.find("fails: ev is read from one end to the other in 5 of 5 chunks\nholds: 5 are "
                   "touched\nfails: 5 are "
                   "touched\nfails: it is not used") == 0);
  });
}

TEST_CASE("an index is told from one whose long name begins alike") {
  const Timescale timescale(true);
  if (!timescale.reason().empty() && timescale.reason().find("edition") == std::string::npos)
    return skip(timescale.reason());
  const Database database;
  database.exec(
      "CREATE EXTENSION timescaledb; CREATE TABLE ev (at timestamptz NOT NULL, v int, w int);"
      "SELECT create_hypertable('ev', 'at', chunk_time_interval => interval '7 days', create_default_indexes "
      "=> false);"
      "CREATE INDEX idx_klaviyo_events_metric_timestamp_value_covering ON ev (v);"
      "CREATE INDEX idx_klaviyo_events_metric_timestamp_value_covering_high ON ev (w) WHERE v >= 0;"
      "INSERT INTO ev SELECT '2025-01-01Z'::timestamptz + n * interval '1 minute', n, n FROM "
      "generate_series(1, 5000) n; ANALYZE ev");
  database.in_session([&](Session& session) {
    CHECK(verdicts(session, query_of("SELECT v FROM ev WHERE w = 7 AND v >= 0"),
                   {"index:idx_klaviyo_events_metric_timestamp_value_covering_high"})
              .starts_with("holds"));
    // Within a transaction what is asked leaves its settings as they were.
    session.exec("BEGIN; SET LOCAL jit TO on");
    CHECK(verdicts(session, query_of("SELECT v FROM ev WHERE v = 7"),
                   {"index:idx_klaviyo_events_metric_timestamp_value_covering"})
              .starts_with("holds"));
    CHECK(session.text("SHOW jit") == "on");
  });
}

TEST_CASE("kdb explain says of each query whether it is as expected, and ends as it was told") {
  const Database database;
  database.exec(plain_table);
  TempDir folder;
  const Project project;
  const auto explain = [&](const std::string& profile, std::vector<std::string> words) {
    words.insert(words.begin(), "explain");
    words.insert(words.end(), {"-p", folder.write("p.toml", profile).string()});
    return project.kdb(database.url(), words);
  };
  const std::string good =
      "[queries.by_id]\nsql = 'SELECT * FROM t WHERE id = $1'\nparameters = [5]\nexpects = "
      "['index:idx_t_id']\n";
  const std::string bad =
      "[queries.by_kind]\nsql = \"SELECT * FROM t WHERE kind = 'k1'\"\nexpects = ['no seq scan on t']\n";
  const std::string vague =
      "[queries.pages]\nsql = 'SELECT * FROM t WHERE id = 5'\nexpects = ['buffers < 10']\n";
  const std::string broken = "[queries.gone]\nsql = '''\nSELECT *\nFROM nowhere'''\n";
  struct Case {
    std::string profile;
    std::vector<std::string> words;
    int exit;
  };
  const Case cases[] = {
      {good, {"--exit-code"}, 0},
      {good + bad, {}, 0},
      {good + bad, {"--exit-code"}, 2},
      {good + bad, {"by_id", "--exit-code"}, 0},
      {good + bad, {"by_id", "by_kind", "--exit-code"}, 2},
      {vague, {"--exit-code"}, 2},
      {vague, {"--exit-code", "--analyze"}, 0},
      {good + broken, {}, 1},
      {good + broken, {"--exit-code"}, 1},
      {good, {"by_di"}, 64},
      {"", {"--exit-code"}, 0},
  };
  for (const Case& row : cases) {
    CAPTURE(row.profile);
    CAPTURE(row.words.size());
    CHECK(explain(row.profile, row.words).exit == row.exit);
  }
  const Run run = explain(broken + good + bad, {"--format", "json", "--analyze"});
  CAPTURE(run.out);
  CHECK(json_at(run.out, "/format_version") == "1");
  CHECK(json_at(run.out, "/analyze") == "true");
  CHECK(json_at(run.out, "/queries/0/verdict") == "\"error\"");
  CHECK(json_at(run.out, "/queries/1/verdict") == "\"ok\"");
  CHECK(json_at(run.out, "/queries/1/indexes") == "[\"idx_t_id\"]");
  CHECK(json_at(run.out, "/queries/2/rows_removed_by_filter") == "18000");
  CHECK(json_at(run.out, "/expectations/1/verdict") == "\"fails\"");
  CHECK(json_at(run.out, "/problems/0/message") ==
        "\"gone cannot be explained: relation \\\"nowhere\\\" does not exist (42P01), line 2, column 6 of "
        "its sql\"");
  CHECK(json_at(run.out, "/problems/0/line") == "2");
  CHECK(json_at(run.out, "/problems/1/line") == "11");
}

}  // namespace kdb::test::explain_test
