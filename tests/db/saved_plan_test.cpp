// `kdb apply PLAN.json`: it does what was reviewed, or nothing.
#include <filesystem>
#include <fstream>

#include "db/harm.hpp"
#include "support/text.hpp"

namespace kdb::test::saved_plan_test {

namespace {

constexpr const char* before =
    "CREATE TABLE orders (id int PRIMARY KEY, kind text, value int);"
    "INSERT INTO orders SELECT i, 'k' || i % 7, i FROM generate_series(1, 100) i;"
    "CREATE INDEX orders_value ON orders (value); CREATE INDEX old ON orders (id, kind)";

constexpr const char* two_indexes =
    "[indexes.orders_kind]\ntable = \"orders\"\ncolumns = [\"kind\"]\n"
    "[indexes.orders_value]\ntable = \"orders\"\ncolumns = [\"value\"]\nwhere = \"value > 5\"\n"
    "[indexes.old]\ntable = \"orders\"\ncolumns = [\"id\"]\nstate = \"absent\"\n";

/// A database, its profile and migrations, and a plan that was made of them.
struct Reviewed {
  Database database;
  Project project;
  TempDir folder;
  std::string profile = folder.write("p.toml", two_indexes).string();
  std::string plan = (folder.path() / "plan.json").string();

  Reviewed() {
    std::filesystem::create_directories(project.folder());
    database.exec(before);
    make();
  }
  void make() const {
    const Run made = kdb({"plan", "-q", "-o", plan});
    REQUIRE_MESSAGE(made.exit == 0, made.err);
  }
  Run kdb(std::vector<std::string> words) const {
    words.insert(words.end(), {"-p", profile});
    return run(project.command(database.url(), words));
  }
  Run apply() const { return kdb({"apply", plan, "--allow", "INDEX_DROPPED"}); }
  std::string indexes() const {
    return database.text(
        "SELECT string_agg(pg_get_indexdef(indexrelid), E'\\n' ORDER BY indexrelid::regclass::text) FROM "
        "pg_index WHERE indrelid = 'orders'::regclass");
  }
};

}  // namespace

TEST_CASE("a saved plan is applied, and once more does nothing") {
  const Reviewed it;
  const Run applied = it.apply();
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(it.kdb({"plan", "--exit-code"}).exit == 0);
  const Run again = it.apply();
  CHECK_MESSAGE(again.exit == 0, again.err);
  CHECK(has(again.out, "nothing to do"));
}

TEST_CASE("a saved plan is refused, with the object's name, when something else would run") {
  Reviewed it;
  std::string named;
  SUBCASE("an index was made otherwise meanwhile") {
    it.database.exec("DROP INDEX orders_value; CREATE INDEX orders_value ON orders (value, kind)");
    named = "orders_value is not as it was when the plan was made: it was changed since";
  }
  SUBCASE("one that is to go is another one by now") {
    it.database.exec("DROP INDEX old; CREATE INDEX old ON orders (kind, value, id)");
    named = "old is not as it was when the plan was made: it was changed since";
  }
  SUBCASE("somebody made an index of that name, and another one") {
    it.database.exec("CREATE INDEX orders_kind ON orders (kind, id)");
    named = "orders_kind is not as it was when the plan was made: ";
  }
  SUBCASE("the table was made anew, with an index that is to be made") {
    it.database.exec(
        "DROP TABLE orders; CREATE TABLE orders (id int PRIMARY KEY, kind text, value int);"
        "CREATE INDEX orders_kind ON orders (value); CREATE INDEX orders_value ON orders (value);"
        "CREATE INDEX old ON orders (id, kind)");
    named = "orders_kind is not as it was when the plan was made: ";
  }
  SUBCASE("the profile was changed") {
    it.folder.write("p.toml", std::string(two_indexes) + "# a comment\n");
    named = "p.toml: the profile was changed since the plan was made";
  }
  SUBCASE("a migration was added") {
    it.project.migration("1_more", "CREATE TABLE more (a int);");
    named = "migration 1 more is not in the plan";
  }
  SUBCASE("the plan was edited") {
    std::ifstream in(it.plan);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    const size_t at = text.find("CREATE INDEX CONCURRENTLY");
    REQUIRE(at != std::string::npos);
    text.insert(at, "DROP TABLE orders; ");
    std::ofstream(it.plan) << text;
    named = "orders_kind is not as it was when the plan was made: now this would run: CREATE INDEX";
  }
  SUBCASE("it was made for another database") {
    const Database other;
    other.exec("CREATE TABLE orders (id int PRIMARY KEY, kind text, value int)");
    const Run refused = run(it.project.command(other.url(), {"apply", it.plan, "-p", it.profile}));
    CHECK(refused.exit == 3);
    CHECK_MESSAGE(has(refused.err, "the plan was made for database " + it.database.name()), refused.err);
    return;
  }
  const std::string now = it.indexes();
  const Run refused = it.apply();
  CHECK(refused.exit == 3);
  CHECK_MESSAGE(has(refused.err, named), refused.err);
  CHECK(has(refused.err, "run `kdb plan` again"));
  CHECK(it.indexes() == now);
}

TEST_CASE("a saved plan that was interrupted at any message is finished by applying it again") {
  const Reviewed it;  // for its files
  at_every_message(
      {.prepare =
           [&](const Database& database) {
             database.exec(before);
             const Run made =
                 run(it.project.command(database.url(), {"plan", "-q", "-o", it.plan, "-p", it.profile}));
             REQUIRE_MESSAGE(made.exit == 0, made.err);
           },
       .command =
           [&](const std::string& url) {
             return it.project.command(url, {"apply", it.plan, "--allow", "INDEX_DROPPED", "-p", it.profile});
           }},
      40);
}

TEST_CASE("a plan of migrations and what stands on them is applied as one") {
  const Database database;
  Project project;
  project.migration("1_orders", "CREATE TABLE orders (id int PRIMARY KEY, kind text, value int);");
  project.migration("2_more", "CREATE TABLE more (a int);");
  TempDir folder;
  const std::string profile = folder.write("p.toml", two_indexes).string();
  const std::string plan = (folder.path() / "plan.json").string();
  const auto kdb = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"-p", profile});
    return run(project.command(database.url(), words));
  };
  REQUIRE(kdb({"plan", "-q", "-o", plan}).exit == 0);
  SUBCASE("as it was reviewed") {
    const Run applied = kdb({"apply", plan});
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    CHECK(kdb({"plan", "--exit-code"}).exit == 0);
    const Run again = kdb({"apply", plan});
    CHECK_MESSAGE(again.exit == 0, again.err);
  }
  SUBCASE("not with another file") {
    project.migration("2_more", "CREATE TABLE more ();");
    const Run refused = kdb({"apply", plan});
    CHECK(refused.exit == 3);
    CHECK_MESSAGE(has(refused.err, "migration 2 more is not as it was"), refused.err);
    CHECK(database.text("SELECT to_regclass('orders') IS NULL") == "t");
  }
  SUBCASE("not without one") {
    std::filesystem::remove(std::filesystem::path(project.folder()) / "1_orders.sql");
    const Run refused = kdb({"apply", plan});
    CHECK(refused.exit == 3);
    CHECK_MESSAGE(has(refused.err, "migration 1 orders of the plan is neither pending nor applied"),
                  refused.err);
    CHECK(database.text("SELECT to_regclass('more') IS NULL") == "t");
  }
}

TEST_CASE("what somebody has done of a saved plan meanwhile is not done again") {
  const Reviewed it;
  it.database.exec("CREATE INDEX orders_kind ON orders (kind); DROP INDEX old");
  const Run applied = it.apply();
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(it.kdb({"plan", "--exit-code"}).exit == 0);
  CHECK(it.database.text("SELECT count(*) FROM kdb.events WHERE subject = 'index orders_kind'") == "0");
}

TEST_CASE("a saved plan whose table is gone is an error with its name, and nothing is made") {
  const Reviewed it;
  it.database.exec("DROP TABLE orders");
  const Run failed = it.apply();
  CHECK(failed.exit == 1);
  CHECK_MESSAGE(has(failed.err, "index orders_kind: there is no table orders"), failed.err);
  CHECK(it.database.text("SELECT to_regclass('kdb.runs') IS NULL") == "t");
}

TEST_CASE("two who apply one saved plan at once end well, and everything is done once") {
  const Reviewed it;
  std::vector<std::string> words = {"apply", it.plan, "--allow", "INDEX_DROPPED", "-p", it.profile};
  Child first(it.project.command(it.database.url(), words));
  Child second(it.project.command(it.database.url(), words));
  const Run one = first.wait();
  const Run other = second.wait();
  CHECK_MESSAGE(one.exit == 0, one.err);
  CHECK_MESSAGE(other.exit == 0, other.err);
  CHECK(it.kdb({"plan", "--exit-code"}).exit == 0);
  CHECK(it.database.text("SELECT count(*) FROM kdb.events WHERE subject = 'index orders_kind'") == "1");
}

TEST_CASE("what was not planned is left alone") {
  const Reviewed it;
  it.database.exec("CREATE INDEX other ON orders (kind, value)");
  const Run applied = it.apply();
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(has(it.indexes(), "INDEX other "));
}

TEST_CASE("what is left beside a saved plan is counted, and nothing is called as declared") {
  Reviewed it;
  it.folder.write("p.toml", std::string(two_indexes) +
                                "[indexes.two]\ntable = \"orders\"\ncolumns = [\"value\", \"id\"]\n");
  it.database.exec("CREATE INDEX two ON orders (value, id)");
  it.make();
  it.database.exec("DROP INDEX two");
  for (const std::string done : {"objects changed; ", "nothing of the plan is to be done; "}) {
    const Run applied = it.apply();
    CHECK_MESSAGE(applied.exit == 0, applied.err);
    CHECK_MESSAGE(has(applied.out, done + "1 change that the plan does not name is left: see `kdb plan`"),
                  applied.out);
  }
}

TEST_CASE("a plan file is used as it is") {
  const Reviewed it;
  CHECK(it.kdb({"apply", it.plan, "--prune"}).exit == 64);
  CHECK(it.kdb({"apply", it.plan, "--only", "profile"}).exit == 64);
  const Run missing = it.kdb({"apply", it.plan + ".no"});
  CHECK(missing.exit == 64);
  CHECK(has(missing.err, "there is no such plan file"));
  const Run not_allowed = it.kdb({"apply", it.plan});
  CHECK(not_allowed.exit == 3);
  CHECK(has(not_allowed.err, "--allow 'INDEX_DROPPED:old'"));
}

}  // namespace kdb::test::saved_plan_test
