#include <doctest/doctest.h>

#include "core/profile_text.hpp"
#include "files/profile.hpp"
#include "support/problems.hpp"

namespace kdb::files {

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
indexes = 5
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
p.toml:9:1: unknown key "indexes" in [tables.t] | keys of [tables.t]: storage, statistics, column_storage, compression, replica_identity, cluster, tablespace, comment, comments, state
p.toml:10:13: [statistics.s] table is missing: whose statistics they are
p.toml:11:11: [statistics.s] columns is missing: what they are about
p.toml:12:9: [statistics.s] kinds are ndistinct, dependencies and mcv; "mvc" is none
p.toml:13:10: [statistics.s] target must be an integer from 0 to 2147483647, not -1)");
}

}  // namespace kdb::files
