// The kind "index" against real servers: what the catalog says is enough to make the same index again.
#include <random>

#include "base/text.hpp"
#include "core/profile_text.hpp"
#include "db/catalog.hpp"
#include "db/project.hpp"
#include "support/cases.hpp"

namespace kdb::test {

namespace {

/// Random definitions over one table with odd names.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  static constexpr const char* tables =
      "CREATE SCHEMA \"o.dd\"; CREATE EXTENSION IF NOT EXISTS plpgsql;"
      "CREATE TABLE t (a int, b text, \"C; d\" numeric, \"żó\" timestamptz, j jsonb, ar int[], r int4range, "
      "p point);"
      "CREATE TABLE \"o.dd\".\"it's a \"\"t\" (LIKE t);"
      "CREATE TABLE part (LIKE t) PARTITION BY RANGE (a);"
      "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);"
      "CREATE MATERIALIZED VIEW m AS SELECT * FROM t";

  std::string definition(int number) {
    const std::string method = one_of({"btree", "btree", "btree", "hash", "gin", "gist", "brin", "spgist"});
    const bool ordered = method == "btree";
    const bool unique = ordered && chance(25);
    std::string table = one_of({"t", "t", "\"o.dd\".\"it's a \"\"t\"", "part", "m"});
    if (unique && table == "part") table = "t";
    std::string sql = "CREATE " + std::string(unique ? "UNIQUE " : "") + "INDEX " + name(number) + " ON " +
                      table + " USING " + method + " (" + column(method);
    const bool several = method != "hash" && method != "spgist";
    for (int more = several ? static_cast<int>(pick(3)) : 0; more > 0; --more) sql += ", " + column(method);
    sql += ")";
    if ((ordered || method == "gist") && chance(25))
      sql += " INCLUDE (b" + std::string(chance(50) ? ", \"C; d\")" : ")");
    if (unique && nulls_not_distinct && chance(30)) sql += " NULLS NOT DISTINCT";
    if (chance(30)) sql += " WITH (" + parameter(method) + ")";
    if (chance(40)) sql += " WHERE " + predicate();
    return sql;
  }

  bool nulls_not_distinct = false;  // the server has it

 private:
  size_t pick(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }
  bool chance(size_t percent) { return pick(100) < percent; }
  std::string one_of(std::vector<std::string> words) { return words[pick(words.size())]; }

  std::string name(int number) {
    const std::string n = std::to_string(number);
    return one_of({"i" + n, "\"I " + n + "\"", "\"a.b" + n + "\"", "\"q\"\"u;'" + n + "\"",
                   "\"żółw ( " + n + "\"", "\"" + std::string(58, 'x') + n + "\"", "\"USING " + n + "\""});
  }

  std::string column(const std::string& method) {
    if (method == "gin")
      return one_of({"j", "j jsonb_path_ops", "ar", "to_tsvector('simple'::regconfig, b)"});
    if (method == "gist") return one_of({"r", "p", "box(p, p)"});
    if (method == "spgist") return one_of({"r", "p", "b", "lower(b)"});
    if (method == "hash") return one_of({"a", "b", "lower(b)", "(a + 1)"});
    if (method == "brin")
      return one_of({"a", "\"żó\"", "a int4_minmax_multi_ops", "\"żó\" timestamptz_bloom_ops",
                     "a int4_minmax_multi_ops (values_per_range = 16)"});
    std::string sql =
        one_of({"a", "b", "\"C; d\"", "\"żó\"", "lower(b)", "(a + 1)", "(b || ', )(''')",
                "COALESCE(b, 'x\"y')", "(j ->> 'k')", "(ar[1])", "b COLLATE \"C\"", "b text_pattern_ops",
                "lower(b) COLLATE \"POSIX\" text_pattern_ops", "(CASE WHEN a > 0 THEN 1 ELSE 0 END)"});
    if (chance(30)) sql += " DESC";
    if (chance(30)) sql += one_of({" NULLS FIRST", " NULLS LAST"});
    return sql;
  }

  std::string parameter(const std::string& method) {
    if (method == "brin")
      return one_of({"pages_per_range = 32", "autosummarize", "autosummarize = off, pages_per_range = 8"});
    if (method == "gin") return one_of({"fastupdate = off", "gin_pending_list_limit = 512"});
    if (method == "gist") return one_of({"fillfactor = 70", "buffering = auto"});
    if (method == "btree")
      return one_of({"fillfactor = 70", "deduplicate_items = off", "fillfactor=90, deduplicate_items=on"});
    return "fillfactor = 60";
  }

  std::string predicate() {
    return one_of({"a > 0", "b IS NOT NULL", "(a = 1) AND (b = ')')", "b IN ('x', 'y''z', 'w;--')",
                   "\"C; d\" > 1.5", "(a) = (a)", "NOT (a = 1)",
                   "(a = 1 OR a = 2) AND (b <> 'q' OR b <> 'r')", "b LIKE E'a\\\\_%'", "(ar[1]) > 0",
                   "a > 0 AND (j ->> '$x') = '{'"});
  }

  std::mt19937 random_;
};

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
  Generator generator(first_seed);
  const Database database;
  database.exec(Generator::tables);
  generator.nulls_not_distinct =
      database.text("SELECT current_setting('server_version_num')::int >= 150000") == "t";
  int made = 0;
  for (int i = 0; i < cases(); ++i) {
    const std::string sql = generator.definition(i);
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

}  // namespace kdb::test
