// Extensions, tables and statistics against real servers: what the catalog says, a profile says too.
#include <random>

#include "base/text.hpp"
#include "core/profile_text.hpp"
#include "db/catalog.hpp"
#include "db/project.hpp"
#include "support/cases.hpp"

namespace kdb::test {

namespace {

/// Statements that give a table properties of all kinds, some of which the server may refuse.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::vector<std::string> table(int number) {
    const std::string table = name("t", number);
    const std::string column = one_of({"a", "\"b = c\"", "\"ż \"\"ó\""});
    const std::string with = chance(30) ? " WITH (" + parameter() + ")" : "";
    const std::string partitioned = with.empty() && chance(15) ? " PARTITION BY RANGE (a)" : "";
    std::vector<std::string> sql = {"CREATE TABLE " + table +
                                    " (a int PRIMARY KEY, \"b = c\" text, \"ż \"\"ó\" numeric, d jsonb)" +
                                    partitioned + with};
    const std::string alter = "ALTER TABLE " + table + " ";
    if (chance(30)) sql.push_back(alter + "ALTER " + column + " SET STATISTICS " + number_text(10'000));
    if (chance(30))
      sql.push_back(alter + "ALTER \"b = c\" SET STORAGE " + one_of({"EXTERNAL", "PLAIN", "MAIN"}));
    if (chance(20)) sql.push_back(alter + "ALTER d SET COMPRESSION pglz");
    if (chance(20)) sql.push_back(alter + "SET (toast.autovacuum_enabled = off)");
    if (chance(15)) sql.push_back(alter + "ALTER a SET (n_distinct = -0.5)");
    if (chance(30))
      sql.push_back(alter + "REPLICA IDENTITY " + one_of({"FULL", "NOTHING", "USING INDEX " + key()}));
    if (chance(20)) sql.push_back(alter + "CLUSTER ON " + key());
    if (chance(30)) sql.push_back("COMMENT ON TABLE " + table + " IS " + quote_literal(text()));
    if (chance(30))
      sql.push_back("COMMENT ON COLUMN " + table + "." + column + " IS " + quote_literal(text()));
    if (chance(40)) {
      const std::string statistics = name("s", number);
      sql.push_back("CREATE STATISTICS " + statistics + kinds() + " ON " + what() + " FROM " + table);
      if (chance(30))
        sql.push_back("ALTER STATISTICS " + statistics + " SET STATISTICS " + number_text(1000));
      if (chance(30)) sql.push_back("COMMENT ON STATISTICS " + statistics + " IS " + quote_literal(text()));
    }
    return sql;
  }

 private:
  size_t pick(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }
  bool chance(size_t percent) { return pick(100) < percent; }
  std::string one_of(std::vector<std::string> words) { return words[pick(words.size())]; }
  std::string number_text(size_t most) { return std::to_string(pick(most + 1)); }

  std::string name(const std::string& prefix, int number) {
    last_ = prefix + std::to_string(number) + one_of({"", ".x", " \"q\"", ";--", "ł"});
    return one_of({"public", "\"o.dd\""}) + "." + quote_ident(last_);
  }
  std::string key() { return quote_ident(last_ + "_pkey"); }
  std::string parameter() {
    return one_of({"fillfactor = 70", "autovacuum_enabled = off, toast.autovacuum_enabled = off",
                   "autovacuum_vacuum_scale_factor = 0.02, fillfactor=90", "parallel_workers = 3",
                   "toast_tuple_target = 256"});
  }
  std::string kinds() {
    return one_of(
        {"", "", " (mcv)", " (ndistinct, mcv)", " (dependencies)", " (mcv, dependencies, ndistinct)"});
  }
  std::string what() {
    return one_of({"a, \"b = c\"", "a, \"ż \"\"ó\", \"b = c\"", "a, (lower(\"b = c\"))", "(a + 1), (a % 7)",
                   "(\"b = c\" || ', )(''')"});
  }
  std::string text() {
    return one_of({"plain", "it's \"quoted\"", "two\nlines", "${HOME} \\ tab\t", "żółw"});
  }

  std::mt19937 random_;
  std::string last_;
};

template <class Kind>
void check_declared(const LiveSchema& live, const DesiredSchema& desired) {
  std::map<ObjectName, const Declared<Kind>*> by_name;
  for (const auto& one : desired.of<Kind>()) by_name[one.value.name] = &one;
  for (const auto& one : live.of<Kind>()) {
    const auto found = by_name.find(one.value.name);
    if (found == by_name.end()) {
      CHECK(one.value == Kind{.name = one.value.name});  // there is nothing to say of it
      continue;
    }
    CAPTURE(to_sql(one.value.name));
    CHECK(found->second->value == one.value);
  }
}

}  // namespace

TEST_CASE("tables and statistics are read from the catalog, written as a profile, and read back the same") {
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  Generator generator(first_seed);
  const Database database;
  database.exec("CREATE SCHEMA \"o.dd\"");
  Session session(database.url());
  int refused = 0;
  for (int i = 0; i < cases(); ++i)
    for (const std::string& sql : generator.table(i)) {
      CAPTURE(sql);
      try {
        session.exec(sql);
      } catch (const pg::ServerError& error) {
        ++refused;  // a partitioned table has no parameters, and the key of one is no index to cluster by
        CHECK_MESSAGE(error.sqlstate != "42601", error.message);
      }
    }
  CHECK(refused < cases() / 2);

  const LiveSchema live = catalog_of(database);
  CHECK(static_cast<int>(live.of<TableProperties>().size()) == cases());
  CHECK_FALSE(live.of<Statistics>().empty());
  const std::string text = profile_text(live, "public");
  const DesiredSchema desired = files::parse_profile(text, "p.toml", no_environment).desired;
  check_declared<TableProperties>(live, desired);
  check_declared<Statistics>(live, desired);

  const std::string definitions =
      "SELECT string_agg(pg_get_statisticsobjdef(oid), E'\\n' ORDER BY stxnamespace::regnamespace::text, "
      "stxname) "
      "FROM pg_statistic_ext";
  const std::string before = session.text(definitions);
  for (const auto& one : live.of<Statistics>()) session.exec("DROP STATISTICS " + to_sql(one.value.name));
  session.exec("SET search_path TO pg_catalog, public");
  for (const auto& one : desired.of<Statistics>())
    session.exec(create_sql(one.value, to_sql(one.value.name), to_sql(one.value.table)));
  session.exec("RESET search_path");
  CHECK(session.text(definitions) == before);
  for (const auto& table : live.of<TableProperties>())
    if (!table.facts.unmanaged.empty()) CHECK(text.find("# not managed: the attribute options") != text.npos);
}

TEST_CASE("an extension is written without what nobody would write") {
  const Database database;
  database.exec("CREATE SCHEMA x");
  const auto available = [&](const std::string& name) {
    return database.text("SELECT count(*) FROM pg_available_extensions WHERE name = '" + name + "'") == "1";
  };
  if (!available("pg_trgm") || !available("btree_gin")) return skip("no contrib extensions");
  database.exec("CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin SCHEMA x");
  const std::string version =
      database.text("SELECT extversion FROM pg_extension WHERE extname = 'btree_gin'");
  const std::string trgm = database.text("SELECT extversion FROM pg_extension WHERE extname = 'pg_trgm'");
  CHECK(profile_text(catalog_of(database), "public") ==
        "# version " + version + "\n[extensions.btree_gin]\nschema = \"x\"\n\n# version " + trgm +
            "\n[extensions.pg_trgm]\n");
}

}  // namespace kdb::test
