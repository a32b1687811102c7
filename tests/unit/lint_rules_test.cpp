// Rules about data, names, types, files and profiles; the table of rules.

#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "files/profile.hpp"
#include "support/linted.hpp"

namespace kdb::lint_rules_test {

namespace {

using Places = std::vector<std::string>;

/// `RULE LINE:COLUMN: message` of a profile's indexes, after these migrations.
std::vector<std::string> of_profile(const std::string& text,
                                    const std::vector<std::string>& migrations = {}) {
  const files::Profile profile =
      files::parse_profile(text, "p.toml", [](const std::string&) { return std::nullopt; });
  lint::Input input{.desired = &profile.desired};
  for (const std::string& sql : migrations) input.migrations.push_back(test::migration_of(test::up(sql)));
  return test::places(lint::check(input));
}

}  // namespace

TEST_CASE("data that is deleted is noticed, unless the file permits it") {
  test::check("ban-drop-table", {
                                    {"drop table a;", {"2:12"}},
                                    {"drop table if exists a, b cascade;", {"2:22", "2:25"}},
                                    {"create table a (); drop table a;", {}},
                                    {"create temp table a (b int); drop table a;", {}},
                                });
  test::check("ban-drop-column", {
                                     {"alter table t drop column a, drop if exists b;", {"2:15", "2:30"}},
                                     {"alter table t drop constraint c;", {}},
                                     {"create table t (a int); alter table t drop a;", {}},
                                 });
  test::check("ban-truncate-cascade", {
                                          {"truncate t cascade;", {"2:12"}},
                                          {"truncate t;", {}},
                                      });
  test::check("ban-drop-database", {{"drop database d;", {"2:1"}}});
  test::check("deletes-data", {
                                  {"truncate t;", {"2:1"}},
                                  {"delete from t;", {"2:1"}},
                                  {"drop schema s cascade;", {"2:1"}},
                                  {"do $$ begin execute 'drop table t'; end $$;", {"2:1"}},
                                  {"delete from t where a = 1;", {}},
                                  {"drop table t;", {}},
                                  {"truncate t cascade;", {}},
                              });
  CHECK(test::places_in("ban-drop-table", "drop table a;", "allow:DELETES_DATA:a").empty());
  CHECK(test::places_in("ban-drop-table", "drop table a;", "allow:DELETES_DATA:b") == Places{"2:12"});
  CHECK(test::places_in("deletes-data", "truncate a;", "allow:DELETES_DATA").empty());
}

TEST_CASE("names that programs know are not changed under them") {
  test::check("renaming-column", {
                                     {"alter table t rename column a to b;", {"2:15"}},
                                     {"alter table t rename a to b;", {"2:15"}},
                                     {"alter table t rename constraint a to b;", {}},
                                     {"create table t (a int); alter table t rename a to b;", {}},
                                 });
  test::check("renaming-table", {
                                    {"alter table t rename to u;", {"2:15"}},
                                    {"alter index t rename to u;", {}},
                                    {"create table t (a int); alter table t rename to u;", {}},
                                });
  test::check("ban-drop-not-null", {
                                       {"alter table t alter a drop not null;", {"2:15"}},
                                       {"create table t (a int); alter table t alter a drop not null;", {}},
                                   });
  const std::string name(64, 'x');
  test::check("identifier-too-long", {
                                         {"create table " + name + " (a int);", {"2:14"}},
                                         {"create table \"" + name.substr(1) + "\" (a int);", {}},
                                         {"select '" + name + "';", {}},
                                     });
}

TEST_CASE("types are a matter of taste, and keys of size") {
  test::check("prefer-bigint-over-int",
              {
                  {"create table t (id int, a integer, user_id int4);", {"2:20", "2:44"}},
                  {"create table t (a serial);", {"2:19"}},
                  {"create table t (a int primary key);", {"2:19"}},
                  {"create table t (a int references o);", {"2:19"}},
                  {"create table t (a int generated always as identity);", {"2:19"}},
                  {"alter table t alter column id type int;", {"2:36"}},
                  {"create table t (id bigint, age int);", {}},
                  {"create table t (id pg_catalog.int4);", {"2:20"}},
                  {"create function id(id int) returns int language sql as 'select 1';", {}},
              });
  test::check("prefer-bigint-over-smallint", {
                                                 {"create table t (id smallint, a smallint);", {"2:20"}},
                                                 {"create table t (a smallserial);", {"2:19"}},
                                             });
  test::check("prefer-identity", {
                                     {"create table t (a bigserial, b bigint);", {"2:19"}},
                                     {"alter table t add a serial;", {"2:21"}},
                                 });
  test::check("prefer-text-field",
              {
                  {"create table t (a varchar(10), b character varying(5), c varchar);", {"2:19", "2:34"}},
                  {"create table t (a text check (length(a) < 5));", {}},
              });
  test::check("ban-char-field",
              {
                  {"create table t (a char(2), b character, c \"char\", d text);", {"2:19", "2:30"}},
                  {"create table t (constraint c check (true), \"char\" int);", {}},
              });
  test::check("prefer-timestamptz",
              {
                  {"create table t (a timestamp, b timestamp(3) without time zone);", {"2:19", "2:32"}},
                  {"create table t (a timestamptz, b timestamp with time zone);", {}},
                  {"create table t (timestamp timestamptz);", {}},
              });
  test::check("require-enum-value-ordering", {
                                                 {"alter type e add value 'x';", {"2:14"}},
                                                 {"alter type e add value 'x' after 'y';", {}},
                                             });
  test::check("ban-duplicate-column-assignments",
              {
                  {"update t set a = 1, b = 2, A = 3 where a = 4;", {"2:28"}},
                  {"update t set a = f(a, a), b = a;", {}},
                  {"update t set a = 1 from s where s.a = t.a;", {}},
              });
}

TEST_CASE("transactions are judged as kdb runs them") {
  test::check("transaction-nesting", {
                                         {"begin;\nselect 1;\ncommit;\nselect 2;", {"2:1", "4:1"}},
                                         {"begin;\nselect 1;\ncommit;", {}},
                                         {"select 1;", {}},
                                     });
  CHECK(test::places_in("transaction-nesting", "begin;\nselect 1;", "transaction:false") == Places{"2:1"});
  const std::string build = "create index concurrently i on t (a);";
  test::check("ban-concurrent-index-creation-in-transaction", {
                                                                  {"begin;\n" + build + "\ncommit;", {"3:1"}},
                                                                  {build, {}},
                                                              });
  CHECK(test::places_in("ban-concurrent-index-creation-in-transaction", build, "transaction:true") ==
        Places{"2:1"});
  CHECK(test::places_in("transaction-nesting", build, "transaction:true").empty());
  test::check("mixed-transactions",
              {
                  {"alter table t add a int;\n" + build + "\nalter table t add b int;", {"3:1"}},
                  {build + "\nalter table t add unique using index i;", {}},
                  {"set a.b = 1;\n" + build + "\ncomment on table t is 'x';\nanalyze t;", {}},
                  {"alter table t add a int;\nalter table t add b int;", {}},
              });
  test::check("prefer-robust-stmts", {
                                         {"create tablespace s location '/x';", {"2:1"}},
                                         {"-- kdb:rerunnable\ncreate tablespace s location '/x';", {}},
                                         {build, {}},
                                         {"create table t (a int);", {}},
                                     });
}

TEST_CASE("a file has a way back, and a grammar that kdb knows") {
  CHECK(test::places(test::judged({"-- migrate:up\nselect 1;\n"})) == Places{"missing-down 1:0"});
  CHECK(test::places(test::judged({"-- migrate:up\nselect 1;\n-- migrate:down\n"})).empty());
  test::check("newer-grammar", {{"select 1;\nshow me the future;", {"3:1"}}});
}

TEST_CASE("indexes of a profile that are of no use, or dangerous, are noticed without a server") {
  const std::string a = "[indexes.a]\ntable = \"t\"\ncolumns = [\"x\", \"y DESC\"]\n";
  const std::string none = "state = \"absent\"\n";
  CHECK(of_profile(a + "[indexes.b]\ntable = \"public.t\"\ncolumns = [\"X\", \"y  desc\"]\n") ==
        Places{"duplicate-index 4:10"});
  CHECK(of_profile(a + "[indexes.b]\ntable = \"t\"\ncolumns = [\"x\"]\n") == Places{"redundant-index 4:10"});
  for (const std::string other :
       {"columns = [\"y DESC\"]", "columns = [\"x\"]\nunique = true", "columns = [\"x\"]\nwhere = \"x > 0\"",
        "columns = [\"x\"]\nmethod = \"hash\"", "columns = [\"x\"]\ninclude = [\"z\"]",
        "columns = [\"x\"]\nwith = { fillfactor = 70 }", "columns = [\"\\\"X\\\"\"]",
        "columns = [\"x\"]\nstate = \"absent\""}) {
    CAPTURE(other);
    CHECK(of_profile(a + "[indexes.b]\ntable = \"t\"\n" + other + "\n").empty());
  }
  CHECK(of_profile(a + "[indexes.b]\ntable = \"t\"\ncolumns = [\"x\"]\ninclude = [\"y\"]\n").empty());
  const std::string include = "[indexes.a]\ntable = \"t\"\ncolumns = [\"x\"]\ninclude = [\"y\", \"doc\"]\n";
  CHECK(of_profile(include, {"create table t (x int, y text, doc jsonb not null);"}) ==
        Places{"index-include-unbounded 4:11"});
  CHECK(of_profile(include, {"create table t (x int, y text);", "alter table public.t add doc json;"}) ==
        Places{"index-include-unbounded 4:11"});
  CHECK(of_profile(include, {"create table t (x int, y text, doc text);"}).empty());
  CHECK(of_profile(include).empty());
}

TEST_CASE("a partial index does not begin with the column that its condition fixes") {
  const auto index = [](const std::string& columns, const std::string& where) {
    return of_profile("[indexes.a]\ntable = \"t\"\ncolumns = " + columns + "\nwhere = \"" + where + "\"\n");
  };
  const Places found{"constant-index-column 3:11"};
  CHECK(index(R"(["kind", "at"])", "kind = 'a'") == found);
  CHECK(index(R"(["Kind DESC", "at"])", "n > 5 AND (kind = 7)") == found);
  CHECK(index(R"(["kind", "at"])", "(kind = true) and n > 5") == found);
  CHECK(index(R"(["at", "kind"])", "kind = 'a'").empty());
  CHECK(index(R"(["kind"])", "kind = 'a'").empty());
  CHECK(index(R"(["kind", "at"])", "kind = 'a' OR n = 5").empty());
  CHECK(index(R"(["kind", "at"])", "NOT (kind = 'a')").empty());
  CHECK(index(R"(["kind", "at"])", "kind > 'a'").empty());
  CHECK(index(R"(["kind", "at"])", "kind = other").empty());
  CHECK(index(R"(["kind", "at"])", "kind = 1 + n").empty());
  CHECK(index(R"(["kind", "at"])", "coalesce(kind = 1, true)").empty());
  CHECK(index(R"(["kind", "at"])", "(kind = 1) IS NULL").empty());
  CHECK(index(R"x(["lower(kind)", "at"])x", "kind = 'a'").empty());
}

TEST_CASE("a unique index of a hypertable has all columns by which it is partitioned") {
  const std::string table =
      "[hypertables.t]\ntime_column = \"at\"\ndimensions = [{ column = \"Dev\", partitions = 1 }]\n";
  const auto index = [&](const std::string& columns, const std::string& more = "unique = true\n") {
    return of_profile(table + "[indexes.a]\ntable = \"t\"\n" + more + "columns = " + columns + "\n");
  };
  CHECK(index(R"(["id"])") ==
        Places{"unique-index-without-partition-column 7:11", "unique-index-without-partition-column 7:11"});
  CHECK(index(R"(["at DESC", "id"])") == Places{"unique-index-without-partition-column 7:11"});
  CHECK(index(R"(["at", "id", "\"Dev\""])").empty());
  CHECK(index(R"x(["(at)", "\"Dev\""])x").empty());
  CHECK(index(R"(["id"])", "").empty());
}

TEST_CASE("a refresh does not reach back to what retention has dropped") {
  const auto aggregate = [](const std::string& offset, const std::string& source = "t") {
    return of_profile(
        "[hypertables.t]\ntime_column = \"at\"\nretention = { drop_after = \"30 days\" }\n"
        "[continuous_aggregates.h]\nquery = \"SELECT time_bucket('1 hour', at) FROM " +
        source + " GROUP BY 1\"\n[continuous_aggregates.h.refresh]\n" + offset +
        "end_offset = \"1 hour\"\nschedule_interval = \"1 hour\"\n");
  };
  CHECK(aggregate("start_offset = \"31 days\"\n") == Places{"refresh-beyond-retention 7:16"});
  CHECK(aggregate("start_offset = \"1 month\"\n").empty());
  CHECK(aggregate("start_offset = \"7 days\"\n").empty());
  CHECK(aggregate("") == Places{"refresh-beyond-retention 6:1"});
  CHECK(aggregate("start_offset = \"31 days\"\n", "public.T AS x") ==
        Places{"refresh-beyond-retention 7:16"});
  CHECK(aggregate("start_offset = \"31 days\"\n", "other").empty());
}

TEST_CASE("with a server, what is in a table decides whether an index of it is any good") {
  const files::Profile profile = files::parse_profile(
      "[indexes.a]\ntable = \"t\"\nmethod = \"brin\"\ncolumns = [\"at\"]\n"
      "[indexes.b]\ntable = \"t\"\nmethod = \"brin\"\ncolumns = [\"at timestamptz_bloom_ops\"]\n"
      "[indexes.c]\ntable = \"t\"\ncolumns = [\"body\"]\ninclude = [\"doc\", \"code\"]\n",
      "p.toml", [](const std::string&) { return std::nullopt; });
  std::map<ObjectName, TableStatistics> statistics;
  TableStatistics& table = statistics[{"public", "t"}];
  table.large = true;
  table.columns["at"] = {.type = "timestamptz", .bounded = true, .average_width = 8, .correlation = 0.1};
  table.columns["body"] = {.type = "text", .average_width = 900};
  table.columns["doc"] = {.type = "jsonb", .average_width = 700};
  table.columns["code"] = {.type = "varchar", .bounded = true, .average_width = 900};
  const LiveSchema live;
  const auto found = [&] {
    return test::places(lint::check({.desired = &profile.desired, .live = &live, .statistics = &statistics}));
  };
  const Places document{"index-include-unbounded 12:11"};
  const Places too_wide{"index-entry-too-wide 11:11", "index-include-unbounded 12:11"};
  Places all{"brin-uncorrelated 4:11"};
  all.insert(all.end(), too_wide.begin(), too_wide.end());
  CHECK(found() == all);
  for (const double sorted : {0.6, -0.99}) {
    table.columns["at"].correlation = sorted;
    CHECK(found() == too_wide);
  }
  table.columns["at"].correlation = 0.1;
  table.large = false;
  CHECK(found() == too_wide);
  table.columns["body"].average_width = table.columns["doc"].average_width = 60;
  CHECK(found() == document);  // the first row that is longer may come any day
  table.columns["code"].bounded = false;
  CHECK(found() == Places{"index-entry-too-wide 12:11", "index-include-unbounded 12:11"});
  table.columns.clear();
  CHECK(found().empty());
  CHECK(lint::check({.desired = &profile.desired}).not_checked.size() == 3);
}

TEST_CASE("every rule has its texts, one way to check it, and a name of its own") {
  std::set<std::string_view> names;
  std::string_view before;
  for (const lint::Rule& rule : lint::rules()) {
    CAPTURE(rule.name);
    CHECK(before < rule.name);
    before = rule.name;
    CHECK(names.insert(rule.name).second);
    for (const std::string_view alias : rule.aliases) CHECK(names.insert(alias).second);
    CHECK_FALSE(rule.summary.empty());
    CHECK(rule.summary.size() <= 80);
    CHECK_FALSE(rule.why.empty());
    CHECK_FALSE(rule.instead.empty());
    const int checks = (rule.statement != nullptr) + (rule.script != nullptr) + (rule.whole != nullptr);
    CHECK(checks == (rule.name == "unused-ignore" || rule.name == "ignore-without-reason" ? 0 : 1));
    CHECK(lint::find_rule(rule.name) == &rule);
  }
}

TEST_CASE("squawk's names are known, but for those of rules that a runner makes pointless") {
  for (const std::string_view name : {"require-concurrent-index-creation",
                                      "require-concurrent-index-deletion",
                                      "constraint-missing-not-valid",
                                      "adding-field-with-default",
                                      "adding-foreign-key-constraint",
                                      "changing-column-type",
                                      "adding-not-nullable-field",
                                      "adding-serial-primary-key-field",
                                      "renaming-column",
                                      "renaming-table",
                                      "disallowed-unique-constraint",
                                      "ban-drop-database",
                                      "prefer-bigint-over-int",
                                      "prefer-bigint-over-smallint",
                                      "prefer-identity",
                                      "prefer-repack",
                                      "prefer-robust-stmts",
                                      "prefer-text-field",
                                      "prefer-timestamptz",
                                      "prefer-timestamp-tz",
                                      "ban-char-field",
                                      "ban-drop-column",
                                      "ban-drop-table",
                                      "ban-drop-not-null",
                                      "transaction-nesting",
                                      "adding-required-field",
                                      "ban-concurrent-index-creation-in-transaction",
                                      "unused-ignore",
                                      "ban-create-domain-with-constraint",
                                      "ban-alter-domain-with-add-constraint",
                                      "ban-truncate-cascade",
                                      "require-timeout-settings",
                                      "ban-uncommitted-transaction",
                                      "require-enum-value-ordering",
                                      "identifier-too-long",
                                      "require-concurrent-partition-detach",
                                      "require-concurrent-reindex",
                                      "require-lock-timeout",
                                      "ban-duplicate-column-assignments"}) {
    CAPTURE(name);
    CHECK(lint::find_rule(name) != nullptr);
  }
}

}  // namespace kdb::lint_rules_test
