// `kdb plan` and `kdb apply`: each kind of change, what blocks it, and what a person is told.
#include <csignal>
#include <filesystem>

#include "db/catalog.hpp"
#include "db/project.hpp"
#include "support/json.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::apply_test {

namespace {

/// A database with a profile, and kdb on both.
struct Shop {
  Database database;
  Project project;
  TempDir folder;
  std::string profile;

  explicit Shop(const std::string& toml, const std::string& more = {}) {
    std::filesystem::create_directories(project.folder());
    database.exec(
        "CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz, kind text, payload jsonb, value "
        "numeric);"
        "INSERT INTO orders SELECT i, now(), 'k' || i % 7, '{}', i FROM generate_series(1, 1000) i;"
        "CREATE TABLE nothing (a int, b int);" +
        more);
    declare(toml);
  }

  void declare(const std::string& toml) { profile = folder.write("p.toml", toml).string(); }

  std::vector<std::string> command(std::vector<std::string> words) const {
    words.insert(words.end(), {"-p", profile});
    return project.command(database.url(), words);
  }
  Run kdb(const std::vector<std::string>& words) const { return run(command(words)); }

  /// Applies, and checks that nothing is left.
  void apply(const std::vector<std::string>& allow = {}) const {
    std::vector<std::string> words = {"apply"};
    for (const std::string& hazard : allow) words.insert(words.end(), {"--allow", hazard});
    const Run applied = kdb(words);
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    const Run plan = kdb({"plan", "--exit-code"});
    CHECK_MESSAGE(plan.exit == 0, (plan.out + plan.err));
  }

  std::string indexes(const std::string& table = "orders") const {
    return database.text(
        "SELECT coalesce(string_agg(c.relname || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END, "
        "', ' ORDER BY c.relname COLLATE \"C\"), '') FROM pg_index i JOIN pg_class c ON c.oid = "
        "i.indexrelid WHERE NOT i.indisprimary AND i.indrelid = '" +
        table + "'::regclass");
  }
};

constexpr const char* by_kind = "[indexes.orders_kind]\ntable = \"orders\"\ncolumns = [\"kind\"]\n";

/// Fails the building of a unique index in its middle: what is left is invalid.
void leave_invalid(const Shop& shop, const std::string& name) {
  try {
    shop.database.exec("CREATE UNIQUE INDEX CONCURRENTLY " + name + " ON orders (kind)");
    FAIL("built");
  } catch (const pg::ServerError& error) {
    CHECK(error.sqlstate == "23505");
  }
}

}  // namespace

TEST_CASE("a plan says how much disk an index will take") {
  const Shop shop(
      "[indexes.orders_kind]\ntable = \"orders\"\ncolumns = [\"id\", \"kind\"]\n"
      "[indexes.orders_payload]\ntable = \"orders\"\nmethod = \"gin\"\ncolumns = [\"payload\"]\n",
      "INSERT INTO orders SELECT i, now(), 'kind ' || i, '{}', i FROM generate_series(1001, 100000) i;"
      "ANALYZE orders;");
  const Run planned = shop.kdb({"plan", "--format", "json"});
  CHECK_MESSAGE(planned.exit == 0, planned.err);
  const double expected = std::stod(json_at(planned.out, "/changes/0/estimate/disk"));
  CHECK_FALSE(json_at(planned.out, "/changes/1/estimate").empty());
  CHECK(json_at(planned.out, "/changes/1/estimate/disk").empty());
  CHECK(json_at(planned.out, "/changes/2").empty());
  CHECK(has(shop.kdb({"plan"}).out, "; takes up to "));
  shop.apply();
  const double size = std::stod(shop.database.text("SELECT pg_relation_size('orders_kind')"));
  CHECK(expected == doctest::Approx(size).epsilon(0.1));
}

TEST_CASE("an index that will not fit on the server's disk is not begun") {
  const Shop shop(by_kind,
                  "ANALYZE orders; UPDATE pg_class SET reltuples = 1e14 WHERE oid = 'orders'::regclass;");
  const Run refused = shop.kdb({"apply"});
  CHECK(refused.exit == 3);
  CHECK_MESSAGE(has(refused.err, "the new indexes may take "), refused.err);
  CHECK_MESSAGE(has(refused.err, " are free where the server has its data, /"), refused.err);
  CHECK_MESSAGE(has(refused.err, "`--allow DISK_SPACE` begins all the same"), refused.err);
  CHECK(shop.indexes() == "");
  shop.apply({"DISK_SPACE"});
  CHECK(shop.indexes() == "orders_kind");
}

TEST_CASE("a plan says what is hardly meant, knowing what is in the tables") {
  const Shop shop(
      "[indexes.orders_at]\ntable = \"orders\"\nmethod = \"brin\"\ncolumns = [\"value\"]\n"
      "[indexes.orders_kind]\ntable = \"orders\"\ncolumns = [\"kind\", \"id\"]\nwhere = \"kind = 'k1'\"\n",
      "INSERT INTO orders SELECT i, now(), 'k', '{}', (i * 7919) % 100003 FROM generate_series(1001, 20000) "
      "i;"
      "ANALYZE orders;");
  const Run planned = shop.kdb({"plan"});
  CHECK(planned.exit == 0);
  CHECK_MESSAGE(has(planned.out, "p.toml:4:11: warning[brin-uncorrelated]: index orders_at is of no use"),
                planned.out);
  CHECK(has(planned.out, "p.toml:7:11: note[constant-index-column]: index orders_kind begins with kind"));
  const std::pair<const char*, const char*> formats[] = {{"json", "\"rule\": \"brin-uncorrelated\""},
                                                         {"sarif", "\"ruleId\": \"brin-uncorrelated\""},
                                                         {"github", "title=brin-uncorrelated::"},
                                                         {"markdown", "is of no use"}};
  for (const auto& format : formats) {
    CAPTURE(std::string(format.first));
    CHECK(has(shop.kdb({"plan", "--format", format.first}).out, format.second));
  }
  shop.apply();  // a finding forbids nothing, and is about what is yet to be made
  CHECK(!has(shop.kdb({"plan"}).out, "brin-uncorrelated"));
}

TEST_CASE("names without a schema are those of the profile's, whatever the session's path is") {
  const Database database;
  database.exec(
      "CREATE SCHEMA app; CREATE TABLE app.orders (a int); CREATE TABLE public.orders (a int);"
      "CREATE FUNCTION app.twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * n'");
  Project project;
  std::filesystem::create_directories(project.folder());
  TempDir folder;
  const std::string profile =
      folder
          .write(
              "p.toml",
              "[database]\nschema = \"app\"\n[indexes.orders_twice]\ntable = \"orders\"\ncolumns = "
              "[\"twice(a)\"]\n[statistics.orders_s]\ntable = \"orders\"\ncolumns = [\"(a + twice(a))\"]\n")
          .string();
  const auto kdb = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"-p", profile});
    return run(project.command(database.url(), words));
  };
  const Run applied = kdb({"apply"});
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(database.text("SELECT indexdef FROM pg_indexes WHERE indexname = 'orders_twice'") ==
        "CREATE INDEX orders_twice ON app.orders USING btree (app.twice(a))");
  CHECK(kdb({"plan", "--exit-code"}).exit == 0);
}

TEST_CASE("each right that is missing is named before anything is changed") {
  const Shop shop(std::string(by_kind) +
                  "[indexes.hers_n]\ntable = \"hers\"\ncolumns = [\"n\"]\n"
                  "[indexes.away_n]\ntable = \"s.away\"\ncolumns = [\"n\"]\n");
  const std::string suffix = shop.database.name();
  const std::string deploy = "deploy_" + suffix;
  const std::string owner = "owner_" + suffix;
  Session session(shop.database.url());
  session.exec("CREATE ROLE " + deploy + " LOGIN; CREATE ROLE " + owner + "; GRANT ALL ON DATABASE " +
               shop.database.name() + " TO " + deploy +
               "; CREATE TABLE hers (n int); CREATE SCHEMA s; CREATE TABLE "
               "s.away (n int); ALTER TABLE orders OWNER TO " +
               owner + "; ALTER TABLE hers OWNER TO " + deploy + "; ALTER TABLE s.away OWNER TO " + deploy +
               "; GRANT SELECT ON orders TO " + deploy + "; GRANT USAGE ON SCHEMA s TO " + deploy +
               "; GRANT CREATE ON SCHEMA public TO " + deploy);
  const std::string url =
      shop.database.url() + (has(shop.database.url(), "?") ? "&" : "?") + "user=" + deploy;
  const Run refused = run(shop.project.command(url, {"apply", "-p", shop.profile}));
  CHECK(refused.exit == 1);
  CHECK_MESSAGE(has(refused.err, "role " + deploy + " may not change orders, which belongs to " + owner),
                refused.err);
  CHECK(has(refused.err, "role " + deploy + " may create nothing in schema s"));
  CHECK(!has(refused.err, "hers"));
  CHECK(shop.indexes("hers") == "");
  session.exec("GRANT " + owner + " TO " + deploy + "; GRANT CREATE ON SCHEMA s TO " + deploy +
               "; GRANT CREATE ON "
               "SCHEMA public TO " +
               owner);
  const Run applied = run(shop.project.command(url, {"apply", "-p", shop.profile}));
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(shop.indexes("hers") == "hers_n");
  session.exec("DROP OWNED BY " + deploy + ", " + owner + "; DROP ROLE " + deploy + ", " + owner);
}

TEST_CASE("each kind of change is planned, applied, and gone from the next plan") {
  struct Case {
    const char* name;
    const char* before;
    std::string toml;
    const char* planned;  // in the text of the plan
    const char* after;    // a query that is true then
  };
  const Case rows[] = {
      {"create an index", "", by_kind, "create   index orders_kind on orders",
       "SELECT pg_get_indexdef('orders_kind'::regclass) LIKE '%(kind)'"},
      {"with everything that CREATE INDEX cannot say", "",
       "[indexes.i]\ntable = \"orders\"\ncolumns = [\"(value + 1)\"]\ncomment = \"it's\"\nstatistics = { 1 = "
       "77 }\n",
       "create   index i",
       "SELECT obj_description('i'::regclass) = 'it''s' AND (SELECT attstattarget = 77 FROM pg_attribute "
       "WHERE "
       "attrelid = 'i'::regclass)"},
      {"another definition under the same name", "CREATE INDEX orders_kind ON orders (kind, at)", by_kind,
       "columns: kind, at → kind", "SELECT pg_get_indexdef('orders_kind'::regclass) LIKE '%(kind)'"},
      {"the same definition under another name", "CREATE INDEX other ON orders (kind)", by_kind,
       "is there as other", "SELECT to_regclass('other') IS NULL"},
      {"a parameter in place", "CREATE INDEX orders_kind ON orders (kind) WITH (fillfactor = 50)",
       std::string(by_kind) + "with = { fillfactor = 70 }\n", "alter    index orders_kind",
       "SELECT reloptions = '{fillfactor=70}' FROM pg_class WHERE relname = 'orders_kind'"},
      {"a parameter that needs another index",
       "CREATE INDEX i ON orders USING brin (at) WITH (pages_per_range = 4)",
       "[indexes.i]\ntable = \"orders\"\nmethod = \"brin\"\ncolumns = [\"at\"]\n", "replace  index i",
       "SELECT reloptions IS NULL FROM pg_class WHERE relname = 'i'"},
      {"an index that is to be absent", "CREATE INDEX i ON nothing (a)",
       "[indexes.i]\ntable = \"nothing\"\ncolumns = [\"a\"]\nstate = \"absent\"\n",
       "drop     index i on nothing", "SELECT to_regclass('i') IS NULL"},
      {"statistics", "", "[statistics.s]\ntable = \"orders\"\ncolumns = [\"kind\", \"at\"]\ntarget = 50\n",
       "create   statistics s on orders",
       "SELECT stxstattarget = 50 AND EXISTS (SELECT FROM pg_statistic_ext_data) FROM pg_statistic_ext"},
      {"other statistics", "CREATE STATISTICS s (mcv) ON kind, value FROM orders",
       "[statistics.s]\ntable = \"orders\"\ncolumns = [\"at\", \"kind\"]\n", "replace  statistics s",
       "SELECT pg_get_statisticsobjdef(oid) LIKE '%ON at, kind FROM%' FROM pg_statistic_ext"},
      {"a table's parameters", "ALTER TABLE orders SET (fillfactor = 50, parallel_workers = 2)",
       "[tables.orders]\nstorage = { fillfactor = 90, \"toast.autovacuum_enabled\" = false }\n",
       "storage.fillfactor: 50 → 90",
       "SELECT reloptions @> '{fillfactor=90,parallel_workers=2}' FROM pg_class WHERE relname = 'orders'"},
      {"a table's columns", "",
       "[tables.orders]\nstatistics = { kind = 500 }\ncolumn_storage = { payload = \"external\" }\n"
       "compression = { kind = \"pglz\" }\ncomments = { kind = \"what\" }\n",
       "statistics.kind: not set → 500",
       "SELECT attstattarget = 500 AND attcompression = 'p' AND col_description(attrelid, attnum) = 'what' "
       "FROM "
       "pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'kind'"},
      {"a table's replica identity",
       "CREATE UNIQUE INDEX u ON nothing (a); ALTER TABLE nothing ALTER a SET NOT NULL",
       "[tables.nothing]\nreplica_identity = \"index u\"\ncluster = \"u\"\n",
       "replica_identity: not set → index u",
       "SELECT indisreplident AND indisclustered FROM pg_index WHERE indexrelid = 'u'::regclass"},
      {"an identity that goes back", "ALTER TABLE orders REPLICA IDENTITY FULL",
       "[tables.orders]\nreplica_identity = \"default\"\n", "replica_identity: full → not set",
       "SELECT relreplident = 'd' FROM pg_class WHERE relname = 'orders'"},
      {"an extension", "", "[extensions.pg_trgm]\n", "create   extension pg_trgm",
       "SELECT count(*) = 1 FROM pg_extension WHERE extname = 'pg_trgm'"},
      {"names that are hard to write", "CREATE TABLE \"a \"\"b\"\".c;\" (\"x'y\" int)",
       "[indexes.'\"i.\"\"; --\"']\ntable = '\"a \"\"b\"\".c;\"'\ncolumns = [\"\\\"x'y\\\"\"]\n",
       "create   index", "SELECT count(*) = 1 FROM pg_class WHERE relname = 'i.\"; --'"},
  };
  for (const Case& row : rows) {
    CAPTURE(std::string(row.name));
    const Shop shop(row.toml, row.before);
    const Run plan = shop.kdb({"plan", "--exit-code"});
    CHECK_MESSAGE(plan.exit == 2, (plan.out + plan.err));
    CHECK_MESSAGE(has(plan.out, row.planned), plan.out);
    shop.apply();
    CHECK(shop.database.text(row.after) == "t");
    CHECK(shop.database.text("SELECT count(*) FROM pg_class WHERE relname LIKE 'kdb\\_%'") == "0");
  }
}

TEST_CASE("a replacement hands over what the table has set about the old index") {
  const Shop shop(
      "[indexes.u]\ntable = \"nothing\"\ncolumns = [\"a\"]\nunique = true\nwith = { fillfactor = 70 }\n"
      "include = [\"b\"]\n[tables.nothing]\nreplica_identity = \"index u\"\n",
      "CREATE UNIQUE INDEX u ON nothing (a); ALTER TABLE nothing ALTER a SET NOT NULL, REPLICA IDENTITY "
      "USING INDEX u, CLUSTER ON u");
  shop.apply();
  CHECK(shop.database.text(
            "SELECT indisreplident AND indisclustered AND indnatts = 2 FROM pg_index WHERE indexrelid "
            "= 'u'::regclass") == "t");
}

TEST_CASE("dropping an index of a table with rows needs to be allowed, by the flag that is printed") {
  const Shop shop(std::string(by_kind) + "state = \"absent\"\n", "CREATE INDEX orders_kind ON orders (kind)");
  const Run refused = shop.kdb({"apply"});
  CHECK(refused.exit == 3);
  CHECK(has(refused.err, "p.toml:1:10: INDEX_DROPPED: drops index orders_kind"));
  CHECK(has(refused.err, "--allow 'INDEX_DROPPED:orders_kind'"));
  CHECK(shop.indexes() == "orders_kind");
  CHECK(shop.database.text("SELECT to_regnamespace('kdb') IS NULL") == "t");  // not even a history
  shop.apply({"INDEX_DROPPED:orders_kind"});
  CHECK(shop.indexes() == "");
}

TEST_CASE("undeclared indexes are left alone, and only --prune drops those of an exclusive table") {
  const Shop shop(
      std::string(by_kind) + "[tables.orders]\nindexes = \"exclusive\"\n",
      "CREATE INDEX mine ON orders (at); CREATE INDEX other ON nothing (a); CREATE INDEX orders_kind ON "
      "orders (kind)");
  const Run plan = shop.kdb({"plan", "--exit-code"});
  CHECK(plan.exit == 2);
  CHECK(has(plan.out, "drift: --prune drops it"));
  const Run applied = shop.kdb({"apply"});
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(shop.indexes() == "mine, orders_kind");
  CHECK(shop.kdb({"apply", "--prune"}).exit == 3);
  const Run pruned = shop.kdb({"apply", "--prune", "--allow", "INDEX_DROPPED"});
  CHECK_MESSAGE(pruned.exit == 0, pruned.err);
  CHECK(shop.indexes() == "orders_kind");
  CHECK(shop.indexes("nothing") == "other");
}

TEST_CASE("what a table has that no profile declares is listed in words") {
  const Shop shop(
      "",
      "COMMENT ON TABLE nothing IS 'a'; COMMENT ON COLUMN nothing.a IS 'b'; COMMENT ON COLUMN nothing.b "
      "IS 'c'; ALTER TABLE orders SET (fillfactor = 90), REPLICA IDENTITY FULL");
  const Run plan = shop.kdb({"plan"});
  CHECK_MESSAGE(has(plan.out, "table         nothing         has a comment, comments of columns\n"),
                plan.out);
  CHECK(has(plan.out, "has storage parameters, a replica identity\n"));
}

TEST_CASE("an invalid index is no index: it is built again") {
  const Shop shop("[indexes.u]\ntable = \"orders\"\ncolumns = [\"kind\"]\nunique = true\n");
  leave_invalid(shop, "u");
  const Run plan = shop.kdb({"plan", "--exit-code"});
  CHECK(plan.exit == 2);
  CHECK(has(plan.out, "repair   index u on orders"));
  const Run failed = shop.kdb({"apply"});
  CHECK(failed.exit == 1);
  CHECK_MESSAGE(has(failed.err, "index u failed: could not create unique index"), failed.err);
  CHECK(has(failed.err, "p.toml:1:10"));
  CHECK(shop.indexes() == "");  // what failed left nothing behind
  shop.database.exec("DELETE FROM orders WHERE id > 7");
  shop.apply();
  CHECK(shop.indexes() == "u");
}

TEST_CASE("an invalid index that no profile declares is named as such") {
  const Shop shop("");
  leave_invalid(shop, "u");
  const Run plan = shop.kdb({"plan", "--exit-code"});
  CHECK(plan.exit == 0);
  CHECK(has(plan.out, "INVALID"));
}

TEST_CASE("an index that somebody else is building is left alone") {
  const Shop shop(by_kind);
  Session reader(shop.database.url());
  reader.exec("BEGIN; LOCK orders IN ROW EXCLUSIVE MODE");
  Child builder(
      {"psql", "-Xqc", "CREATE INDEX CONCURRENTLY orders_kind ON orders (kind)", shop.database.url()});
  REQUIRE(eventually([&] { return shop.indexes() == "orders_kind INVALID"; }));
  const Run plan = shop.kdb({"plan", "--exit-code"});
  CHECK(plan.exit == 2);
  CHECK_MESSAGE(has(plan.out, "index orders_kind is being built by pid"), plan.out);
  CHECK_FALSE(has(plan.out, "DROP"));
  reader.exec("COMMIT");
  CHECK(builder.wait().exit == 0);
  CHECK(shop.kdb({"plan", "--exit-code"}).exit == 0);
}

TEST_CASE("a declaration that the server refuses is said with its place, and nothing is done") {
  const Shop shop(std::string(by_kind) +
                  "[indexes.a]\ntable = \"orders\"\ncolumns = [\"lowr(kind)\"]\n"
                  "[indexes.b]\ntable = \"order\"\ncolumns = [\"kind\"]\n"
                  "[indexes.c]\ntable = \"orders\"\ncolumns = [\"kind\"]\nwhere = \"now() > at\"\n");
  for (const char* command : {"plan", "apply"}) {
    const Run run = shop.kdb({command});
    CHECK(run.exit == 1);
    const std::string said = run.out + run.err;
    CHECK_MESSAGE(has(said, "p.toml:6:1"), said);
    CHECK(has(said, "lowr"));
    CHECK(has(said, "index b: there is no table order"));
    CHECK(has(said, "IMMUTABLE"));
  }
  CHECK(shop.indexes() == "");
}

TEST_CASE(
    "an index that a table's properties name and that will not be there is said before anything is done") {
  constexpr const char* partitioned =
      "CREATE TABLE p (a int, b int) PARTITION BY RANGE (a); CREATE INDEX p_b ON p (b);"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)";
  struct Case {
    const char* name;
    std::string before;
    std::string toml;
    const char* said;  // nothing: it will be there
  };
  const std::vector<Case> rows = {
      {"a typo", "", "[tables.nothing]\ncluster = \"nope\"\n",
       "p.toml:2:11: table nothing: there is no index \"nope\" on it"},
      {"both", "", "[tables.nothing]\nreplica_identity = \"index nope\"\ncluster = \"also\"\n",
       "p.toml:3:11: table nothing: there is no index \"also\" on it"},
      {"of another table", "CREATE INDEX i ON orders (kind)", "[tables.nothing]\ncluster = \"i\"\n",
       "no index \"i\" on it"},
      {"declared for another table", "",
       std::string(by_kind) + "[tables.nothing]\ncluster = \"orders_kind\"\n",
       "no index \"orders_kind\" on it"},
      {"dropped by the profile", "CREATE INDEX i ON nothing (a); ALTER TABLE nothing CLUSTER ON i",
       "[tables.nothing]\ncluster = \"i\"\n[indexes.i]\ntable = \"nothing\"\ncolumns = [\"a\"]\nstate = "
       "\"absent\"\n",
       "no index \"i\" on it"},
      {"renamed by the profile", "CREATE INDEX i ON nothing (a)",
       "[tables.nothing]\ncluster = \"i\"\n[indexes.j]\ntable = \"nothing\"\ncolumns = [\"a\"]\n",
       "no index \"i\" on it"},
      {"a partition's part by its own name", partitioned, "[tables.p1]\ncluster = \"p1_b_idx\"\n",
       "it is a part of index p_b: name that"},
      {"there, and undeclared", "CREATE INDEX i ON nothing (a)", "[tables.nothing]\ncluster = \"i\"\n",
       nullptr},
      {"a constraint's", "", "[tables.orders]\nreplica_identity = \"index orders_pkey\"\n", nullptr},
      {"declared", "", "[tables.orders]\ncluster = \"orders_kind\"\n" + std::string(by_kind), nullptr},
      {"under its new name", "CREATE INDEX i ON orders (kind)",
       "[tables.orders]\ncluster = \"orders_kind\"\n" + std::string(by_kind), nullptr},
      {"a partition's part", partitioned, "[tables.p1]\ncluster = \"p_b\"\n", nullptr},
  };
  for (const Case& row : rows) {
    CAPTURE(std::string(row.name));
    const Shop shop(row.toml, row.before);
    if (row.said == nullptr) {
      shop.apply();
      continue;
    }
    for (const char* command : {"plan", "apply"}) {
      const Run run = shop.kdb({command});
      CHECK(run.exit == 1);
      CHECK_MESSAGE(has(run.out + run.err, row.said), (run.out + run.err));
    }
    CHECK(shop.database.text("SELECT to_regnamespace('kdb') IS NULL") == "t");
  }
}

TEST_CASE("an index that a table's properties name may come with a pending migration") {
  Shop shop("[tables.nothing]\ncluster = \"later\"\n");
  shop.project.migration("1_later", "DO $$ BEGIN CREATE INDEX later ON nothing (a); END $$;");
  CHECK(shop.kdb({"plan", "--only", "profile"}).exit == 1);
  const Run plan = shop.kdb({"plan", "--exit-code", "-o", shop.folder.path() / "plan.json"});
  CHECK_MESSAGE(plan.exit == 2, plan.err);
  const Run applied = shop.kdb({"apply", shop.folder.path() / "plan.json"});
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  shop.declare("[tables.nothing]\ncluster = \"typo\"\n");
  shop.project.migration("2_other", "CREATE TABLE other (a int);");
  CHECK(shop.kdb({"plan"}).exit == 0);
  const Run refused = shop.kdb({"apply"});
  CHECK(refused.exit == 1);
  CHECK_MESSAGE(has(refused.err, "p.toml:2:11: table nothing: there is no index \"typo\" on it"),
                refused.err);
}

TEST_CASE("what a pending migration creates can be declared along with it") {
  Shop shop(
      "[indexes.fresh_b]\ntable = \"fresh\"\ncolumns = [\"b\"]\n[tables.fresh]\nstorage = { fillfactor = 80 "
      "}\n");
  shop.project.migration("1_fresh", "CREATE TABLE Fresh (a int, b text);");
  const Run plan = shop.kdb({"plan", "--exit-code"});
  CHECK(plan.exit == 2);
  CHECK(has(plan.out, "run      migration 1 fresh"));
  CHECK(has(plan.out, "create   index fresh_b on fresh"));
  CHECK(has(plan.out, "storage.fillfactor: not set → 80"));
  shop.apply();
  CHECK(shop.indexes("fresh") == "fresh_b");
  CHECK(shop.kdb({"plan", "--only", "profile"}).exit == 0);
}

TEST_CASE("a table becomes a hypertable along with its indexes and statistics") {
  const Shop shop(
      "[hypertables.events]\ntime_column = \"at\"\nchunk_interval = \"7 days\"\n"
      "dimensions = [{ column = \"kind\", partitions = 4 }]\n"
      "[indexes.events_kind]\ntable = \"events\"\ncolumns = [\"kind\", \"at DESC\"]\n"
      "[statistics.s]\ntable = \"events\"\ncolumns = [\"kind\", \"n\"]\n",
      "CREATE TABLE events (at timestamptz NOT NULL, kind text NOT NULL, n int)");
  if (shop.database.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'") == "0" ||
      !has(shop.database.text("SHOW shared_preload_libraries"), "timescaledb")) {
    const Run refused = shop.kdb({"apply"});
    CHECK(refused.exit == 1);
    CHECK(has(refused.err, "[hypertables.events] needs TimescaleDB, which this database does not have"));
    CHECK(shop.indexes("events") == "");
    return skip("no TimescaleDB");
  }
  shop.database.exec("CREATE EXTENSION timescaledb");
  shop.apply();
  CHECK(shop.indexes("events") == "events_kind");
  CHECK(shop.database.text("SELECT string_agg(column_name || ' ' || coalesce(time_interval::text, "
                           "num_partitions::text), ', ' ORDER BY dimension_number) FROM "
                           "timescaledb_information.dimensions") == "at 7 days, kind 4");
}

TEST_CASE("rows that are compressed are rows: a retention policy over them has to be allowed") {
  const std::string hypertable =
      "[hypertables.events]\ntime_column = \"at\"\nchunk_interval = \"7 days\"\n"
      "columnstore = { segment_by = [\"kind\"], order_by = [\"at DESC\"] }\n";
  Shop shop(hypertable, "CREATE TABLE events (at timestamptz NOT NULL, kind text NOT NULL, n int)");
  if (!has(shop.database.text("SHOW shared_preload_libraries"), "timescaledb")) return skip("no TimescaleDB");
  shop.database.exec("CREATE EXTENSION timescaledb");
  if (shop.database.text("SHOW timescaledb.license") != "timescale") return skip("the Apache edition");
  shop.apply();
  shop.database.exec(
      "INSERT INTO events SELECT now() - n * '1 day'::interval, 'k', n FROM generate_series(1, 100) n;"
      "SELECT compress_chunk(c) FROM show_chunks('events') c");
  REQUIRE(shop.database.text("SELECT sum(pg_relation_size(c)) FROM show_chunks('events') c") == "0");
  shop.declare(hypertable + "retention = { drop_after = \"30 days\" }\n");
  const Run refused = shop.kdb({"apply"});
  CHECK(refused.exit == 3);
  CHECK_MESSAGE(has(refused.err, "--allow 'DELETES_DATA:events'"), refused.err);
  CHECK(shop.database.text("SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = "
                           "'policy_retention'") == "0");
  CHECK(shop.kdb({"apply", "--allow", "all"}).exit == 3);  // it is never included
  shop.apply({"DELETES_DATA:events"});
}

TEST_CASE("a table that is locked too long is exit 4 with who locks it") {
  const Shop shop(
      "[tables.orders]\nreplica_identity = \"full\"\n[migrations]\nlock_retry = { max_attempts = 2, "
      "initial = \"10ms\" }\n[connection]\nlock_timeout = \"200ms\"\n");
  Session other(shop.database.url());
  other.exec("BEGIN; LOCK orders IN ACCESS EXCLUSIVE MODE");
  const Run run = shop.kdb({"apply"});
  CHECK(run.exit == 4);
  CHECK_MESSAGE(has(run.err, "lock timeout"), run.err);
  CHECK_MESSAGE(has(run.err, "LOCK orders IN ACCESS EXCLUSIVE MODE"), run.err);
  other.exec("ROLLBACK");
  shop.apply();
}

TEST_CASE("what a change will have to wait for is said before it begins") {
  const Shop shop(std::string(by_kind) + "[connection]\nlock_timeout = \"100ms\"\n");
  Session writer(shop.database.url());
  Session reader(shop.database.url());
  Session report(shop.database.url());
  const auto pid = [](Session& session) { return "pid " + session.text("SELECT pg_backend_pid()") + " ("; };
  const std::string writers = pid(writer);
  const std::string readers = pid(reader);
  const std::string reports = pid(report);
  writer.exec("BEGIN; UPDATE orders SET value = 0 WHERE id = 1");
  reader.exec("BEGIN; SELECT count(*) FROM orders");
  report.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM nothing");
  Session observer(shop.database.url());
  observer.exec("SELECT pg_sleep(0.2)");
  Child kdb(shop.command({"apply"}));
  CHECK(eventually([&] {
    return observer.text(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
               "query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'") != "0";
  }));
  writer.exec("ROLLBACK");
  report.exec("ROLLBACK");
  const Run run = kdb.wait();
  CHECK(run.exit == 0);
  CHECK_MESSAGE(has(run.err, "warning: " + writers), run.err);
  CHECK(has(run.err, "holds a lock on orders, whose changes may have to wait for it: BEGIN; UPDATE orders"));
  CHECK(has(run.err, "warning: " + reports));
  CHECK(has(run.err, "is one that building an index concurrently waits for: BEGIN ISOLATION LEVEL"));
  CHECK(!has(run.err, readers));  // a build lets readers read
}

TEST_CASE("who may not look at others' sessions is told at least who holds a lock") {
  const Shop shop(
      "[tables.orders]\nreplica_identity = \"full\"\n[connection]\nlock_timeout = \"100ms\"\n"
      "[migrations]\nlock_retry = { max_attempts = 1 }\n");
  const std::string owner = shop.database.name() + "_owner";
  shop.database.exec("CREATE ROLE " + owner + " LOGIN; ALTER TABLE orders OWNER TO " + owner +
                     "; GRANT CREATE ON DATABASE " + shop.database.name() + " TO " + owner);
  Session reader(shop.database.url());
  const std::string pid = reader.text("SELECT pg_backend_pid()");
  reader.exec("BEGIN; SELECT count(*) FROM orders");
  const std::string url = shop.database.url() + (has(shop.database.url(), "?") ? "&" : "?") + "user=" + owner;
  const Run run_as_owner = run(shop.project.command(url, {"apply", "-p", shop.profile}));
  CHECK_MESSAGE(has(run_as_owner.err, "warning: pid " + pid + " ("), run_as_owner.err);
  CHECK(has(run_as_owner.err, "open for an unknown time, holds a lock on orders"));
  CHECK(has(run_as_owner.err, "whose changes may have to wait for it\n"));
  reader.exec("ROLLBACK");
  shop.database.exec("DROP OWNED BY " + owner + " CASCADE; DROP ROLE " + owner);
}

TEST_CASE("a partition's index that is built again waits for snapshots as a new one does") {
  const Shop shop(
      "[indexes.parted_a]\ntable = \"parted\"\ncolumns = [\"a\"]\n[connection]\nlock_timeout = \"100ms\"\n",
      "CREATE TABLE parted (a int) PARTITION BY RANGE (a);"
      "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);");
  shop.apply();
  shop.database.exec("UPDATE pg_index SET indisvalid = false WHERE indrelid = 'parted_1'::regclass");
  REQUIRE(has(shop.kdb({"plan"}).out, "REINDEX INDEX CONCURRENTLY"));
  Session report(shop.database.url());
  const std::string pid = report.text("SELECT pg_backend_pid()");
  report.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM nothing");
  Session observer(shop.database.url());
  observer.exec("SELECT pg_sleep(0.2)");
  Child kdb(shop.command({"apply"}));
  CHECK(eventually([&] {
    return observer.text(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
               "query LIKE 'REINDEX INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'") != "0";
  }));
  report.exec("ROLLBACK");
  const Run run = kdb.wait();
  CHECK(run.exit == 0);
  CHECK_MESSAGE(has(run.err, "warning: pid " + pid + " ("), run.err);
  CHECK(has(run.err, "is one that building an index concurrently waits for"));
}

TEST_CASE("a setting's value from the environment is not printed") {
  const Shop shop("[server.settings]\nprimary_conninfo = \"password=${PATH}\"\n");
  const Run planned = shop.kdb({"plan", "--format", "json"});
  CHECK(planned.exit == 0);
  CHECK_MESSAGE(has(planned.out, "\"password=${PATH}\""), planned.out);
}

TEST_CASE("declared settings are listed and left as they are") {
  const Shop shop(std::string(by_kind) +
                  "[server]\nmemory = \"8GB\"\n[server.settings]\nwork_mem = \"64MB\"\n");
  const Run planned = shop.kdb({"plan"});
  CHECK(planned.exit == 0);
  CHECK_MESSAGE(has(planned.out, "setting, left as it is"), planned.out);
  CHECK(has(planned.out, "work_mem"));
  CHECK(has(shop.kdb({"plan", "--format", "json"}).out, "\"declared\": \"64MB\""));
  shop.apply();
  CHECK(shop.database.text("SHOW work_mem") == "4MB");
}

TEST_CASE("two who apply at once end well, and everything is done once") {
  const Shop shop(by_kind);
  Child first(shop.command({"apply"}));
  Child second(shop.command({"apply"}));
  CHECK(first.wait().exit == 0);
  CHECK(second.wait().exit == 0);
  CHECK(shop.indexes() == "orders_kind");
  CHECK(shop.database.text("SELECT count(*) FROM kdb.events WHERE subject = 'index orders_kind'") == "1");
}

TEST_CASE("a plan is json with every step, and a script that psql runs to the same end") {
  const Shop shop(std::string(by_kind) + "comment = \"c\"\n");
  const Run json = shop.kdb({"plan", "--format", "json"});
  CHECK(has(json.out, R"("action": "create")"));
  CHECK(has(json.out, R"("in_transaction": false)"));
  CHECK(has(json.out, R"("id": "INDEX_BUILD")"));
  const Run sql = shop.kdb({"plan", "--format", "sql"});
  if (run({"psql", "--version"}).exit != 0) return skip("no psql");
  const Run psql = run({"psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f",
                        shop.folder.write("p.sql", sql.out).string(), shop.database.url()});
  CHECK_MESSAGE(psql.exit == 0, psql.err);
  CHECK(shop.kdb({"plan", "--exit-code"}).exit == 0);
}

TEST_CASE("a plan that changes nothing makes no history, and apply with nothing to do neither") {
  const Shop shop("");
  CHECK(shop.kdb({"plan"}).exit == 0);
  CHECK(shop.kdb({"apply"}).exit == 0);
  CHECK(shop.database.text("SELECT to_regnamespace('kdb') IS NULL") == "t");
}

}  // namespace kdb::test::apply_test
