// Extensions, tables and statistics against real servers: what the catalog says, a profile says too.
#include "base/text.hpp"
#include "core/profile_text.hpp"
#include "db/catalog.hpp"
#include "db/project.hpp"
#include "db/table_generator.hpp"
#include "support/cases.hpp"

namespace kdb::test::objects_test {

namespace {

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
  TableGenerator generator(first_seed);
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

}  // namespace kdb::test::objects_test
