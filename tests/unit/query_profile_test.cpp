// [queries.NAME] of a profile: what is read, what is refused without a server, and how files go over each
// other.
#include <chrono>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "files/profile.hpp"
#include "model/query.hpp"
#include "support/problems.hpp"
#include "support/temp_dir.hpp"

namespace kdb::files::query_profile_test {

namespace {

using Kind = Expectation::Kind;
using test::problems_of;

std::optional<std::string> environment(const std::string&) { return std::nullopt; }

Profile parse(const std::string& text) { return parse_profile(text, "p.toml", environment); }

/// The problems of a query with this SQL and these parameters.
std::string problems_with(const std::string& sql, const std::string& parameters = "[]") {
  return problems_of(
      [&] { parse("[queries.q]\nparameters = " + parameters + "\nsql = '''" + sql + "'''\n"); });
}

}  // namespace

TEST_CASE("every key of a query is read, with its place") {
  const Profile profile = parse(R"toml([database]
schema = "app"
[queries.orders]
sql = "SELECT * FROM events WHERE at >= $1 AND kind = $2 LIMIT $3"
parameters = ["2026-01-01 00:00Z", "it's", 50]
weight = 2.5
max_latency = "50ms"
expects = ["index:idx_a", "No  seq scan ON  audit.events", "no sort", "no temp files",
           "rows removed by filter < 1_000", "buffers<2,000", "chunks < 3"]
[queries.other]
sql = "VALUES (1)"
)toml");
  REQUIRE(profile.queries.size() == 2);
  const DeclaredQuery& query = profile.queries[0];
  CHECK(query.name == "orders");
  CHECK(query.parameters == std::vector<std::string>{"2026-01-01 00:00Z", "it's", "50"});
  CHECK(query.weight == 2.5);
  CHECK(query.max_latency == std::chrono::milliseconds(50));
  CHECK(to_string(query.where) == "p.toml:3:10");
  CHECK(to_string(query.sql_where) == "p.toml:4:7");
  REQUIRE(query.expects.size() == 7);
  CHECK(query.expects[0].kind == Kind::index);
  CHECK(query.expects[0].object == ObjectName{"app", "idx_a"});
  CHECK(query.expects[1].kind == Kind::no_seq_scan);
  CHECK(query.expects[1].object == ObjectName{"audit", "events"});
  CHECK(query.expects[1].text == "No  seq scan ON  audit.events");
  CHECK(query.expects[2].kind == Kind::no_sort);
  CHECK(query.expects[3].kind == Kind::no_temp_files);
  CHECK(query.expects[4].limit == 1000);
  CHECK(query.expects[5].limit == 2000);
  CHECK(query.expects[6].kind == Kind::max_chunks);
  CHECK(to_string(query.expects[4].where) == "p.toml:9:12");
  CHECK(profile.queries[1].weight == 1);
  CHECK_FALSE(profile.queries[1].max_latency);
}

TEST_CASE("what is wrong with a query is said with its place and what is accepted, all at once") {
  struct Case {
    std::string text;
    std::string problems;
  };
  const std::string all =
      " | what can be expected: \"index:NAME\", \"no seq scan on TABLE\", \"no sort\", \"no temp files\", "
      "\"rows "
      "removed by filter < N\", \"buffers < N\", \"chunks < N\"";
  const std::string query = "[queries.q]\nsql = 'SELECT 1'\n";
  const Case cases[] = {
      {"[queries.q]\n", "p.toml:1:10: [queries.q] has no sql"},
      {"[queries]\nq = 1\n", "p.toml:2:5: [queries.q] must be a table, not 1"},
      {"queries = 1\n", "p.toml:1:11: [queries] must be a table, not 1"},
      {query + "wieght = 1\n",
       "p.toml:3:1: unknown key \"wieght\" in [queries.q] | did you mean \"weight\"?"},
      {query + "weight = 0\n",
       "p.toml:3:10: [queries.q] weight must be a number from 0.001 to 1000000, not 0"},
      {query + "max_latency = 50\n",
       "p.toml:3:15: [queries.q] max_latency must be a duration of at least 1ms such as \"500ms\", \"10s\", "
       "\"5min\", not 50"},
      {query + "parameters = 1\n",
       "p.toml:3:14: [queries.q] parameters must be an array, such as [\"2026-01-01 00:00Z\", 50]: $1, $2 "
       "and "
       "on"},
      {query + "parameters = [[1]]\n",
       "p.toml:3:14: [queries.q] parameters has 1 for a statement without $1\np.toml:3:15: [queries.q] "
       "parameters must be a number, a string, true or false, not an array"},
      {query + "expects = 'no sort'\n",
       "p.toml:3:11: [queries.q] expects must be an array of strings, such as [\"index:NAME\", \"no sort\"]"},
      {query + "expects = ['no srot']\n",
       "p.toml:3:12: [queries.q] expects has an expectation that kdb does not know: \"no srot\" | did you "
       "mean "
       "\"no sort\"?"},
      {query + "expects = ['indx:a']\n",
       "p.toml:3:12: [queries.q] expects has an expectation that kdb does not know: \"indx:a\" | did you "
       "mean "
       "\"index:NAME\"?"},
      {query + "expects = ['no seqscan on events']\n",
       "p.toml:3:12: [queries.q] expects has an expectation that kdb does not know: \"no seqscan on events\" "
       "| "
       "did you mean \"no seq scan on TABLE\"?"},
      {query + "expects = ['bufers < 5']\n",
       "p.toml:3:12: [queries.q] expects has an expectation that kdb does not know: \"bufers < 5\" | did you "
       "mean \"buffers < N\"?"},
      {query + "expects = ['fast']\n",
       "p.toml:3:12: [queries.q] expects has an expectation that kdb does not know: \"fast\"" + all},
      {query + "expects = ['index:']\n",
       "p.toml:3:12: [queries.q] expects names nothing: \"index:NAME\" is its form"},
      {query + "expects = ['no sorts']\n",
       "p.toml:3:12: [queries.q] expects has an expectation that kdb does not know: \"no sorts\" | did you "
       "mean "
       "\"no sort\"?"},
      {query + "expects = ['no sort at all']\n",
       "p.toml:3:12: [queries.q] expects has something behind \"no sort\": at all"},
      {query + "expects = ['buffers < many']\n",
       "p.toml:3:12: [queries.q] expects takes a whole number, as in \"buffers < N\", not \"many\""},
      {query + "expects = ['chunks < -1']\n",
       "p.toml:3:12: [queries.q] expects takes a whole number, as in \"chunks < N\", not \"-1\""},
      {query + "weight = 'x'\nexpects = [1, 'no sort', 'nosort']\nstate = 'gone'\n",
       "p.toml:3:10: [queries.q] weight must be a number from 0.001 to 1000000, not \"x\""
       "\np.toml:4:12: [queries.q] expects must be a string, not 1"
       "\np.toml:4:26: [queries.q] expects has an expectation that kdb does not know: \"nosort\" | did you "
       "mean "
       "\"no sort\"?"
       "\np.toml:5:9: [queries.q] state must be one of \"present\", \"absent\", not \"gone\""},
      {"[qeuries.q]\nsql = 'SELECT 1'\n",
       "p.toml:1:2: unknown key \"qeuries\" in the profile | did you mean \"queries\"?"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.text);
    CHECK(problems_of([&] { parse(row.text); }) == row.problems);
  }
}

TEST_CASE("a query is one statement that reads") {
  struct Case {
    std::string sql;
    std::string problem;  // behind "p.toml:3:7: [queries.q] sql "; empty: it is one
  };
  const Case cases[] = {
      {"SELECT 1", ""},
      {"select 1;", ""},
      {"-- why\nSELECT 1 -- what", ""},
      {"VALUES (1), (2)", ""},
      {"TABLE events", ""},
      {"(SELECT 1) UNION (SELECT 2)", ""},
      {"WITH a AS (SELECT 1), b AS MATERIALIZED (TABLE a) SELECT * FROM b", ""},
      {"SELECT 'FOR UPDATE', \"into\" FROM t WHERE (\"update\" = 1)", ""},
      {"SELECT max(update) FROM (SELECT update FROM t) u", ""},
      {"SELECT substring('abc' FROM 1 FOR 2)", ""},
      {"", "may not be empty"},
      {" -- nothing", "has no statement"},
      {"SELECT 1; SELECT 2", "must be one statement, and is 2"},
      {"SELECT 'x", "cannot be read: unterminated quoted string (line 1, column 8 of it)"},
      {"DELETE FROM t", "is DELETE: only SELECT, VALUES, TABLE and WITH are explained"},
      {"EXPLAIN SELECT 1", "is EXPLAIN: only SELECT, VALUES, TABLE and WITH are explained"},
      {"CALL f()", "is CALL: only SELECT, VALUES, TABLE and WITH are explained"},
      {"WITH a AS (SELECT 1) INSERT INTO t TABLE a",
       "is INSERT: only SELECT, VALUES, TABLE and WITH are explained"},
      {"WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone", "changes data: it has DELETE in it"},
      {"WITH a AS NOT MATERIALIZED (INSERT INTO t VALUES (1) RETURNING *) TABLE a",
       "changes data: it has INSERT in it"},
      {"WITH a AS (UPDATE t SET x = 1 RETURNING *) TABLE a", "changes data: it has UPDATE in it"},
      {"SELECT * FROM t FOR UPDATE", "locks rows: it has FOR UPDATE in it"},
      {"SELECT * FROM (SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED) u",
       "locks rows: it has FOR NO KEY UPDATE in it"},
      {"SELECT * FROM t FOR SHARE", "locks rows: it has FOR SHARE in it"},
      {"SELECT * FROM t FOR KEY SHARE", "locks rows: it has FOR KEY SHARE in it"},
      {"SELECT * INTO copy FROM t", "makes a table: it has INTO in it"},
      {"WITH a AS (SELECT 1) SELECT * INTO copy FROM a", "makes a table: it has INTO in it"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.sql);
    const std::string problems = problems_with(row.sql);
    CHECK(problems.substr(0, problems.find(" | ")) ==
          (row.problem.empty() ? "" : "p.toml:3:7: [queries.q] sql " + row.problem));
  }
}

TEST_CASE("a query is given the parameters that it has") {
  struct Case {
    std::string sql;
    std::string parameters;
    std::string problem;
  };
  const Case cases[] = {
      {"SELECT $1, $2, $1", "[1, true]", ""},
      {"SELECT '$1', $a$ $2 $a$", "[]", ""},
      {"SELECT $1", "[]", "has 0 for a statement with $1"},
      {"SELECT 1", "[1]", "has 1 for a statement without $1"},
      {"SELECT $2", "[1, 2]", "has 2, and the statement does not use $1"},
      {"SELECT $3, $1", "[1, 2]", "has 2 for a statement with $3"},
      {"SELECT $99999999999999999999", "[1]", "has 1 for a statement with $65536"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.sql);
    CHECK(problems_with(row.sql, row.parameters) ==
          (row.problem.empty() ? "" : "p.toml:2:14: [queries.q] parameters " + row.problem));
  }
}

TEST_CASE("a file that extends another sets single keys of its queries, or takes one away") {
  const test::TempDir folder;
  folder.write("base.toml", R"([queries.a]
sql = "SELECT $1"
parameters = [1]
expects = ["no sort"]
[queries.b]
sql = "SELECT 2"
[queries.c]
sql = "SELECT 3; SELECT 4"
)");
  const auto path = folder.write("app.toml", R"(extends = ["base.toml"]
[database]
schema = "app"
[queries.a]
parameters = ["x"]
expects = ["index:i"]
[queries.b]
state = "absent"
[queries.c]
sql = "SELECT 3"
)");
  const Profile profile = read_profile(path.string(), true, environment);
  REQUIRE(profile.queries.size() == 2);
  CHECK(profile.queries[0].sql == "SELECT $1");
  CHECK(profile.queries[0].parameters == std::vector<std::string>{"x"});
  REQUIRE(profile.queries[0].expects.size() == 1);
  CHECK(profile.queries[0].expects[0].object == ObjectName{"app", "i"});
  CHECK(profile.queries[1].name == "c");
}

TEST_CASE("the queries of the dashboard are declared for every profile that comes with kdb") {
  for (const char* name :
       {"default", "timescaledb", "recommended", "recommended_plain", "rollups", "baseline", "literal"}) {
    CAPTURE(name);
    const std::string path = std::string(KDB_SOURCE_DIR) + "/profiles/" + name + ".toml";
    CHECK(read_profile(path, true, environment).queries.size() == 16);
  }
}

}  // namespace kdb::files::query_profile_test
