// The four laws, over generated schemas: what `kdb inspect` wrote is what `kdb plan` finds; what is lost `kdb
// apply` makes again, the same; then there is nothing to do; and what is not declared is listed.
#include "db/catalog.hpp"
#include "db/index_generator.hpp"
#include "db/table_generator.hpp"
#include "support/cases.hpp"

namespace kdb::test::laws_test {

namespace {

/// Runs what the server takes of generated statements.
void make(Session& session, const std::vector<std::string>& statements) {
  for (const std::string& sql : statements) try {
      session.exec(sql);
    } catch (const pg::ServerError&) {
      continue;
    }
}

/// Everything that the profile declares, by what the server says of it.
std::string definitions(const Database& database) {
  return database.text(R"(
    SELECT string_agg(line, E'\n' ORDER BY line) FROM (
      SELECT pg_get_indexdef(i.indexrelid) || coalesce(' -- ' || obj_description(i.indexrelid), '') || ' ' ||
             i.indisvalid AS line
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE NOT c.relispartition AND c.relnamespace::regnamespace::text IN ('public', '"o.dd"')
      UNION ALL
      SELECT pg_get_statisticsobjdef(oid) || ' ' || coalesce(nullif(stxstattarget, -1), -1)
             || coalesce(' -- ' || obj_description(oid), '') FROM pg_statistic_ext) lines)");
}

/// As json has it.
std::string json_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

struct Schema {
  Database database;
  Project project;
  TempDir folder;
  std::string profile;

  explicit Schema(unsigned first_seed) {
    IndexGenerator indexes(first_seed, database);
    TableGenerator tables(first_seed + 1);
    Session session(database.url());
    for (int i = 0; i < cases(); ++i) make(session, {create_sql(indexes.definition(i))});
    for (int i = 0; i < cases() / 4; ++i) make(session, tables.table(i));
    const Run inspected = project.kdb(database.url(), {"inspect"});
    REQUIRE_MESSAGE(inspected.exit == 0, inspected.err);
    profile = folder.write("p.toml", inspected.out).string();
  }

  Run kdb(std::vector<std::string> words) const {
    words.insert(words.end(), {"--only", "profile", "-p", profile});
    return project.kdb(database.url(), words);
  }
};

}  // namespace

TEST_CASE("round trip: what inspect wrote, planned against the same database, is empty") {
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  const Schema schema(first_seed);
  const Run plan = schema.kdb({"plan", "--exit-code"});
  CHECK(plan.exit == 0);
  CAPTURE(plan.err);
  CHECK_MESSAGE(plan.out.find("nothing to do") != std::string::npos, plan.out);
}

TEST_CASE(
    "convergence and idempotence: what is lost is made again, the same, and then there is nothing to do") {
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  const Schema schema(first_seed);
  const std::string before = definitions(schema.database);
  schema.database.exec(R"(
    DO $$ DECLARE one record; BEGIN
      FOR one IN SELECT indexrelid::regclass AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE NOT c.relispartition AND c.relnamespace::regnamespace::text IN ('public', '"o.dd"')
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
      LOOP EXECUTE format('DROP INDEX %s', one.name); END LOOP;
      FOR one IN SELECT stxnamespace::regnamespace AS schema, stxname AS name FROM pg_statistic_ext
      LOOP EXECUTE format('DROP STATISTICS %s.%I', one.schema, one.name); END LOOP;
    END $$)");
  CHECK(definitions(schema.database) != before);

  const Run apply = schema.kdb({"apply"});
  CHECK_MESSAGE(apply.exit == 0, apply.err);
  CHECK(definitions(schema.database) == before);

  const Run plan = schema.kdb({"plan", "--exit-code"});
  CHECK_MESSAGE(plan.exit == 0, plan.out);
  const std::string rows = schema.database.text("SELECT count(*) FROM kdb.steps");
  const Run again = schema.kdb({"apply"});
  CHECK_MESSAGE(again.exit == 0, again.err);
  CHECK(again.out.find("nothing to do") != std::string::npos);
  CHECK(schema.database.text("SELECT count(*) FROM kdb.steps") == rows);
}

TEST_CASE("convergence: whatever the tables were before, they are as declared after") {
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  const Schema schema(first_seed);
  // Another hand sets all tables to something else.
  schema.database.exec(R"(
    DO $$ DECLARE one record; BEGIN
      FOR one IN SELECT c.oid::regclass AS name, c.relkind FROM pg_class c
        WHERE relkind IN ('r', 'm') AND NOT relispartition
          AND relnamespace::regnamespace::text IN ('public', '"o.dd"')
      LOOP
        EXECUTE format('ALTER %s %s SET (fillfactor = 55)',
                       CASE one.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, one.name);
        IF one.relkind = 'r' THEN
          EXECUTE format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', one.name);
          EXECUTE format('ALTER TABLE %s ALTER a SET STATISTICS 7', one.name);
          EXECUTE format('COMMENT ON TABLE %s IS %L', one.name, 'changed');
        END IF;
      END LOOP;
    END $$)");
  const Run drifted = schema.kdb({"plan", "--exit-code"});
  CHECK_MESSAGE(drifted.exit == 2, drifted.out);
  const Run apply = schema.kdb({"apply"});
  CHECK_MESSAGE(apply.exit == 0, apply.err);
  const Run plan = schema.kdb({"plan", "--exit-code"});
  CHECK_MESSAGE(plan.exit == 0, plan.out);
}

TEST_CASE("no silent omission: what no profile declares is listed, all of it") {
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  const Schema schema(first_seed);
  const std::string empty = schema.folder.write("empty-profile.toml", "").string();
  const Run plan = schema.project.kdb(schema.database.url(),
                                      {"plan", "--only", "profile", "--format", "json", "-p", empty});
  CHECK_MESSAGE(plan.exit == 0, plan.err);
  const LiveSchema live = catalog_of(schema.database);
  for (const auto& index : live.of<Index>())
    CHECK_MESSAGE(
        plan.out.find(R"("object": )" + json_text(to_text(index.value.name, "public"))) != std::string::npos,
        index.value.name.name);
  for (const auto& statistics : live.of<Statistics>())
    CHECK(plan.out.find(R"("object": )" + json_text(to_text(statistics.value.name, "public"))) !=
          std::string::npos);
}

}  // namespace kdb::test::laws_test
