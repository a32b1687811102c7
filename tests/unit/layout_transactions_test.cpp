// How each layout says that a file runs without a transaction, and what kdb advises: files/layouts with
// core/steps.

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/steps.hpp"
#include "files/migrations.hpp"
#include "support/problems.hpp"
#include "support/temp_dir.hpp"

namespace kdb::files::layout_transactions_test {

namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

struct PlannedFile {
  MigrationPlan plan;
  std::vector<Problem> problems;

  std::string hint() const { return problems.empty() ? "" : problems.front().hint; }
};

/// The folder's only migration in one direction.
PlannedFile planned_file(const Files& files, Direction direction = Direction::up) {
  const test::TempDir folder;
  for (const auto& [name, text] : files) folder.write(name, text);
  const MigrationSource source{.folder = folder.path().string()};
  const MigrationFolder listed = list_migrations(source);
  REQUIRE(listed.files.size() == 1);
  PlannedFile result;
  result.plan =
      plan_migration(read_migration(source, listed.layout, listed.files[0]), direction, result.problems);
  return result;
}

}  // namespace

TEST_CASE("the hint names the layout's own word against a transaction, and the file passes with it") {
  const std::string sql = "SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;\nSELECT 3;\n";
  struct Case {
    Files refused;
    std::string word;
    Files mended;
    Direction direction = Direction::up;
  };
  const Case cases[] = {
      {{{"1_a.sql", "-- migrate:up\n" + sql}},
       "`-- migrate:up transaction:false`",
       {{"1_a.sql", "-- migrate:up transaction:false\n" + sql}}},
      {{{"1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n" + sql}},
       "`-- migrate:down transaction:false`",
       {{"1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down transaction:false\n" + sql}},
       Direction::down},
      {{{"1_a.sql", "-- +goose Up\n" + sql}},
       "`-- +goose NO TRANSACTION` on a line of its own",
       {{"1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\n" + sql}}},
      {{{"1_a/up.sql", sql}},
       "`run_in_transaction = false` in metadata.toml beside it",
       {{"1_a/up.sql", sql}, {"1_a/metadata.toml", "run_in_transaction = false\n"}}},
      {{{"1_a/up.sql", "SELECT 1;"}, {"1_a/down.sql", sql}},
       "`run_in_transaction = false` in metadata.toml beside it",
       {{"1_a/up.sql", "SELECT 1;"},
        {"1_a/down.sql", sql},
        {"1_a/metadata.toml", "run_in_transaction = false\n"}},
       Direction::down},
      {{{"V1__a.sql", sql}},
       "`executeInTransaction=false` in SCRIPT.sql.conf beside it",
       {{"V1__a.sql", sql}, {"V1__a.sql.conf", "# why\nexecuteInTransaction=false\r\n"}}},
      {{{"R__a.sql", sql}},
       "`executeInTransaction=false` in SCRIPT.sql.conf beside it",
       {{"R__a.sql", sql}, {"R__a.sql.conf", " executeInTransaction = FALSE"}}},
      {{{"V1__a.sql", "SELECT 1;"}, {"U1__a.sql", sql}},
       "`executeInTransaction=false` in SCRIPT.sql.conf beside it",
       {{"V1__a.sql", "SELECT 1;"}, {"U1__a.sql", sql}, {"U1__a.sql.conf", "executeInTransaction=false"}},
       Direction::down},
      {{{"1_a.sql", sql}},
       "`-- atlas:txmode none` at the head of the file",
       {{"1_a.sql", "-- atlas:txmode none\n\n" + sql}}},
  };
  for (const Case& row : cases) {
    CAPTURE(row.refused.back().first);
    const PlannedFile refused = planned_file(row.refused, row.direction);
    CHECK(refused.problems.size() == 2);
    CHECK(refused.hint() == "leave it out, or let the statements run separately with " + row.word);
    const PlannedFile mended = planned_file(row.mended, row.direction);
    CHECK(mended.hint().empty());
    CHECK(mended.problems.empty());
    CHECK_FALSE(mended.plan.one_transaction);
    CHECK(mended.plan.steps.size() == 3);
  }
  // The tools that add no transaction of their own need no word for it.
  for (const Files& files : {Files{{"1_a.up.sql", sql}}, Files{{"1_a/migration.sql", sql}}})
    CHECK(planned_file(files).problems.empty());
}

TEST_CASE("the hint names no word that would not help") {
  for (const std::string sql :
       {"SELECT 1;\nCOMMIT;\nSELECT 2;\n", "SELECT 1;\nROLLBACK;\n", "SELECT 1;\nBEGIN;\nSELECT 2;\n",
        "CREATE TEMP TABLE t (n int);\nBEGIN;\nSELECT 1;\nCOMMIT;\n", "PREPARE TRANSACTION 'x';\n"}) {
    CAPTURE(sql);
    for (const char* head : {"-- migrate:up\n", "-- +goose Up\n"})
      CHECK(planned_file({{"1_a.sql", head + sql}}).hint() ==
            "leave it out: kdb begins a transaction before the file and commits it behind");
  }
}

TEST_CASE("a COMMIT at the very end is left out where the layout's tool takes it") {
  const std::string sql = "SELECT 1;\nSELECT 2;\nCOMMIT;\n";
  const Files taken[] = {
      {{"1_a.sql", "-- +goose Up\n" + sql}},
      {{"1_a/up.sql", sql}},
      {{"V1__a.sql", sql}},
      {{"1_a.up.sql", sql}},
      {{"1_a/migration.sql", sql}},
      {{"1_a.sql", sql}},
  };
  for (const Files& files : taken) {
    CAPTURE(files.front().first);
    const PlannedFile result = planned_file(files);
    CHECK(result.problems.empty());
    CHECK(result.plan.one_transaction);
    CHECK(result.plan.steps.size() == 2);
  }
  const PlannedFile down =
      planned_file({{"1_a.sql", "-- +goose Up\n-- +goose Down\n" + sql}}, Direction::down);
  CHECK(down.problems.empty());
  CHECK(down.plan.one_transaction);
  const PlannedFile separate = planned_file({{"1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\n" + sql}});
  CHECK(separate.problems.empty());
  CHECK(separate.plan.steps.size() == 2);
  // dbmate fails on it; so the author of a native file has forgotten a BEGIN, or does not know who commits.
  CHECK(planned_file({{"1_a.sql", "-- migrate:up\n" + sql}}).problems.size() == 1);
}

TEST_CASE("a Flyway script's configuration is read, and what kdb would not do is refused") {
  const auto problems = [](const std::string& text) {
    const test::TempDir folder;
    folder.write("V1__a.sql", "SELECT 1;");
    folder.write("V1__a.sql.conf", text);
    const MigrationSource source{.folder = folder.path().string()};
    const MigrationFolder listed = list_migrations(source);
    const std::string found =
        test::problems_of([&] { read_migration(source, listed.layout, listed.files.at(0)); });
    return found.empty() ? found : found.substr(folder.path().string().size());
  };
  CHECK(problems("") == "");
  CHECK(problems("! a remark\n\nexecuteInTransaction=true\n") == "");
  CHECK(problems("\nexecuteInTransaction=no") ==
        "/V1__a.sql.conf:2: executeInTransaction must be true or false");
  CHECK(problems("shouldExecute=${run}") ==
        "/V1__a.sql.conf:1: \"shouldExecute\" is not supported | of a script's configuration kdb knows "
        "executeInTransaction");
  const PlannedFile insists =
      planned_file({{"V1__a.sql", "VACUUM a;"}, {"V1__a.sql.conf", "executeInTransaction=true"}});
  CHECK(insists.hint() == "give it a migration of its own, which does not ask for a transaction");
}

}  // namespace kdb::files::layout_transactions_test
