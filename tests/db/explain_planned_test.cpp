// kdb explain --planned: the plans with indexes that nobody has built, and with settings that nobody has
// made.
#include "db/project.hpp"
#include "db/timescale.hpp"
#include "support/json.hpp"
#include "support/skip.hpp"

namespace kdb::test::explain_planned_test {

namespace {

bool has_hypopg() {
  return Session(server_url()).text("SELECT count(*) FROM pg_available_extensions WHERE name = 'hypopg'") !=
         "0";
}

/// A database and a profile for it.
class Planned {
 public:
  explicit Planned(const std::string& sql, bool hypopg = true) {
    database.exec(sql);
    // In a schema that no session looks into.
    if (hypopg) database.exec("CREATE SCHEMA \"h y\"; CREATE EXTENSION hypopg SCHEMA \"h y\"");
  }
  Run explain(const std::string& profile, std::vector<std::string> words = {},
              const std::string& role = {}) const {
    words.insert(words.begin(), "explain");
    words.insert(words.end(), {"--planned", "-p", folder_.write("p.toml", profile).string()});
    if (role.empty()) return project.kdb(database.url(), words);
    const std::string separator = database.url().find('?') == std::string::npos ? "?" : "&";
    return project.kdb(database.url() + separator + "user=" + role, words);
  }

  Database database;
  Project project;

 private:
  TempDir folder_;
};

constexpr const char* plain =
    "CREATE TABLE t (id int, kind text, value int, doc jsonb);"
    "INSERT INTO t SELECT n, 'k' || n % 1000, n, '{}' FROM generate_series(1, 20000) n; ANALYZE t";
constexpr const char* by_kind =
    "[queries.by_kind]\nsql = \"SELECT value FROM t WHERE kind = 'k1'\"\n"
    "expects = ['index:idx_t_kind', 'no seq scan on t']\n";
constexpr const char* kind_index = "[indexes.idx_t_kind]\ntable = 't'\ncolumns = ['lower(kind)', 'kind']\n";
constexpr const char* simple_index =
    "[indexes.idx_t_kind]\ntable = 't'\ncolumns = ['kind']\ninclude = ['value']\n";

}  // namespace

TEST_CASE("a query is judged with an index that is only declared, and nothing is built") {
  if (!has_hypopg()) return skip("the server has no hypopg");
  const Planned planned(plain);
  const std::string before = planned.database.state();
  const Run run = planned.explain(std::string(by_kind) + simple_index, {"--exit-code", "--format", "json"});
  CAPTURE(run.out);
  CAPTURE(run.err);
  CHECK(run.exit == 0);
  CHECK(json_at(run.out, "/queries/0/verdict") == "\"fails\"");
  CHECK(json_at(run.out, "/queries/0/indexes") == "[]");
  CHECK(json_at(run.out, "/planned/0/verdict") == "\"ok\"");
  CHECK(json_at(run.out, "/planned/0/verdict_now") == "\"fails\"");
  CHECK(json_at(run.out, "/planned/0/planned_indexes") == "[\"idx_t_kind\"]");
  CHECK(json_at(run.out, "/indexes/0/used_by") == "[\"by_kind\"]");
  CHECK(json_at(run.out, "/with").find("1 index by HypoPG") != std::string::npos);
  CHECK(std::stod(json_at(run.out, "/planned/0/times")) < 0.5);
  CHECK(planned.database.state() == before);
  // One that the planner does not want is no pass.
  const Run other = planned.explain(std::string(by_kind) + kind_index, {"--exit-code"});
  CHECK(other.exit == 2);
  CHECK(other.out.find("by_kind expects \"index:idx_t_kind\": it is not used") != std::string::npos);
  const Run run_too = planned.explain(std::string(by_kind) + simple_index, {"--analyze", "--exit-code"});
  CHECK(run_too.exit == 0);
}

TEST_CASE("an index that HypoPG does not know is named, and the result is not checked") {
  if (!has_hypopg()) return skip("the server has no hypopg");
  const Planned planned(plain);
  const std::string gin = "[indexes.idx_t_doc]\ntable = 't'\nmethod = 'gin'\ncolumns = ['doc']\n";
  const Run run = planned.explain(std::string(by_kind) + simple_index + gin, {"--exit-code"});
  CAPTURE(run.out);
  CHECK(run.exit == 2);
  CHECK(run.out.find("index idx_t_doc is not in these plans: HypoPG: access method \"gin\" is not") !=
        std::string::npos);
  CHECK(run.out.find("by HypoPG") != std::string::npos);
  CHECK(planned.explain(std::string(by_kind) + simple_index + gin).exit == 0);
}

TEST_CASE("without HypoPG the planned indexes are named as not looked at") {
  const Planned planned(plain, false);
  const Run run =
      planned.explain(std::string("[queries.q]\nsql = 'SELECT 1'\n") + simple_index, {"--exit-code"});
  CAPTURE(run.out);
  CHECK(run.exit == 2);
  CHECK(run.out.find("index idx_t_kind is not in these plans: the database has no extension hypopg") !=
        std::string::npos);
  CHECK(run.out.find("CREATE EXTENSION hypopg") != std::string::npos);
}

TEST_CASE("planned indexes of a partitioned table are in the plans of its partitions") {
  if (!has_hypopg()) return skip("the server has no hypopg");
  const Planned planned(
      "CREATE TABLE e (id int, at date NOT NULL) PARTITION BY RANGE (at);"
      "CREATE TABLE e_1 PARTITION OF e FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');"
      "CREATE TABLE e_2 PARTITION OF e FOR VALUES FROM ('2025-02-01') TO ('2025-06-01') PARTITION BY RANGE "
      "(at);"
      "CREATE TABLE e_2a PARTITION OF e_2 FOR VALUES FROM ('2025-02-01') TO ('2025-06-01');"
      "INSERT INTO e SELECT n, '2025-01-01'::date + n % 120 FROM generate_series(1, 20000) n; ANALYZE e;"
      "CREATE TABLE p (a int); CREATE TABLE p_1 () INHERITS (p);"
      "INSERT INTO p_1 SELECT n FROM generate_series(1, 20000) n; ANALYZE p, p_1");
  const Run run = planned.explain(
      "[queries.e]\nsql = 'SELECT * FROM e WHERE id = 7'\nexpects = ['index:idx_e_id', 'no seq scan on e']\n"
      "[queries.p]\nsql = 'SELECT * FROM p WHERE a = 7'\nexpects = ['index:idx_p_a']\n"
      "[indexes.idx_e_id]\ntable = 'e'\ncolumns = ['id']\n[indexes.idx_p_a]\ntable = 'p'\ncolumns = ['a']\n",
      {"--format", "json"});
  CAPTURE(run.out);
  CHECK(json_at(run.out, "/expectations/0/verdict") == "\"holds\"");
  CHECK(json_at(run.out, "/expectations/0/reason") == "\"it is used in 2 of 2 partitions\"");
  CHECK(json_at(run.out, "/expectations/1/verdict") == "\"holds\"");
}

TEST_CASE("planned indexes of a hypertable are in the plans of its chunks") {
  const Timescale timescale(true);
  if (!timescale.reason().empty() && timescale.reason().find("edition") == std::string::npos)
    return skip(timescale.reason());
  if (!has_hypopg()) return skip("the server has no hypopg");
  const Planned planned(
      "CREATE EXTENSION timescaledb; CREATE TABLE ev (id int, at timestamptz NOT NULL);"
      "SELECT create_hypertable('ev', 'at', chunk_time_interval => interval '7 days', create_default_indexes "
      "=> false);"
      "INSERT INTO ev SELECT n, '2025-01-01Z'::timestamptz + n * interval '2 minutes' FROM "
      "generate_series(1, 20000) n; ANALYZE ev");
  const Run run = planned.explain(
      "[queries.by_id]\nsql = 'SELECT * FROM ev WHERE id = 7'\nexpects = ['index:idx_ev_id', 'no seq scan on "
      "ev']\n[indexes.idx_ev_id]\ntable = 'ev'\ncolumns = ['id']\n",
      {"--format", "json"});
  CAPTURE(run.out);
  CHECK(json_at(run.out, "/expectations/0/verdict") == "\"holds\"");
  CHECK(json_at(run.out, "/expectations/0/reason").find(" of 5 chunks") != std::string::npos);
  CHECK(json_at(run.out, "/expectations/1/verdict") == "\"holds\"");
}

TEST_CASE("plans are made with the settings that the profile would make") {
  const Planned planned(std::string(plain) + "; CREATE INDEX idx_t_kind ON t (kind)", false);
  const std::string settings =
      "[server]\nmemory = '1GB'\ncpus = 2\n[server.settings]\nenable_indexscan = 'off'\n"
      "enable_bitmapscan = 'off'\nautovacuum_naptime = '7min'\n";
  const Run run = planned.explain(std::string(by_kind) + settings, {"--exit-code", "--format", "json"});
  CAPTURE(run.out);
  CHECK(run.exit == 2);
  CHECK(json_at(run.out, "/queries/0/verdict") == "\"ok\"");
  CHECK(json_at(run.out, "/planned/0/verdict") == "\"fails\"");
  const std::string with = json_at(run.out, "/with");
  CHECK(with.find("enable_indexscan = off") != std::string::npos);
  CHECK(with.find("autovacuum_naptime") == std::string::npos);  // no plan depends on it
}

TEST_CASE("changes that no plan can be had with are named") {
  const Planned planned(plain, false);
  const Run run = planned.explain(
      std::string("[queries.q]\nsql = 'SELECT 1'\n[tables.t]\nstatistics = { kind = 500 }\n") +
          "[indexes.gone]\ntable = 'nowhere'\ncolumns = ['a']\n",
      {"--exit-code"});
  CAPTURE(run.out);
  CHECK(run.exit == 2);
  CHECK(run.out.find("1 more change of which these plans say nothing: table t") != std::string::npos);
  CHECK(run.out.find("nowhere") != std::string::npos);
}

TEST_CASE("a query that fails when it is run is said to, whatever is planned") {
  const Planned planned(plain, false);
  const Run run = planned.explain(
      "[queries.broken]\nsql = 'SELECT 1 / (id - 5) FROM t'\n[indexes.gone]\ntable = 't'\ncolumns = ['id']\n",
      {"--analyze", "--exit-code"});
  CAPTURE(run.out);
  CAPTURE(run.err);
  CHECK(run.exit == 1);
  CHECK((run.out + run.err).find("broken cannot be explained: division by zero") != std::string::npos);
}

TEST_CASE("pending migrations are named as not in the plans, and the tables that they make are known") {
  Planned planned(plain, false);
  planned.project.migration("0001_first", "CREATE INDEX t_value ON t (value); CREATE TABLE new (a int);");
  const Run run =
      planned.explain("[queries.q]\nsql = 'SELECT 1'\n[indexes.idx_new_a]\ntable = 'new'\ncolumns = ['a']\n",
                      {"--exit-code"});
  CAPTURE(run.out);
  CHECK(run.exit == 2);
  CHECK(run.out.find("1 pending migration is not in these plans: 0001") != std::string::npos);
  CHECK(run.out.find("there is no table new") == std::string::npos);
}

TEST_CASE("a role that may not use HypoPG has its plans all the same, and is told what it lacks") {
  if (!has_hypopg()) return skip("the server has no hypopg");
  const Planned planned(plain);
  planned.database.exec("CREATE ROLE kdb_plain_reader LOGIN; GRANT SELECT ON t TO kdb_plain_reader");
  const Run run = planned.explain(std::string(by_kind) + simple_index, {"--exit-code"}, "kdb_plain_reader");
  planned.database.exec("DROP OWNED BY kdb_plain_reader; DROP ROLE kdb_plain_reader");
  CAPTURE(run.out);
  CAPTURE(run.err);
  CHECK(run.exit == 2);
  CHECK(run.out.find("GRANT USAGE ON SCHEMA \"h y\" TO \"kdb_plain_reader\"") != std::string::npos);
}

TEST_CASE("partitions in another schema than their table have its planned indexes too") {
  if (!has_hypopg()) return skip("the server has no hypopg");
  const Planned planned(
      "CREATE SCHEMA parts; CREATE TABLE o (id int, at int) PARTITION BY RANGE (at);"
      "CREATE TABLE parts.o1 PARTITION OF o FOR VALUES FROM (0) TO (100000);"
      "INSERT INTO o SELECT n, n FROM generate_series(1, 20000) n; ANALYZE o");
  const Run run = planned.explain(
      "[queries.o]\nsql = 'SELECT * FROM o WHERE id = 7'\nexpects = ['index:idx_o_id', 'no seq scan on o']\n"
      "[indexes.idx_o_id]\ntable = 'o'\ncolumns = ['id']\n",
      {"--exit-code"});
  CAPTURE(run.out);
  CHECK(run.exit == 0);
}

TEST_CASE("indexes of more partitions than HypoPG has numbers of its own for are planned") {
  if (!has_hypopg()) return skip("the server has no hypopg");
  std::string children;
  for (int i = 0; i < 300; ++i) children += fmt::format("CREATE TABLE m{} () INHERITS (m);", i);
  const Planned planned("CREATE TABLE m (a int, b int);" + children);
  std::string profile = "[queries.q]\nsql = 'SELECT 1'\n";
  for (int i = 0; i < 10; ++i)
    profile += fmt::format("[indexes.m_{}]\ntable = 'm'\ncolumns = ['a', '(b + {})']\n", i, i);
  const Run run = planned.explain(profile, {});
  CAPTURE(run.out);
  CHECK(run.out.find("10 indexes by HypoPG") != std::string::npos);
}

TEST_CASE("a query that would lose its index to another one by that name is not passed") {
  if (!has_hypopg()) return skip("the server has no hypopg");
  const Planned planned(std::string(plain) + "; CREATE INDEX g ON t (kind); CREATE INDEX d ON t (id)");
  const Run run = planned.explain(
      "[queries.by_kind]\nsql = \"SELECT value FROM t WHERE kind = 'k1'\"\nexpects = ['index:g']\n"
      "[queries.by_id]\nsql = \"SELECT value FROM t WHERE id = 1\"\nexpects = ['no seq scan on t']\n"
      "[queries.by_value]\nsql = \"SELECT kind FROM t WHERE value = 1\"\nexpects = ['index:g']\n"
      "[indexes.g]\ntable = 't'\ncolumns = ['value', 'kind']\n[indexes.d]\nstate = 'absent'\ntable = 't'\n",
      {"--exit-code", "--format", "json"});
  CAPTURE(run.out);
  CAPTURE(run.err);
  CHECK(run.exit == 2);
  CHECK(json_at(run.out, "/queries/0/verdict") == "\"ok\"");
  CHECK(json_at(run.out, "/planned/0/verdict") == "\"unchecked\"");
  CHECK(json_at(run.out, "/planned/0/planned_indexes") == "[]");
  CHECK(json_at(run.out, "/planned/1/verdict") == "\"unchecked\"");
  CHECK(json_at(run.out, "/planned/2/verdict") == "\"ok\"");
  CHECK(json_at(run.out, "/planned/2/planned_indexes") == "[\"g\"]");
}

TEST_CASE("temp_buffers, which a session has only once, fails no plan") {
  const Planned planned(std::string(plain) + "; CREATE INDEX g ON t USING brin (kind)", false);
  const Run run = planned.explain(
      "[server]\nmemory = '1GB'\ncpus = 2\n[server.settings]\ntemp_buffers = '16MB'\nwork_mem = '8MB'\n"
      "[queries.q]\nsql = 'SELECT 1'\n[indexes.g]\ntable = 't'\nmethod = 'brin'\ncolumns = ['Kind']\n",
      {"--format", "json"});
  CAPTURE(run.out);
  CAPTURE(run.err);
  CHECK(run.exit == 0);
  CHECK(json_at(run.out, "/with").find("work_mem") != std::string::npos);
  CHECK(json_at(run.out, "/planned/0/verdict") == "\"-\"");
}

}  // namespace kdb::test::explain_planned_test
