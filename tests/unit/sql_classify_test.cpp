#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/statement.hpp"

namespace kdb::sql_classify_test {

using sql::classify;
using sql::Recovery;
using sql::TransactionControl;

TEST_CASE("a statement's command, object and table are read from its words") {
  struct Row {
    std::string sql;
    std::string command;
    std::string object;
    std::string table = "";
  };
  const std::vector<Row> rows{
      {"select 1", "SELECT", ""},
      {"(select 1) union select 2", "SELECT", ""},
      {"values (1)", "SELECT", ""},
      {"table t", "SELECT", ""},
      {"select * into temp x from t", "SELECT INTO", "x"},
      {"insert into public.events values (1)", "INSERT", "public.events"},
      {"with a as (delete from b) insert into c select * from a", "INSERT", "c"},
      {"with recursive a as (select 1) update only t set b = 1", "UPDATE", "t"},
      {"delete from only t", "DELETE", "t"},
      {"merge into t using s on true when matched then do nothing", "MERGE", "t"},
      {"copy t (a) to stdout", "COPY", "t"},
      {"truncate table only a, b", "TRUNCATE TABLE", "a"},
      {"Create Table if not exists \"My Schema\" . \"T\"(a int)", "CREATE TABLE", "\"My Schema\".\"T\""},
      {"create unlogged table t (a int generated always as (1) stored)", "CREATE TABLE", "t"},
      {"create temp table t as select 1", "CREATE TABLE AS", "t"},
      {"create table t (a) as (select 1)", "CREATE TABLE AS", "t"},
      {"create unique index concurrently if not exists i on only s.t (a)", "CREATE INDEX", "i", "s.t"},
      {"create index on t (a)", "CREATE INDEX", "", "t"},
      {"drop index concurrently if exists s.i, j", "DROP INDEX", "s.i"},
      {"create or replace view v as select 1", "CREATE VIEW", "v"},
      {"create recursive view v (a) as select 1", "CREATE VIEW", "v"},
      {"create materialized view if not exists v as select 1", "CREATE MATERIALIZED VIEW", "v"},
      {"refresh materialized view concurrently v", "REFRESH MATERIALIZED VIEW", "v"},
      {"create or replace function s.f(a int) returns int return a", "CREATE FUNCTION", "s.f"},
      {"create constraint trigger g after insert on s.t execute function f()", "CREATE TRIGGER", "g", "s.t"},
      {"drop trigger if exists g on t", "DROP TRIGGER", "g", "t"},
      {"create policy p on t using (true)", "CREATE POLICY", "p", "t"},
      {"create or replace rule r as on insert to s.t do nothing", "CREATE RULE", "r", "s.t"},
      {"create user joe", "CREATE ROLE", "joe"},
      {"create schema authorization joe", "CREATE SCHEMA", "joe"},
      {"create user mapping for joe server s", "CREATE USER MAPPING", "joe"},
      {"create trusted language l", "CREATE LANGUAGE", "l"},
      {"create text search configuration c (copy = english)", "CREATE TEXT SEARCH CONFIGURATION", "c"},
      {"alter table if exists only s.t add a int", "ALTER TABLE", "s.t"},
      {"alter default privileges grant select on tables to joe", "ALTER DEFAULT PRIVILEGES", ""},
      {"alter system set work_mem = '1MB'", "ALTER SYSTEM", "work_mem"},
      {"alter type e add value 'x'", "ALTER TYPE", "e"},
      {"drop owned by joe", "DROP OWNED", ""},
      {"comment on column s.t.c is 'x'", "COMMENT", "s.t.c"},
      {"vacuum (full, analyze) s.t", "VACUUM", "s.t"},
      {"vacuum full verbose t", "VACUUM", "t"},
      {"analyze", "ANALYZE", ""},
      {"cluster verbose t using i", "CLUSTER", "t"},
      {"reindex (verbose) table concurrently s.t", "REINDEX", "s.t"},
      {"lock table only t in share mode", "LOCK TABLE", "t"},
      {"call s.p(1)", "CALL", "s.p"},
      {"do $$ begin end $$", "DO", ""},
      {"prepare p as select 1", "PREPARE", "p"},
      {"declare c cursor for select 1", "DECLARE CURSOR", "c"},
      {"end", "COMMIT", ""},
      {"abort", "ROLLBACK", ""},
      {"start transaction isolation level serializable", "START TRANSACTION", ""},
      {"newish thing x", "NEWISH", ""},
      {"/* c */ -- d\nselect 1", "SELECT", ""},
      {"", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.sql);
    const auto found = classify(row.sql);
    CHECK(found.command == row.command);
    CHECK(found.object == row.object);
    CHECK(found.table == row.table);
  }
}

TEST_CASE("transaction control is told apart from what only looks like it") {
  struct Row {
    std::string sql;
    TransactionControl control;
  };
  const std::vector<Row> rows{
      {"begin", TransactionControl::begin},
      {"BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE", TransactionControl::begin},
      {"start transaction read only", TransactionControl::begin},
      {"commit work", TransactionControl::commit},
      {"end", TransactionControl::commit},
      {"commit and no chain", TransactionControl::commit},
      {"commit transaction and chain", TransactionControl::commit_chain},
      {"rollback", TransactionControl::rollback},
      {"abort and chain", TransactionControl::rollback_chain},
      {"rollback work to savepoint a", TransactionControl::savepoint},
      {"rollback to a", TransactionControl::savepoint},
      {"savepoint a", TransactionControl::savepoint},
      {"release a", TransactionControl::savepoint},
      {"prepare transaction 'x'", TransactionControl::prepare},
      {"commit prepared 'x'", TransactionControl::prepare},
      {"rollback prepared 'x'", TransactionControl::prepare},
      {"prepare commit as select 1", TransactionControl::none},
      {"select 1 as commit", TransactionControl::none},
      {"do $$ begin commit; end $$", TransactionControl::none},
  };
  for (const Row& row : rows) {
    CAPTURE(row.sql);
    CHECK(classify(row.sql).control == row.control);
  }
}

TEST_CASE("what cannot run in a transaction is known, and how it is decided after a crash") {
  struct Row {
    std::string sql;
    bool outside;
    Recovery recovery;
  };
  const std::vector<Row> rows{
      {"create index concurrently i on t (a)", true, Recovery::create_index},
      {"create unique index concurrently on t (a)", true, Recovery::create_index},
      {"create index i on t (a)", false, Recovery::none},
      {"create index i on t (concurrently)", false, Recovery::none},
      {"create index i on t (a) with (timescaledb.transaction_per_chunk)", true, Recovery::create_index},
      {"create index i on t (a) with (tsdb.transaction_per_chunk = true)", true, Recovery::create_index},
      {"create index i on t (a) with (timescaledb.transaction_per_chunk = 'off')", false, Recovery::none},
      {"drop index concurrently i", true, Recovery::drop_index},
      {"drop index i", false, Recovery::none},
      {"reindex index concurrently i", true, Recovery::repeat},
      {"reindex (verbose, concurrently on) table t", true, Recovery::repeat},
      {"reindex (concurrently false) table t", false, Recovery::repeat},
      {"reindex table t", false, Recovery::repeat},
      {"reindex schema s", true, Recovery::repeat},
      {"reindex (verbose) database d", true, Recovery::repeat},
      {"reindex system d", true, Recovery::repeat},
      {"vacuum", true, Recovery::repeat},
      {"vacuum (full) t", true, Recovery::repeat},
      {"analyze t", false, Recovery::repeat},
      {"checkpoint", false, Recovery::repeat},
      {"cluster", true, Recovery::repeat},
      {"cluster verbose", true, Recovery::repeat},
      {"cluster t", false, Recovery::repeat},
      {"discard all", true, Recovery::repeat},
      {"discard plans", false, Recovery::none},
      {"alter system reset all", true, Recovery::repeat},
      {"create database d", true, Recovery::create_database},
      {"drop database if exists d", true, Recovery::drop_database},
      {"alter database d set tablespace s", true, Recovery::repeat},
      {"alter database d set work_mem = '1MB'", false, Recovery::none},
      {"create tablespace s location '/x'", true, Recovery::unknown},
      {"drop tablespace s", true, Recovery::unknown},
      {"create subscription s connection 'c' publication p", true, Recovery::unknown},
      {"create subscription s connection 'c' publication p with (connect = false)", false, Recovery::none},
      {"create subscription s connection 'c' publication p with (enabled, create_slot = off)", false,
       Recovery::none},
      {"drop subscription s", true, Recovery::unknown},
      {"alter subscription s refresh publication", true, Recovery::unknown},
      {"alter subscription s set publication p", true, Recovery::unknown},
      {"alter subscription s add publication p with (refresh = false)", false, Recovery::none},
      {"alter subscription s set (failover = true)", true, Recovery::unknown},
      {"alter subscription s disable", false, Recovery::none},
      {"alter table t detach partition s.p concurrently", true, Recovery::detach_partition},
      {"alter table t detach partition p", false, Recovery::none},
      {"alter table t detach partition p finalize", false, Recovery::none},
      {"create materialized view v with (timescaledb.continuous) as select 1", true, Recovery::unknown},
      {"create materialized view v with (timescaledb.continuous) as select 1 with no data", false,
       Recovery::none},
      {"create materialized view v as select 1", false, Recovery::none},
      {"call refresh_continuous_aggregate('v', null, null)", true, Recovery::repeat},
      {"call public.run_job(1000)", true, Recovery::unknown},
      {"call cagg_migrate('v')", true, Recovery::unknown},
      {"call merge_chunks('a', 'b', concurrently => true)", true, Recovery::unknown},
      {"call merge_chunks('a', 'b')", false, Recovery::unknown},
      {"call convert_to_columnstore('c')", false, Recovery::repeat},
      {"call p()", false, Recovery::unknown},
      {"select reorder_chunk('c')", true, Recovery::repeat},
      {"select move_chunk(chunk => 'c', destination_tablespace => 's')", true, Recovery::repeat},
      {"do $$ begin insert into t values (1); commit; end $$", true, Recovery::unknown},
      {"do 'begin loop rollback and chain; end loop; end' language plpgsql", true, Recovery::unknown},
      {"do language plpgsql $a$ begin if x then commit; end if; end $a$", true, Recovery::unknown},
      {"do $$ begin raise 'commit;'; -- commit;\n perform $q$; commit;$q$; end $$", false, Recovery::none},
      {"do $$ begin perform commit from t; v := rollback; end $$", false, Recovery::none},
      {"do $$ begin call p(); end $$", false, Recovery::unknown},
      {"do language plpython3u $$ plpy.commit() $$", false, Recovery::unknown},
      {"create procedure p() language plpgsql as $$ begin commit; end $$", false, Recovery::none},
      {"create table concurrently (vacuum int)", false, Recovery::none},
  };
  for (const Row& row : rows) {
    CAPTURE(row.sql);
    const auto found = classify(row.sql);
    CHECK(found.outside_transaction == row.outside);
    CHECK(found.recovery == row.recovery);
  }
}

TEST_CASE("a lock timeout is for statements whose waiting blocks readers or writers") {
  const std::vector<std::string> blocking{
      "alter table t add a int",
      "alter table t validate constraint c, add a int",
      "alter table t attach partition p default",
      "alter table t set (timescaledb.compress)",
      "alter table t detach partition p",
      "create index i on t (a)",
      "create trigger g before insert on t execute function f()",
      "drop table t",
      "truncate t",
      "lock t",
      "vacuum full t",
      "refresh materialized view v",
      "reindex table t",
      "select create_hypertable('t', 'ts')",
      "do $$ begin end $$",
      "call p()",
      "create index i on t (a) with (timescaledb.transaction_per_chunk)",
      "newish thing",
  };
  const std::vector<std::string> free{
      "insert into t values (1)",
      "update t set a = f(b)",
      "delete from t",
      "copy t to stdout",
      "select a from t",
      "values (1)",
      "set work_mem = '1MB'",
      "begin",
      "comment on table t is 'x'",
      "create function f() returns int return 1",
  };
  const std::vector<std::string> patient{
      "create index concurrently i on t (a)",
      "drop index concurrently i",
      "reindex table concurrently t",
      "refresh materialized view concurrently v",
      "vacuum t",
      "analyze",
      "alter table t validate constraint c",
      "alter table t alter column a set statistics 100, set (fillfactor = 90)",
      "alter table t detach partition p concurrently",
  };
  for (const std::string& sql : blocking) {
    CAPTURE(sql);
    CHECK(classify(sql).blocking_lock);
    CHECK_FALSE(classify(sql).patient);
  }
  for (const std::string& sql : free) {
    CAPTURE(sql);
    CHECK_FALSE(classify(sql).blocking_lock);
    CHECK_FALSE(classify(sql).patient);
  }
  for (const std::string& sql : patient) {
    CAPTURE(sql);
    CHECK_FALSE(classify(sql).blocking_lock);
    CHECK(classify(sql).patient);
  }
}

TEST_CASE("state of the session that a resumed file must set again is known") {
  for (const char* sql : {"set search_path to a", "set session work_mem = 1", "set role joe", "reset all",
                          "reset role", "set session authorization joe", "set time zone 'UTC'",
                          "select pg_catalog.set_config('search_path', '', false)"}) {
    CAPTURE(sql);
    CHECK(classify(sql).session_state);
  }
  for (const char* sql :
       {"set local work_mem = 1", "set transaction read only", "set constraints all deferred",
        "select set_config('a.b', '', true)", "select set_config('a.b', '', true), f(false)", "show all",
        "alter role joe set work_mem = 1"}) {
    CAPTURE(sql);
    CHECK_FALSE(classify(sql).session_state);
  }
}

TEST_CASE("a lock_timeout that the file sets itself is noticed") {
  for (const char* sql :
       {"set lock_timeout = '1s'", "SET LOCAL Lock_Timeout TO 0", "set session \"lock_timeout\" = 1",
        "reset lock_timeout", "select set_config('lock_timeout', '1s', true)"}) {
    CAPTURE(sql);
    CHECK(classify(sql).sets_lock_timeout);
  }
  for (const char* sql : {"set statement_timeout = 1", "reset all", "select 'lock_timeout'",
                          "show lock_timeout", "alter role joe set lock_timeout = 1"}) {
    CAPTURE(sql);
    CHECK_FALSE(classify(sql).sets_lock_timeout);
  }
}

TEST_CASE("state that ends with the session is named") {
  struct Row {
    std::string sql;
    std::string bound;
  };
  const std::vector<Row> rows{
      {"create temp table t (a int)", "a temporary table"},
      {"create local temporary table if not exists t as select 1", "a temporary table"},
      {"create table pg_temp.t (a int)", "a temporary table"},
      {"select 1 into temporary t", "a temporary table"},
      {"create temp table t (a int) on commit drop", ""},
      {"create table temp (temporary int)", ""},
      {"create or replace temp view v as select 1", "a temporary view"},
      {"create temp sequence s", "a temporary sequence"},
      {"prepare p as select 1", "a prepared statement"},
      {"prepare transaction 'x'", ""},
      {"declare c cursor with hold for select 1", "a cursor WITH HOLD"},
      {"declare c cursor for select 1", ""},
      {"listen x", "LISTEN"},
      {"load 'x'", "a loaded library"},
      {"select pg_catalog.pg_advisory_lock(1)", "a session advisory lock"},
      {"select pg_try_advisory_lock_shared(1)", "a session advisory lock"},
      {"select pg_advisory_xact_lock(1)", ""},
      {"create table t (a int)", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.sql);
    CHECK(classify(row.sql).session_bound == row.bound);
  }
}

}  // namespace kdb::sql_classify_test
