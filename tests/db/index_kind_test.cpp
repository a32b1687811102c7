// The kind "index" against real servers: what the catalog says is enough to make the same index again.
#include "base/text.hpp"
#include "core/profile_text.hpp"
#include "db/catalog.hpp"
#include "db/index_generator.hpp"
#include "db/project.hpp"
#include "support/cases.hpp"

namespace kdb::test::index_kind_test {

namespace {

/// Every index of a schema's, by what the server says of it.
std::string definitions(const Database& database) {
  return database.text(
      "SELECT string_agg(pg_get_indexdef(i.indexrelid) || coalesce(' -- ' || obj_description(i.indexrelid), "
      "'') || "
      "coalesce((SELECT string_agg(attnum || '=' || attstattarget, ',' ORDER BY attnum) FROM pg_attribute "
      "WHERE "
      "attrelid = i.indexrelid AND attstattarget >= 0), ''), E'\\n' ORDER BY pg_get_indexdef(i.indexrelid)) "
      "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT c.relispartition AND c.relnamespace "
      "IN "
      "(SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'o.dd'))");
}

}  // namespace

TEST_CASE(
    "an index is read from the catalog, written as a profile, read back and made again, byte for byte") {
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  const Database database;
  IndexGenerator generator(first_seed, database);
  int made = 0;
  for (int i = 0; i < cases(); ++i) {
    const std::string sql = create_sql(generator.definition(i));
    try {
      database.exec(sql);
      ++made;
    } catch (const pg::ServerError& error) {
      // Two INCLUDE lists, a method without the class: what this server does not take is no case.
      CAPTURE(sql);
      CHECK_MESSAGE(error.sqlstate != "42601", error.message);
    }
  }
  CHECK(made > cases() / 2);
  database.exec(
      "DO $$ DECLARE i record; BEGIN FOR i IN SELECT c.oid::regclass AS name FROM pg_class c WHERE relkind = "
      "'i' "
      "AND relnamespace = 'public'::regnamespace AND NOT relispartition AND oid::int8 % 3 = 0 LOOP EXECUTE "
      "format('COMMENT ON INDEX %s IS %L', i.name, 'it''s \"' || i.name || E'\"\\n${X}'); END LOOP; END $$");

  const LiveSchema live = catalog_of(database);
  const auto& indexes = live.of<Index>();
  REQUIRE(static_cast<int>(indexes.size()) == made);
  const std::string text = profile_text(live, "public");
  const files::Profile profile = files::parse_profile(text, "p.toml", no_environment);
  const auto& declared = profile.desired.of<Index>();
  REQUIRE(declared.size() == indexes.size());

  const std::string before = definitions(database);
  for (const auto& index : indexes) database.exec("DROP INDEX " + to_sql(index.value.name));
  CHECK(catalog_of(database).of<Index>().empty());
  for (const auto& index : declared) {
    const std::string sql =
        create_sql(index.value, quote_ident(index.value.name.name), to_sql(index.value.table), false);
    CAPTURE(sql);
    database.exec("SET search_path TO pg_catalog, public; " + sql);
    if (!index.value.comment.empty())
      database.exec("COMMENT ON INDEX " + to_sql(index.value.name) + " IS " +
                    quote_literal(index.value.comment));
  }
  CHECK(definitions(database) == before);
  CHECK(profile_text(catalog_of(database), "public") == text);
}

TEST_CASE("what is no index of the profile's is not read") {
  const Database database;
  database.exec(
      "CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE, c int, EXCLUDE USING btree (c WITH =));"
      "CREATE TEMP TABLE x (a int); CREATE INDEX ON x (a);"
      "CREATE SCHEMA kdb; CREATE TABLE kdb.runs (a int); CREATE INDEX ON kdb.runs (a);"
      "CREATE TABLE part (a int) PARTITION BY RANGE (a);"
      "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10); CREATE INDEX part_a ON part (a);"
      "CREATE INDEX part_1_own ON part_1 (a, a)");
  std::string names;
  const LiveSchema live = catalog_of(database);
  for (const auto& index : live.of<Index>()) names += to_text(index.value.name, "public") + " ";
  CHECK(names == "part_1_own part_a ");
}

TEST_CASE("the definitions are printed by parallel workers where there are many") {
  const Database database;
  Session session(database.url());
  session.exec(
      "SET parallel_setup_cost TO 0; SET parallel_tuple_cost TO 0; SET min_parallel_table_scan_size TO 0; "
      "SET max_parallel_workers_per_gather TO 2");
  const ServerFacts facts = pg::read_facts(session.connection(), "public", "kdb");
  const pg::Result rows = session.exec("EXPLAIN (VERBOSE, COSTS OFF) " + Index::catalog_query(facts));
  std::string plan;
  for (size_t row = 0; row < rows.size(); ++row) plan += rows.text(row, 0) + "\n";
  // In parentheses it is what a node was given by the one below it.
  const size_t gather = plan.find("Gather");
  CHECK_MESSAGE(plan.find("(pg_get_indexdef(i.indexrelid))", gather) < plan.find("->", gather), plan);
}

}  // namespace kdb::test::index_kind_test
