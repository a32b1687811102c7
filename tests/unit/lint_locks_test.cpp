// Rules about what keeps others waiting.

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/linted.hpp"

namespace kdb::lint_locks_test {

TEST_CASE("an index on a table in use is built concurrently") {
  test::check("require-concurrent-index-creation",
              {
                  {"create index i on t (a);", {"2:1"}},
                  {"select 1;\n  create unique index i on public.t (a);", {"3:3"}},
                  {"create index concurrently i on t (a);", {}},
                  {"create unique index concurrently i on t (a);", {}},
                  {"create index on only t (a);", {}},
                  {"create index i on t (a) with (timescaledb.transaction_per_chunk);", {}},
                  {"create table t (a int);\ncreate index on t (a);", {}},
                  {"create table public.t (a int);\ncreate index on t (a);", {}},
                  {"create table if not exists t (a int);\ncreate index on t (a);", {}},
                  {"create temp table t (a int);\ncreate index on t (a);", {}},
                  {"create table t as select 1 as a;\ncreate index on t (a);", {}},
                  {"create materialized view v as select 1 as a;\ncreate unique index on v (a);", {}},
                  {"select 1 as a into t;\ncreate index on t (a);", {}},
                  {"create table s (a int);\ncreate index on t (a);", {"3:1"}},
                  {"create table t (a int);\nalter table t rename to s;\ncreate index on t (a);", {"4:1"}},
              });
}

TEST_CASE("what is said about an index depends on what the migrations know of its table") {
  const auto hint = [](const std::string& table) {
    return test::judged({test::up(table), test::up("create index on t (a);")}).findings.at(0).problem.hint;
  };
  CHECK(hint("create table t (a int);").find("CONCURRENTLY, in") != std::string::npos);
  CHECK(hint("create table t (a int) partition by range (a);").find("ON ONLY") != std::string::npos);
  CHECK(hint("create table t (a int); select create_hypertable('t', 'a');").find("per_chunk") !=
        std::string::npos);
  CHECK(hint("create table t (a int) with (tsdb.hypertable);").find("per_chunk") != std::string::npos);
}

TEST_CASE("dropping and rebuilding indexes, and detaching partitions, has a concurrent form") {
  test::check("require-concurrent-index-deletion",
              {
                  {"drop index i;", {"2:1"}},
                  {"drop index if exists a, b;", {"2:1"}},
                  {"drop index concurrently i;", {}},
                  {"drop index i cascade;", {}},
                  {"create table t (a int); create index i on t (a); drop index i;", {}},
              });
  test::check("require-concurrent-reindex", {
                                                {"reindex table t;", {"2:1"}},
                                                {"reindex (verbose) index i;", {"2:1"}},
                                                {"reindex index concurrently i;", {}},
                                                {"reindex (concurrently) table t;", {}},
                                                {"reindex system d;", {}},
                                            });
  test::check("require-concurrent-partition-detach",
              {
                  {"alter table t detach partition p;", {"2:15"}},
                  {"alter table t detach partition p concurrently;", {}},
                  {"alter table t detach partition p finalize;", {}},
              });
  test::check("concurrent-index-if-not-exists",
              {
                  {"create index concurrently if not exists i on t (a);", {"2:27"}},
                  {"create index if not exists i on t (a);", {}},
                  {"create index concurrently i on t (a);", {}},
              });
}

TEST_CASE("a column that is added must not write the table again, nor fail") {
  test::check("adding-field-with-default",
              {
                  {"alter table t add column a uuid default gen_random_uuid();", {"2:26"}},
                  {"alter table t\n  add a int,\n  add b timestamptz default clock_timestamp();", {"4:7"}},
                  {"alter table t add a int generated always as (b * 2) stored;", {"2:19"}},
                  {"alter table t add a int generated always as identity;", {"2:19"}},
                  {"alter table t add a serial;", {"2:19"}},
                  {"alter table t add a timestamptz not null default now();", {}},
                  {"alter table t add a int default 1;", {}},
                  {"create table t (b int);\nalter table t add a uuid default gen_random_uuid();", {}},
              });
  test::check("adding-required-field",
              {
                  {"alter table t add a int not null;", {"2:19"}},
                  {"alter table only t add column if not exists a int not null;", {"2:45"}},
                  {"alter table t add a int not null default 0;", {}},
                  {"alter table t add a int;", {}},
                  {"alter table t add a bigserial not null;", {}},
                  {"alter table t add a int not null generated always as identity;", {}},
                  {"create table t ();\nalter table t add a int not null;", {}},
              });
  test::check("adding-serial-primary-key-field",
              {
                  {"alter table t add id serial primary key;", {"2:15"}},
                  {"alter table t add primary key (id);", {"2:15"}},
                  {"alter table t add constraint p primary key (id);", {"2:15"}},
                  {"alter table t add primary key using index i;", {}},
                  {"create table t (id int); alter table t add primary key (id);", {}},
              });
}

TEST_CASE("a constraint is added without looking at the rows, and they are looked at later") {
  test::check("adding-foreign-key-constraint",
              {
                  {"alter table t add constraint f foreign key (a) references o;", {"2:15"}},
                  {"alter table t add foreign key (a) references o (id), add b int;", {"2:15"}},
                  {"alter table t add foreign key (a) references o not valid;", {}},
                  {"alter table t add a int references o;", {}},  // all null: nothing to look up
                  {"create table t (a int); alter table t add foreign key (a) references o;", {}},
              });
  test::check("constraint-missing-not-valid",
              {
                  {"alter table t add constraint c check (a > 0);", {"2:15"}},
                  {"alter table t add a int check (a > 0);", {"2:15"}},
                  {"alter table t add check (a > 0) not valid;", {}},
                  {"create table t (a int); alter table t add check (a > 0);", {}},
              });
  test::check("disallowed-unique-constraint",
              {
                  {"alter table t add constraint u unique (a);", {"2:15"}},
                  {"alter table t add unique nulls not distinct (a);", {"2:15"}},
                  {"alter table t add a int unique;", {"2:15"}},
                  {"alter table t add unique using index i;", {}},
                  {"create table t (a int); alter table t add unique (a);", {}},
              });
  test::check(
      "validating-in-same-transaction",
      {
          {"alter table t add constraint c check (a > 0) not valid;\nalter table t validate constraint c;",
           {"3:15"}},
          {"alter table t add constraint c check (a > 0) not valid;\nalter table t validate constraint d;",
           {}},
          {"alter table t validate constraint c;", {}},
          {"create table t (a int);\nalter table t add constraint c check (a > 0) not valid;\n"
           "alter table t validate constraint c;",
           {}},
      });
  CHECK(test::places_in("validating-in-same-transaction",
                        "alter table t add constraint c check (a > 0) not valid;\nalter table t validate "
                        "constraint c;",
                        "transaction:false")
            .empty());
}

TEST_CASE("SET NOT NULL is free where a CHECK proves it") {
  const std::string set = test::up("alter table t alter column a set not null;");
  const auto found = [&](const std::vector<std::string>& before) {
    std::vector<std::string> files = before;
    files.push_back(set);
    return test::places(test::judged(files), "adding-not-nullable-field").size();
  };
  const std::string table = test::up("create table t (a int);");
  const std::string add = test::up("alter table t add constraint c check (a is not null) not valid;");
  const std::string validate = test::up("alter table t validate constraint c;");
  CHECK(found({}) == 1);
  CHECK(found({table}) == 1);
  CHECK(found({table, add}) == 1);
  CHECK(found({table, add, validate}) == 0);
  CHECK(found({table, add, validate, test::up("alter table t drop constraint c;")}) == 1);
  CHECK(found({table, test::up("alter table t add constraint c check (b is not null);")}) == 1);
  test::check("adding-not-nullable-field",
              {
                  {"alter table t add constraint n not null a;", {"2:15"}},
                  {"create table t (a int); alter table t alter a set not null;", {}},
              });
}

TEST_CASE("another type is free where the old one is known and holds it") {
  const auto found = [](const std::string& before, const std::string& change) {
    return test::places(test::judged({test::up(fmt::format("create table public.t (a {} not null);", before)),
                                      test::up(fmt::format("alter table t alter a type {};", change))}),
                        "changing-column-type")
        .size();
  };
  CHECK(found("varchar(10)", "varchar(20)") == 0);
  CHECK(found("character varying(10)", "text") == 0);
  CHECK(found("numeric(10, 2)", "numeric(12,2)") == 0);
  CHECK(found("int", "integer") == 0);
  CHECK(found("varchar(20)", "varchar(10)") == 1);
  CHECK(found("numeric(10, 2)", "numeric(12,3)") == 1);
  CHECK(found("int", "bigint") == 1);
  CHECK(found("text", "varchar(10)") == 1);
  CHECK(found("char(10)", "text") == 1);
  CHECK(found("varchar(10)", "text using lower(a)") == 1);
  test::check("changing-column-type", {
                                          {"alter table t alter column a set data type bigint;", {"2:15"}},
                                          {"create table t (a int); alter table t alter a type bigint;", {}},
                                      });
}

TEST_CASE("a table is not written again under a lock, and a domain not checked in all tables at once") {
  test::check("prefer-repack", {
                                   {"vacuum full t;", {"2:1"}},
                                   {"vacuum (full, analyze) t;", {"2:1"}},
                                   {"cluster t using i;", {"2:1"}},
                                   {"vacuum t;", {}},
                               });
  test::check("ban-alter-domain-with-add-constraint",
              {
                  {"alter domain d add check (value > 0);", {"2:16"}},
                  {"alter domain d set not null;", {"2:16"}},
                  {"alter domain d add check (value > 0) not valid;", {}},
                  {"alter domain d drop constraint c;", {}},
              });
  test::check("ban-create-domain-with-constraint",
              {
                  {"create domain d as int check (value > 0);", {"2:24"}},
                  {"create domain d as int not null;", {"2:24"}},
                  {"create domain d as int;", {}},
              });
}

TEST_CASE("a lock_timeout is neither switched off nor put on what waits in nobody's way") {
  test::check("require-lock-timeout",
              {
                  {"set lock_timeout = 0;\nalter table t add a int;", {"2:1"}},
                  {"set local lock_timeout to '0s';\nalter table t add a int;", {"2:1"}},
                  {"set lock_timeout = '2s';\nalter table t add a int;", {}},
                  {"set lock_timeout = 0;\nselect 1;", {}},
              });
  CHECK(test::places_in("require-lock-timeout", "alter table t add a int;", "lock_timeout:0") ==
        std::vector<std::string>{"1:0"});
  CHECK(test::places_in("require-lock-timeout", "select 1;", "lock_timeout:0").empty());
  const std::string build = "create index concurrently i on t (a);";
  CHECK(test::places_in("concurrent-lock-timeout", build, "lock_timeout:2s") ==
        std::vector<std::string>{"1:0"});
  CHECK(test::places_in("concurrent-lock-timeout", build, "lock_timeout:0").empty());
  CHECK(test::places_in("concurrent-lock-timeout", "create index i on t (a);", "lock_timeout:2s").empty());
  test::check("concurrent-lock-timeout",
              {
                  {"set lock_timeout = '2s';\n" + build, {"2:1"}},
                  {build + "\nset lock_timeout = '2s';\nalter table t add a int;", {}},
              });
}

TEST_CASE("down sections are judged by what they lock, not by what they undo") {
  const std::string down =
      "-- migrate:up\nselect 1;\n-- migrate:down\ndrop table s;\nalter table t rename b to c;\n"
      "create index on t (a);\n";
  CHECK(test::places(test::judged({down})) ==
        std::vector<std::string>{"require-concurrent-index-creation 6:1"});
}

}  // namespace kdb::lint_locks_test
