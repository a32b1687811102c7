// What lint says of a profile's hypertables, its indexes and its queries taken together: each reason for
// which the stated design was slow, and what must not be called one.

#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "files/profile.hpp"
#include "lint/query_shape.hpp"
#include "support/linted.hpp"
#include "support/text.hpp"

namespace kdb::lint_profile_test {

namespace {

using Places = std::vector<std::string>;

constexpr const char* events =
    "create table ev (id text not null, metric text not null, who text, at timestamptz not null, value "
    "numeric,\n"
    "  doc jsonb, raw bytea, primary key (id, metric, at));";

lint::Judgement judged(const std::string& text, const std::string& sql = events) {
  const files::Profile profile =
      files::parse_profile(text, "p.toml", [](const std::string&) { return std::nullopt; });
  lint::Input input{.desired = &profile.desired,
                    .queries = &profile.queries,
                    .settings = &profile.server.settings,
                    .commented = &profile.commented,
                    .profile = "p.toml"};
  if (!sql.empty()) input.migrations.push_back(test::migration_of(test::up(sql)));
  return lint::check(input);
}

/// `LINE:COLUMN` of what a rule finds, with the table of events above.
Places found(std::string_view rule, const std::string& text, const std::string& sql = events) {
  return test::places(judged(text, sql), rule);
}

std::string message(std::string_view rule, const std::string& text, const std::string& sql = events) {
  for (const Finding& finding : judged(text, sql).findings)
    if (finding.rule == rule) return finding.problem.message;
  return {};
}

const std::string hypertable = "[hypertables.ev]\ntime_column = \"at\"\n";

std::string store(const std::string& members) {
  return hypertable + "columnstore = { compress_after = \"90 days\"" + members + " }\n";
}

std::string index(const std::string& name, const std::string& members) {
  return "[indexes." + name + "]\ntable = \"ev\"\n" + members + "\n";
}

std::string query(const std::string& sql, const std::string& more = "") {
  return "[queries.q]\nsql = '''" + sql + "'''\n" + more;
}

}  // namespace

TEST_CASE("a columnstore says itself how it is segmented and sorted") {
  const std::string good = ", segment_by = [\"metric\"], order_by = [\"at DESC\"]";
  for (const std::string rule : {"columnstore-without-segment-by", "columnstore-without-order-by"}) {
    CHECK(found(rule, store("")) == Places{"3:15"});
    CHECK(found(rule, store(good)).empty());
    CHECK(found(rule, store(", segment_by = [], order_by = [\"at\"]")).empty());
    CHECK(found(rule, hypertable).empty());
    CHECK(found(rule, hypertable + "columnstore = false\n").empty());
  }
  const auto order = [](const std::string& more) {
    return test::has(message("columnstore-without-order-by", store("") + more), "54000");
  };
  CHECK_FALSE(order(""));
  CHECK_FALSE(order(index("a", "columns = [\"metric\", \"at\"]")));
  CHECK_FALSE(order("[indexes.a]\ntable = \"other\"\nmethod = \"gin\"\ncolumns = [\"doc\"]\n"));
  CHECK_FALSE(order(index("a", "method = \"gin\"\ncolumns = [\"(doc -> 'x')\"]")));
  CHECK(order(index("a", "method = \"gin\"\ncolumns = [\"doc jsonb_path_ops\"]")));
  CHECK(order(index("a", "method = \"hash\"\ncolumns = [\"raw\"]")));
}

TEST_CASE("a segment is not what each row has alone") {
  const auto segment = [](const std::string& columns, const std::string& more = "",
                          const std::string& sql = events) {
    return found("segment-by-unique", store(", order_by = [\"value\"], segment_by = " + columns) + more, sql);
  };
  CHECK(segment("[\"id\"]") == Places{"3:80"});
  CHECK(segment("[\"metric\", \"id\"]") == Places{"3:80"});
  CHECK(segment("[\"at\"]", "", "") == Places{"3:80"});
  CHECK(segment("[\"who\"]", index("u", "unique = true\ncolumns = [\"who\"]")).size() == 1);
  CHECK(segment("[\"who\"]", "", "create table ev (who text unique, at timestamptz);").size() == 1);
  CHECK(
      segment("[\"who\"]", "", "create table ev (who text, at timestamptz); alter table ev add unique (who);")
          .size() == 1);
  CHECK(segment("[\"metric\"]").empty());
  CHECK(segment("[\"who\"]", index("u", "unique = true\ncolumns = [\"who\", \"at\"]")).empty());
  CHECK(
      segment("[\"who\"]", index("u", "unique = true\ncolumns = [\"who\"]\nwhere = \"value > 0\"")).empty());
  // One device's rows are many: the usual key of a hypertable.
  CHECK(segment("[\"device\"]", "", "create table ev (device int, at timestamptz, primary key (device, at));")
            .empty());
  CHECK(segment("[\"who\"]", "",
                "create table ev (who text, at timestamptz, constraint k unique (who)); alter table ev drop "
                "constraint k;")
            .empty());
  CHECK(segment("[\"id\"]", "", "").empty());  // nobody knows what it is
}

TEST_CASE("hundreds of chunks are too many where jit is on") {
  const auto chunks = [](const std::string& interval, const std::string& more) {
    return found("many-chunks-with-jit", hypertable + "chunk_interval = \"" + interval + "\"\n" + more);
  };
  const std::string years = "retention = { drop_after = \"2 years\" }\n";
  const std::string four = "dimensions = [{ column = \"metric\", partitions = 4 }]\n";
  CHECK(chunks("7 days", years + four) == Places{"3:18"});
  CHECK(
      test::has(message("many-chunks-with-jit", hypertable + "chunk_interval = \"7 days\"\n" + years + four),
                "comes to 420 chunks (7 days in 2 years, 4 partitions each)"));
  CHECK(chunks("1 day", years).size() == 1);
  CHECK(chunks("7 days", years).empty());  // 105
  CHECK(chunks("7 days", four).empty());   // kept for ever, or dropped by somebody else
  CHECK(chunks("30 days", years + four).empty());
  CHECK(chunks("1 hour", "retention = { drop_after = \"1 week\" }\n").empty());
  CHECK(found("many-chunks-with-jit", hypertable + years + four).empty());
  const std::string many = "dimensions = [{ column = \"metric\", partitions = 5000 }]\n";
  CHECK(test::has(message("many-chunks-with-jit", hypertable + "chunk_interval = \"1 minute\"\n" +
                                                      "retention = { drop_after = \"1 year\" }\n" + many),
                  "comes to 2629750000 chunks"));
  for (const std::string off : {"[server.settings]\njit = false\n", "[server.settings]\njit = \"off\"\n",
                                "[roles.r]\nsettings = { jit = \"off\" }\n"}) {
    CAPTURE(off);
    CHECK(chunks("7 days", years + four + off).empty());
  }
  CHECK(chunks("7 days", years + four + "[server.settings]\njit = true\n").size() == 1);
}

TEST_CASE("partitions by hash are of no use in one tablespace") {
  const auto space = [](const std::string& dimension, const std::string& more = "") {
    return found("space-dimension", hypertable + "dimensions = [" + dimension + "]\n" + more);
  };
  const std::string four = "{ column = \"metric\", partitions = 4 }";
  CHECK(space(four) == Places{"3:14"});
  CHECK(space(four, "tablespaces = [\"a\", \"b\"]\n").empty());
  CHECK(space("{ column = \"metric\", partitions = 1 }").empty());
  CHECK(space("{ column = \"n\", interval = 100 }").empty());
  CHECK(found("space-dimension", hypertable).empty());
}

TEST_CASE("a document is in no btree index, included or not") {
  const auto document = [](const std::string& members) {
    return found("index-include-unbounded", index("a", members));
  };
  CHECK(document("columns = [\"metric\", \"doc\"]") == Places{"3:11"});
  CHECK(document("columns = [\"raw DESC\"]") == Places{"3:11"});
  CHECK(document("columns = [\"(doc ->> 'x')\"]").empty());
  CHECK(document("method = \"gin\"\ncolumns = [\"doc\"]").empty());
  CHECK(document("method = \"hash\"\ncolumns = [\"raw\"]").empty());
  CHECK(document("columns = [\"id\", \"who\"]").empty());  // text: ids are
}

TEST_CASE("a BRIN index beside a btree of the same column finds nothing more") {
  const std::string brin = index("b", "method = \"brin\"\ncolumns = [\"at\"]");
  const auto beside = [&](const std::string& other) { return found("brin-beside-btree", brin + other); };
  CHECK(beside(index("a", "columns = [\"at DESC\", \"who\"]")) == Places{"1:10"});
  CHECK(beside(index("a", "columns = [\"metric\", \"at\"]")).empty());
  CHECK(beside(index("a", "columns = [\"at\"]\nwhere = \"value > 0\"")).empty());
  CHECK(beside(index("a", "method = \"hash\"\ncolumns = [\"at\"]")).empty());
  CHECK(beside("[indexes.a]\ntable = \"other\"\ncolumns = [\"at\"]\n").empty());
  CHECK(beside(index("a", "columns = [\"at\"]\nstate = \"absent\"")).empty());
}

TEST_CASE("the words of a simple query say which rows it wants, and others are left alone") {
  const auto shape = lint::read_shape(
      "SELECT e.id, e.\"At\" FROM public.ev AS e WHERE e.metric = $1 AND (value > 0) AND \"At\" BETWEEN $2 "
      "AND $3 "
      "AND doc @> $4::jsonb AND who IN ('a', 'b') AND not_null ORDER BY e.\"At\" DESC, lower(id) LIMIT 5");
  REQUIRE(shape);
  CHECK(shape->table == "public.ev");
  std::string conditions;
  for (const lint::QueryCondition& one : shape->conditions)
    conditions += one.column + " " + one.op + (one.fixes ? " fixed" : "") + "|";
  CHECK(conditions == "metric = fixed|value >|At between|doc @>|who in|not_null |");
  CHECK(shape->conditions[1].text == "value > 0");
  CHECK(shape->order == Places{"At", ""});
  CHECK(shape->limited);
  CHECK(shape->rows);
  for (const std::string other :
       {"select 1", "select * from a, b where x = 1", "select * from a join b using (x) where y = 1",
        "select * from a where x = 1 or y = 2", "select * from a where not x = 1",
        "select * from a where lower(x) = 'y'", "select * from a where x = (select 1)",
        "select * from f(1) where x = 1", "select * from a where x = 1 union select * from a",
        "with c as (select 1) select * from c where x = 1", "update a set x = 1", "values (1)", "",
        "select * from (select 1) a where x = 1", "select * from a where (x, y) = (1, 2)"}) {
    CAPTURE(other);
    CHECK_FALSE(lint::read_shape(other));
  }
  for (const std::string value : {"other", "$1 + 1", "any ($1)", "n", "coalesce($1, 2)"})
    CHECK(lint::fixed_columns(*lint::read_shape("select * from a where x = " + value)).empty());
  for (const std::string value : {"$1", "'a'", "-7", "$1::int", "true", "('a')::text is null"})
    CHECK(lint::fixed_columns(*lint::read_shape("select * from a where x = " + value)).size() ==
          (value.front() == '(' ? 0 : 1));
  CHECK_FALSE(lint::read_shape("select count(*) from a where x = 1")->rows);
  CHECK_FALSE(lint::read_shape("select x from a group by x")->rows);
}

TEST_CASE("a declared query has an index that begins with what it looks for") {
  const auto served = [](const std::string& sql, const std::string& more = "",
                         const std::string& table = events) {
    return found("query-without-index", query(sql, "parameters = ['x']\n") + more, table);
  };
  const std::string by_who = "SELECT * FROM ev WHERE who = $1";
  CHECK(served(by_who) == Places{"1:10"});
  CHECK(served(by_who, index("a", "columns = [\"who\"]")).empty());
  CHECK(served(by_who, index("a", "columns = [\"lower(who)\"]")).empty());  // it may be the same
  CHECK(served(by_who, index("a", "columns = [\"metric\", \"who\"]")).size() == 1);
  CHECK(served(by_who, index("a", "method = \"brin\"\ncolumns = [\"at\", \"who\"]")).empty());
  CHECK(served(by_who, "", std::string(events) + "create index on ev (who, at);").empty());
  CHECK(served(by_who, "", "").empty());  // it may have any
  CHECK(served("SELECT * FROM ev WHERE id = $1").empty());
  CHECK(served("SELECT * FROM ev WHERE lower(who) = $1").empty());
  CHECK(served("SELECT * FROM ev WHERE who = $1 OR id = $1").empty());
  CHECK(served("SELECT * FROM ev WHERE who = $1 AND at > now()", hypertable).empty());  // of few chunks
  CHECK(served("SELECT count(*), $1 FROM ev").empty());
}

TEST_CASE("a table whose indexes are not all known, or are renamed, is not said to have none") {
  const auto served = [](const std::string& sql) {
    return found("query-without-index",
                 query("SELECT * FROM t WHERE b = $1 AND at > now()", "parameters = ['x']\n"), sql);
  };
  const std::string table = "create table t (a text, b text, at timestamptz not null);";
  CHECK(served(table) == Places{"1:10"});
  CHECK(served("create table t (a text, c text, at timestamptz, unique (c)); alter table t rename c to b;")
            .empty());
  CHECK(served("create table t (like u including all, at timestamptz);").empty());
  CHECK(served("create table t (like u including indexes);").empty());
  CHECK(served("create table t (like u including defaults);").size() == 1);
  CHECK(served("create table t partition of u for values in (1);").empty());
  CHECK(served(table + "select create_hypertable('t', 'at');").empty());
  CHECK(served(table + "create index on t using brin (a, b);").empty());
  CHECK(served(table + "create index on t using btree (a, b);").size() == 1);
}

TEST_CASE("an index begins with what a query fixes and goes on in its order") {
  const auto order = [](const std::string& indexes, const std::string& sql) {
    return found("index-column-order", indexes + query(sql, "parameters = ['x']\n"));
  };
  const std::string newest = "SELECT id FROM ev WHERE who = $1 ORDER BY at DESC LIMIT 50";
  const std::string largest =
      "SELECT id FROM ev WHERE metric = $1 AND value > 0 ORDER BY value DESC LIMIT 50";
  const std::string between = index("a", "columns = [\"who\", \"metric\", \"at DESC\"]");
  const std::string high = index("h", "columns = [\"value DESC\", \"at DESC\"]\nwhere = \"value > 0\"");
  CHECK(order(between, newest) == Places{"3:11"});
  CHECK(order(high, largest) == Places{"3:11"});
  CHECK(order(between + index("b", "columns = [\"who\", \"at\"]"), newest).empty());
  CHECK(order(high + index("b", "columns = [\"metric\", \"value\"]"), largest).empty());
  CHECK(order(index("a", "columns = [\"who\", \"at DESC\"]"), newest).empty());
  // Not meant for it.
  CHECK(order(index("a", "columns = [\"metric\", \"at\"]"), newest).empty());
  CHECK(order(index("a", "columns = [\"who\", \"metric\"]"), newest).empty());
  CHECK(order(index("h", "columns = [\"value\"]\nwhere = \"value > 100\""), largest).empty());
  // One row has no order.
  const std::string newest_id = "SELECT who FROM ev WHERE id = $1 ORDER BY at DESC LIMIT 1";
  const std::string at = index("a", "columns = [\"at\"]");
  CHECK(order(at, newest_id) == Places{"3:11"});
  CHECK(order(at + index("u", "unique = true\ncolumns = [\"id\"]"), newest_id).empty());
  CHECK(
      order(at + index("u", "unique = true\ncolumns = [\"id\"]\nwhere = \"value > 0\""), newest_id).size() ==
      1);
  CHECK(found("index-column-order", at + query(newest_id, "parameters = ['x']\n"),
              "create table ev (id int primary key, at timestamptz, who text);")
            .empty());
  // Without a limit, or grouped, all rows are wanted.
  CHECK(order(between, "SELECT id FROM ev WHERE who = $1 ORDER BY at DESC").empty());
  CHECK(order(between, "SELECT at, count(*) FROM ev WHERE who = $1 GROUP BY at ORDER BY at LIMIT 5").empty());
  CHECK(order(between, "SELECT id FROM ev WHERE who = $1 ORDER BY who LIMIT 5").empty());
}

TEST_CASE("a lookup by a key is asked of every chunk, unless it says when") {
  const std::string chunks =
      "[hypertables.ev]\ntime_column = \"at\"\nchunk_interval = \"7 days\"\nretention = { drop_after = \"1 "
      "year\" }\n";
  const std::string compressed =
      "columnstore = { segment_by = [\"metric\"], order_by = [\"at\"], compress_after = \"30 days\" }\n";
  const auto lookup = [&](const std::string& sql, const std::string& text) {
    return found("lookup-in-every-chunk", text + query(sql, "parameters = ['x']\n"));
  };
  const std::string by_id = "SELECT * FROM ev WHERE id = $1";
  CHECK(lookup(by_id, chunks) == Places{"1:14"});
  const auto text = [&](const std::string& more) {
    return message("lookup-in-every-chunk", chunks + more + query(by_id, "parameters = ['x']\n"));
  };
  CHECK(test::has(text(""), "query q looks for one id in all 53 chunks of ev"));
  CHECK_FALSE(test::has(text(""), "columnstore"));
  CHECK(test::has(text(compressed), "columnstore"));
  CHECK(lookup(by_id + " AND at > '2026-01-01'", chunks).empty());
  CHECK(lookup("SELECT * FROM ev WHERE who = $1", chunks).empty());  // may have rows in each
  CHECK(lookup("SELECT count(*) FROM ev WHERE id = $1", chunks).empty());
  CHECK(lookup("SELECT * FROM other WHERE id = $1", chunks).empty());
  CHECK(lookup("SELECT * FROM ev WHERE id = $1 ORDER BY at DESC LIMIT 1", chunks).empty());
  CHECK(lookup(by_id,
               "[hypertables.ev]\ntime_column = \"at\"\nchunk_interval = \"30 days\"\n"
               "retention = { drop_after = \"90 days\" }\n")
            .empty());
  // By the commonest key many rows are looked for; one's own row by its id, or by what was a key alone.
  const auto by_key = [&](const std::string& sql, const std::string& column, const std::string& more = "") {
    return found(
        "lookup-in-every-chunk",
        chunks + more + query("SELECT at, value FROM ev WHERE " + column + " = $1", "parameters = ['x']\n"),
        sql);
  };
  const std::string devices = "create table ev (device_id int, at timestamptz, value int";
  CHECK(by_key(devices + ", primary key (device_id, at));", "device_id").empty());
  CHECK(by_key(devices + " primary key);", "value").size() == 1);
  CHECK(by_key(devices + ", constraint k primary key (device_id)); alter table ev drop constraint k; alter "
                         "table ev add primary key (device_id, at);",
               "device_id")
            .size() == 1);
  CHECK(by_key(devices + ", id int, primary key (id, device_id, at));", "id").size() == 1);
  CHECK(by_key(devices + ", ev_id int, primary key (ev_id, at));", "ev_id").size() == 1);
  CHECK(by_key(devices + ", id int, primary key (id, at));", "id",
               "dimensions = [{ column = \"id\", partitions = 4 }]\n")
            .empty());
}

TEST_CASE("a GIN index that is asked for one key is larger than that key's") {
  const std::string gin = index("g", "method = \"gin\"\ncolumns = [\"doc jsonb_path_ops\"]");
  const auto asked = [&](const std::vector<std::pair<std::string, std::string>>& queries) {
    std::string text = gin;
    for (const auto& [condition, parameter] : queries)
      text += "[queries.q" + std::to_string(text.size()) + "]\nsql = '''SELECT id FROM ev WHERE " +
              condition + "'''\nparameters = ['''" + parameter + "''']\n";
    return found("gin-for-one-key", text);
  };
  const std::string by = "doc @> $1::jsonb";
  CHECK(asked({{by, R"({"$message": "x"})"}}) == Places{"1:10"});
  CHECK(asked({{by, R"({"a": 1})"}, {by + " AND at > now()", R"( { "a" : true } )"}}).size() == 1);
  CHECK(asked({{by, R"({"a": 1})"}, {by, R"({"b": 1})"}}).empty());
  CHECK(asked({{by, R"({"a": 1, "b": 2})"}}).empty());
  CHECK(asked({{by, R"({"a": {"b": 2}})"}}).empty());
  CHECK(asked({{by, R"({"a": [2]})"}}).empty());
  CHECK(asked({{by, R"({"a\"b": 1})"}}).size() == 1);
  CHECK(asked({{by, "{}"}}).empty());
  CHECK(asked({{by, R"({"a": 1})"}, {"doc ? $1", "b"}}).empty());
  CHECK(asked({{by, R"({"a": 1})"}, {"doc @> $1::jsonb OR id = 'x'", R"({"a": 1})"}}).empty());
  CHECK(asked({{"id = $1", "x"}}).empty());
  CHECK(found("gin-for-one-key", gin).empty());
}

TEST_CASE("a comment of a profile keeps a rule quiet where it stands, and is itself judged") {
  const std::string redundant = "[indexes.b]\ntable = \"t\"\ncolumns = [\"x\", \"y\"]\n";
  const std::string a = "table = \"t\"\ncolumns = [\"x\"]\n";
  struct Case {
    std::string text;
    Places places;
    size_t suppressed = 0;
  };
  const Case cases[] = {
      {redundant + "[indexes.a]\n" + a, {"redundant-index 4:10"}},
      {redundant + "# kdb:ignore redundant-index: small\n[indexes.a]\n" + a, {}, 1},
      {redundant + "[indexes.a] # kdb:ignore redundant-index: small\n" + a, {}, 1},
      {"# kdb:ignore-file redundant-index: small\n" + redundant + "[indexes.a]\n" + a, {}, 1},
      {"# kdb:ignore redundant-index: small\n" + redundant + "[indexes.a]\n" + a,
       {"unused-ignore 1:1", "redundant-index 5:10"}},
      {redundant + "# kdb:ignore redundant-index\n[indexes.a]\n" + a, {"ignore-without-reason 4:1"}, 1},
      {redundant + "# kdb:ignore redundant-indexes: x\n[indexes.a]\n" + a,
       {"unused-ignore 4:1", "redundant-index 5:10"}},
      {redundant + "# kdb:ignore-file redundant-index: x\n[indexes.a]\n" + a,
       {"unused-ignore 4:1", "redundant-index 5:10"}},
      // Of a server's rule nobody can tell here.
      {"# kdb:ignore few-rows-per-segment: x\n[tables.t]\n", {}},
      // In a string it is none.
      {redundant + "[indexes.a]\n" + a + "comment = '''\n# kdb:ignore redundant-index: x\n'''\n",
       {"redundant-index 4:10"}},
      {redundant + "[indexes.a]\n" + a + "comment = \"\\\"# kdb:ignore redundant-index: x\"\n",
       {"redundant-index 4:10"}},
      // A key, and a line in the middle of a value.
      {"[indexes.a]\ntable = \"ev\"\n# kdb:ignore index-include-unbounded: short\ncolumns = "
       "[\n\"metric\",\n\"doc\"]\n",
       {},
       1},
      {"[indexes.a]\ntable = \"ev\"\ncolumns = [\n# kdb:ignore index-include-unbounded: x\n\"doc\"]\n",
       {"index-include-unbounded 3:11", "unused-ignore 4:1"}},
  };
  for (const Case& row : cases) {
    CAPTURE(row.text);
    const lint::Judgement judgement = judged(row.text);
    CHECK(test::places(judgement) == row.places);
    CHECK(judgement.suppressed == row.suppressed);
  }
}

TEST_CASE("a comment is called useless only where all that it may be about was looked at") {
  const std::vector<SourceText> commented = {
      {"p.toml", "# kdb:ignore redundant-index: small\n[indexes.a]\n"}};
  const DesiredSchema desired;
  const LiveSchema live;
  const std::map<ObjectName, TableStatistics> statistics;
  lint::Input input{.desired = &desired, .commented = &commented, .profile = "p.toml"};
  CHECK(test::places(lint::check(input)) == Places{"unused-ignore 1:1"});
  input.profile = "other.toml";  // which extends this one, and may do without the index
  CHECK(lint::check(input).findings.empty());
  input.profile = "p.toml";
  input.live = &live;  // a plan knows no migrations
  input.statistics = &statistics;
  CHECK(lint::check(input).findings.empty());
}

TEST_CASE("a plan heeds the comments of a profile too") {
  const std::string text =
      "[indexes.b]\ntable = \"t\"\ncolumns = [\"x\", \"y\"]\n"
      "# kdb:ignore redundant-index: small\n[indexes.a]\ntable = \"t\"\ncolumns = [\"x\"]\n";
  const files::Profile profile =
      files::parse_profile(text, "p.toml", [](const std::string&) { return std::nullopt; });
  const LiveSchema live;
  const std::map<ObjectName, TableStatistics> statistics;
  lint::Input input{.desired = &profile.desired, .live = &live, .statistics = &statistics};
  CHECK(test::places(lint::check(input)) == Places{"redundant-index 5:10"});
  input.commented = &profile.commented;
  CHECK(lint::check(input).findings.empty());
  CHECK(lint::check(input).suppressed == 1);
}

}  // namespace kdb::lint_profile_test
