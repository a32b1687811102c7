#include <doctest/doctest.h>

#include "core/profile_text.hpp"
#include "files/profile.hpp"
#include "support/problems.hpp"

namespace kdb::files::profile_objects_test {

namespace {

std::optional<std::string> no_environment(const std::string&) { return std::nullopt; }

Profile parse(std::string_view text) { return parse_profile(text, "p.toml", no_environment); }
std::string problems(std::string_view text) {
  return test::problems_of([&] { parse(text); });
}

}  // namespace

TEST_CASE("an index of a profile") {
  const Profile profile = parse(R"(
[database]
schema = "app"

[indexes.idx_high]
table = "events"
method = "gin"
columns = ["value DESC", "(lower(name)) text_pattern_ops"]
include = ["id"]
where = "value > 0"
unique = true
nulls_not_distinct = true
with = { fillfactor = 70, fastupdate = false, buffering = "auto" }
tablespace = "fast"
statistics = { 2 = 500 }
comment = "why"

[indexes.idx_gone]
table = "audit.log"
columns = ["at"]
state = "absent"
)");
  const auto& indexes = profile.desired.of<Index>();
  REQUIRE(indexes.size() == 2);
  const Index& high = indexes[0].value;
  CHECK(high.name == ObjectName{"app", "idx_high"});
  CHECK(high.table == ObjectName{"app", "events"});
  CHECK(high.method == "gin");
  CHECK(high.columns == std::vector<Fragment>{{"value DESC"}, {"(lower(name)) text_pattern_ops"}});
  CHECK(high.include == std::vector<Fragment>{{"id"}});
  CHECK(high.where.sql == "value > 0");
  CHECK(high.unique);
  CHECK(high.nulls_not_distinct);
  CHECK(high.with == Options{{"buffering", "auto"}, {"fastupdate", "false"}, {"fillfactor", "70"}});
  CHECK(high.tablespace == "fast");
  CHECK(high.statistics == Options{{"2", "500"}});
  CHECK(high.comment == "why");
  CHECK_FALSE(indexes[0].absent);
  CHECK(indexes[0].sets("where"));
  CHECK_FALSE(indexes[1].sets("where"));
  CHECK(indexes[1].where_of("columns").line == 20);
  CHECK(indexes[1].absent);
  CHECK(indexes[1].value.name == ObjectName{"audit", "idx_gone"});
}

TEST_CASE("every mistake of every object is reported, in the order of the file") {
  CHECK(problems(R"([indexes.a]
tabel = "t"
columns = ["x); DROP TABLE y; --", "a, b", 1]
where = 5
unique = "yes"
with = { fillfactor = [1] }
state = "gone"
[indexes.b]
table = "a.b.c"
columns = []
nulls_not_distinct = true
statistics = { 9 = 5 }
[indexes.c]
columns = "a"
)") ==
        R"(p.toml:1:10: [indexes.a] table is missing: which table is indexed
p.toml:2:1: unknown key "tabel" in [indexes.a] | did you mean "table"?
p.toml:3:12: [indexes.a] columns has a ) too many: x); DROP TABLE y; --
p.toml:3:36: [indexes.a] columns has a comma: each entry of the list is one column or expression: a, b
p.toml:3:44: [indexes.a] columns must be a string, not 1
p.toml:4:9: [indexes.a] where must be a string, not 5
p.toml:5:10: [indexes.a] unique must be true or false, not a string
p.toml:6:23: [indexes.a] with.fillfactor must be a number, a string, true or false, not an array
p.toml:7:9: [indexes.a] state must be one of "present", "absent", not "gone"
p.toml:9:9: [indexes.b] table "a.b.c" is no name: it has more than a schema and a name | names are written as in the catalog, schema first: events, audit.events, audit."odd.name"
p.toml:10:11: [indexes.b] columns is missing: what is indexed
p.toml:11:22: [indexes.b] nulls_not_distinct has a meaning only with unique = true
p.toml:12:14: [indexes.b] statistics must give targets (0 to 10000) to columns of the index by number, not 9 = 5
p.toml:13:10: [indexes.c] table is missing: which table is indexed
p.toml:14:11: [indexes.c] columns must be an array of strings, such as ["created_at DESC"])");
}

TEST_CASE("options with a dot may be written without quotes, and have a place each") {
  const Profile profile = parse(R"([tables.t]
storage.fillfactor = 90
storage.toast.autovacuum_enabled = false
)");
  const auto& table = profile.desired.of<TableProperties>().at(0);
  CHECK(table.value.storage == Options{{"fillfactor", "90"}, {"toast.autovacuum_enabled", "false"}});
  CHECK(table.where_of("storage.toast.autovacuum_enabled").line == 3);
}

TEST_CASE("what is written is read back") {
  LiveSchema live;
  Index index{.name = {"audit", "odd.\"name"}, .table = {"audit", "My Table"}};
  index.columns = {{"lower(a) DESC"}, {"(b || '\\${X}\n')"}};
  index.with = {{"fillfactor", "070"}, {"autosummarize", "true"}, {"pages", "128"}};
  index.comment = "it \"is\"\tso";
  live.of<Index>().push_back({.value = index, .facts = {.valid = false}});
  const std::string text = profile_text(live, "public");
  CAPTURE(text);
  const Profile profile = parse(text);
  REQUIRE(profile.desired.of<Index>().size() == 1);
  CHECK(profile.desired.of<Index>()[0].value == index);
}

TEST_CASE("no name ends the comment that it is in") {
  LiveSchema live;
  TableProperties table{.name = {"public", "t"}};
  live.of<TableProperties>().push_back({.value = table, .facts = {.unmanaged = {"a\n[indexes.b]"}}});
  CHECK(profile_text(live, "public") == "# not managed: a\\x0a[indexes.b]\n[tables.t]\n");
  CHECK(profile_text({}, "public").empty());
}

TEST_CASE("what is no table where objects are declared is said once") {
  CHECK(problems("[statistics]\ntable = \"t\"\n[indexes]\na = 5\n") ==
        "p.toml:2:9: [statistics.table] must be a table, not \"t\"\n"
        "p.toml:4:5: [indexes.a] must be a table, not 5");
}

TEST_CASE("mistakes in extensions, tables and statistics are reported at their places") {
  CHECK(problems(R"([extensions.pg_trgm]
version = 1.6
[tables.t]
storage = { "fill factor" = 90 }
statistics = { a = 20000 }
column_storage = { a = "big" }
compression = { a = "zstd" }
replica_identity = "half"
partitions = 5
[statistics.s]
columns = []
kinds = ["mvc"]
target = -1
)") ==
        R"(p.toml:2:11: [extensions.pg_trgm] version must be a string, not 1.6
p.toml:4:11: [tables.t] storage has no parameter named "fill factor"
p.toml:5:14: [tables.t] statistics must give targets from 0 to 10000, not a = 20000
p.toml:6:18: [tables.t] column_storage must be plain, external, extended or main, not a = big
p.toml:7:15: [tables.t] compression must be pglz or lz4, not a = zstd
p.toml:8:20: [tables.t] replica_identity must be default, full, nothing, or index NAME
p.toml:9:1: unknown key "partitions" in [tables.t] | keys of [tables.t]: storage, statistics, column_storage, compression, replica_identity, cluster, tablespace, comment, comments, indexes, state
p.toml:10:13: [statistics.s] table is missing: whose statistics they are
p.toml:11:11: [statistics.s] columns is missing: what they are about
p.toml:12:9: [statistics.s] kinds are ndistinct, dependencies and mcv; "mvc" is none
p.toml:13:10: [statistics.s] target must be an integer from 0 to 2147483647, not -1)");
}

TEST_CASE("a role of a profile, and its mistakes") {
  const Profile profile = parse(R"(
[roles."odd.name"]
settings = { statement_timeout = "30s", jit = false, work_mem = 65536, random_page_cost = 1.1 }
in_database.search_path = '"$user", app'
in_database.my.tag = "x"
)");
  REQUIRE(profile.desired.of<Role>().size() == 1);
  const Role& role = profile.desired.of<Role>()[0].value;
  CHECK(role.name == ObjectName{"", "odd.name"});
  CHECK(role.settings == Options{{"statement_timeout", "30s"},
                                 {"jit", "false"},
                                 {"work_mem", "65536"},
                                 {"random_page_cost", "1.1"}});
  CHECK(role.in_database == Options{{"search_path", "\"$user\", app"}, {"my.tag", "x"}});
  CHECK(problems(R"([roles.r]
settings = { "work mem" = "1MB", search_path = 'a,, b', ".x" = 1, "my.tag" = "free, text" }
in_database = { search_path = '"a' }
setings = {}
[roles.""]
settings = [1]
[roles.pg_monitor]
settings = { "a..b" = 1, "a.1b" = 1, "é.b$1" = 1, work_mem = "1MB", Work_Mem = "2MB", "x.y" = "a\u0000b", z = {} }
[roles.public]
)") == R"(p.toml:2:27: [roles.r] settings.work mem is no name of a setting
p.toml:2:48: [roles.r] settings.search_path is no list of names with commas in between: a,, b
p.toml:2:64: [roles.r] settings..x is no name of a setting
p.toml:3:31: [roles.r] in_database.search_path is no list of names with commas in between: "a
p.toml:4:1: unknown key "setings" in [roles.r] | did you mean "settings"?
p.toml:6:12: [roles.] settings must be a table, not an array
p.toml:8:12: [roles.pg_monitor] settings belong to one of the server's own roles, which nobody alters
p.toml:8:23: [roles.pg_monitor] settings.a..b is no name of a setting
p.toml:8:35: [roles.pg_monitor] settings.a.1b is no name of a setting
p.toml:8:80: [roles.pg_monitor] settings.Work_Mem is there as work_mem too
p.toml:8:95: [roles.pg_monitor] settings.x.y has a NUL byte
p.toml:8:111: [roles.pg_monitor] settings.z must be a number, a string, true or false, not a table
p.toml:9:8: [roles.public] settings belong to no role: this is a word of SQL)");
}

TEST_CASE("a hypertable of a profile") {
  const Profile profile = parse(R"(
[hypertables.klaviyo_events]
time_column = "timestamp"
chunk_interval = "7 days"
dimensions = [{ column = "metric_id", partitions = 4 }, { column = "x", interval = 100, function = "f" }]
columnstore = { segment_by = ["metric_id"], order_by = ["timestamp DESC"], compress_after = "90 days" }
retention = { drop_after = "2 years", schedule_interval = "1 day", initial_start = "2026-01-15 03:00Z" }
reorder = false
)");
  REQUIRE(profile.desired.of<Hypertable>().size() == 1);
  const auto& declared = profile.desired.of<Hypertable>()[0];
  const Hypertable& events = declared.value;
  CHECK(events.name == ObjectName{"public", "klaviyo_events"});
  CHECK(events.chunk_interval.text == "7 days");
  REQUIRE(events.dimensions.size() == 2);
  CHECK(events.dimensions[0] == Dimension{.column = "metric_id", .partitions = 4});
  CHECK(events.dimensions[1].interval.number);
  CHECK(events.dimensions[1].function == ObjectName{"public", "f"});
  REQUIRE(events.columnstore);
  CHECK(events.columnstore->segment_by == std::vector<std::string>{"metric_id"});
  CHECK(events.columnstore->order_by == std::vector<OrderColumn>{{"timestamp", true, true}});
  CHECK(events.columnstore->compress_after.text == "90 days");
  REQUIRE(events.retention);
  CHECK(events.retention->schedule.initial_start.text == "2026-01-15 03:00Z");
  CHECK_FALSE(events.reorder);
  CHECK(declared.sets("reorder"));
  CHECK(declared.sets("retention.drop_after"));
  CHECK(declared.sets("dimensions[2].interval"));
  CHECK_FALSE(declared.sets("columnstore.schedule_interval"));
  CHECK(declared.where_of("retention.drop_after").column == 28);
  CHECK(declared.where_of("columnstore.schedule_interval").line == 6);
}

TEST_CASE("mistakes in hypertables are reported at their places") {
  CHECK(problems(R"([hypertables.a]
chunk_interval = "7 dais"
dimensions = [{ column = "x", partitions = 0 }, { colum = "y", partitions = 2 }, 5]
columnstore = { segmentby = ["x"], order_by = ["x; y", 5], compress_after = "-1 day" }
retention = { drop_after = 5.5, initial_start = "tomorrow" }
reorder = true
integer_now = ""
when_unavailable = "maybe"
[hypertables.b]
time_column = "t"
chunk_interval = 0
columnstore = { segment_by = ["x"], order_by = ["x"], compress_after = "90 days", compress_created_before = "1 day" }
retention = { drop_after = "P90D", schedule_interval = 5 }
dimensions = [{ column = "t", partitions = 40000, interval = "1 day" }]
chunk_skipping = ["a", "a", ""]
[hypertables.c]
time_column = "t"
columnstore = { schedule_interval = "1 day" }
retention = {}
reorder = {}
dimensions = "x"
)") == R"(p.toml:1:14: [hypertables.a] time_column is missing: which column has the time
p.toml:2:18: [hypertables.a] chunk_interval is no interval: 7 dais
p.toml:3:44: [hypertables.a] dimensions[1].partitions must be from 1 to 32767
p.toml:3:49: [hypertables.a] dimensions[2].column is missing: partitioned by which column
p.toml:3:51: unknown key "colum" in [hypertables.a] dimensions[2] | did you mean "column"?
p.toml:3:82: [hypertables.a] dimensions[3] must be a table, not 5
p.toml:4:17: unknown key "segmentby" in [hypertables.a] columnstore | did you mean "segment_by"?
p.toml:4:48: [hypertables.a] columnstore.order_by must be a column, with DESC and NULLS FIRST or LAST where wanted: x; y | a name with spaces or punctuation is written in double quotes
p.toml:4:56: [hypertables.a] columnstore.order_by must be a string, not 5
p.toml:4:77: [hypertables.a] columnstore.compress_after must be longer than nothing, not -1 day
p.toml:5:28: [hypertables.a] retention.drop_after must be an interval such as "7 days", or an integer, not a number
p.toml:5:49: [hypertables.a] retention.initial_start must be a moment with its offset, such as "2026-01-15 03:00:00+00", not tomorrow
p.toml:6:11: [hypertables.a] reorder must be a table or false, not a boolean
p.toml:7:15: [hypertables.a] integer_now may not be empty
p.toml:8:20: [hypertables.a] when_unavailable must be error or skip
p.toml:11:18: [hypertables.b] chunk_interval must be longer than nothing, not 0
p.toml:12:48: [hypertables.b] columnstore.order_by has a column that segment_by has too: x
p.toml:12:109: [hypertables.b] columnstore.compress_created_before cannot be beside compress_after
p.toml:13:56: [hypertables.b] retention.schedule_interval must be an interval, such as "12 hours"
p.toml:14:26: [hypertables.b] dimensions[1].column is a dimension already: t
p.toml:14:44: [hypertables.b] dimensions[1].partitions must be from 1 to 32767
p.toml:14:62: [hypertables.b] dimensions[1].interval cannot be beside partitions
p.toml:15:18: [hypertables.b] chunk_skipping names a twice
p.toml:15:29: [hypertables.b] chunk_skipping may not be empty
p.toml:18:15: [hypertables.c] columnstore.compress_after is missing: a schedule is of a policy
p.toml:19:13: [hypertables.c] retention.drop_after is missing: how old rows become
p.toml:20:11: [hypertables.c] reorder.index is missing: in the order of which index
p.toml:21:14: [hypertables.c] dimensions must be an array of tables, not a string)");
}

TEST_CASE("a continuous aggregate of a profile, and its mistakes") {
  const Profile profile = parse(R"(
[continuous_aggregates.daily]
query = '''
SELECT a,
  b FROM t'''
materialized_only = false
refresh = { start_offset = "1 month", end_offset = "1 hour", schedule_interval = "30 minutes" }
retention = { drop_after = "7 days" }
)");
  REQUIRE(profile.desired.of<ContinuousAggregate>().size() == 1);
  const ContinuousAggregate& daily = profile.desired.of<ContinuousAggregate>()[0].value;
  CHECK(daily.query.sql == "SELECT a,\n  b FROM t");
  CHECK(daily.materialized_only == false);
  CHECK(daily.refresh->schedule.interval == Span{"00:30"});
  REQUIRE(doubts(daily).size() == 1);
  CHECK(doubts(daily)[0].first == "retention.drop_after");
  CHECK(problems(R"([continuous_aggregates.a]
query = "SELECT 1; DROP TABLE x"
materialized_only = "yes"
refresh = { start_offset = "1 hour", end_offset = "1 day" }
columnstore = { chunk_interval = "1 day", compress_created_before = "1 day" }
retention = { drop_after = 0 }
[continuous_aggregates.b]
)") == R"(p.toml:2:9: [continuous_aggregates.a] query has a semicolon: SELECT 1; DROP TABLE x
p.toml:3:21: [continuous_aggregates.a] materialized_only must be true or false, not a string
p.toml:4:11: [continuous_aggregates.a] refresh.schedule_interval is missing: how often it is refreshed
p.toml:4:28: [continuous_aggregates.a] refresh.start_offset must be longer ago than end_offset
p.toml:5:34: [continuous_aggregates.a] columnstore.chunk_interval is for hypertables only
p.toml:5:69: [continuous_aggregates.a] columnstore.compress_created_before is for hypertables only
p.toml:6:28: [continuous_aggregates.a] retention.drop_after must be longer than nothing, not 0
p.toml:7:24: [continuous_aggregates.b] query is missing: what is aggregated)");
}

TEST_CASE("what a server takes and a profile may not have is left out of it, and said") {
  LiveSchema live;
  Hypertable table{.name = {"public", "t"}};
  table.time_column = "at";
  table.retention = Retention{.drop_after = {"-1 days"}};
  table.columnstore = Columnstore{.compress_after = {"2 years"}};
  live.of<Hypertable>().push_back({.value = table, .facts = {}});
  const std::string text = profile_text(live, "public");
  CHECK(text ==
        "# not managed: retention.drop_after must be longer than nothing, not -1 days\n[hypertables.t]\n"
        "time_column = \"at\"\ncolumnstore = { compress_after = \"2 years\" }\n");
  CHECK(problems(text).empty());
  table.retention = Retention{.drop_after = {"720 days"}};
  CHECK(check(table).empty());
  REQUIRE(doubts(table).size() == 1);
  CHECK(doubts(table)[0].second ==
        "must be longer than columnstore.compress_after: rows are dropped after 720 days and compressed "
        "after 2 "
        "years");
}

}  // namespace kdb::files::profile_objects_test
