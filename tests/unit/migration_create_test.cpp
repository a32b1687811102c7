#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "files/migrations.hpp"
#include "support/problems.hpp"
#include "support/temp_dir.hpp"

namespace kdb::files::migration_create_test {
namespace {

using test::problems_of;

constexpr const char* now = "20260115093000";

std::string create(const MigrationSource& source, std::string_view name = "add users") {
  std::string text;
  for (std::string path : create_migration(source, name, now).paths) {
    if (!text.empty()) text += ' ';
    text += path.erase(0, source.folder.size());
  }
  return text;
}

}  // namespace

TEST_CASE("a new migration is written in the folder's own layout, above every other") {
  struct Case {
    std::string what;
    std::vector<std::pair<std::string, std::string>> files;
    std::string created;
  };
  const std::string native = "-- migrate:up\n";
  const std::string goose = "-- +goose Up\n";
  const Case cases[] = {
      {"an empty folder", {}, "/20260115093000_add_users.sql"},
      {"native", {{"20250101000000_a.sql", native}}, "/20260115093000_add_users.sql"},
      {"native, the newest from the future",
       {{"20270101000009_a.sql", native}},
       "/20270101000010_add_users.sql"},
      {"native, the same second", {{"20260115093000_a.sql", native}}, "/20260115093001_add_users.sql"},
      {"native, counted", {{"0009_a.sql", native}, {"0008_b.sql", native}}, "/0010_add_users.sql"},
      {"native, dates", {{"20250101_a.sql", native}}, "/20260115093000_add_users.sql"},
      {"golang-migrate", {{"000001_a.up.sql", ""}}, "/000002_add_users.up.sql /000002_add_users.down.sql"},
      {"golang-migrate, unix times",
       {{"1700000000_a.up.sql", ""}},
       "/20260115093000_add_users.up.sql /20260115093000_add_users.down.sql"},
      {"goose, counted", {{"00099_a.sql", goose}}, "/00100_add_users.sql"},
      {"goose, all nines", {{"9_a.sql", goose}}, "/10_add_users.sql"},
      {"goose", {{"20250101000000_a.sql", goose}}, "/20260115093000_add_users.sql"},
      {"diesel",
       {{"2025-01-01-000000_a/up.sql", ""}},
       "/2026-01-15-093000_add_users/up.sql /2026-01-15-093000_add_users/down.sql"},
      {"diesel, the newest from the future",
       {{"2027-01-01-000000_a/up.sql", ""}},
       "/2027-01-01-000001_add_users/up.sql /2027-01-01-000001_add_users/down.sql"},
      {"diesel with four digits behind the time",
       {{"2025-01-01-000000-0000_a/up.sql", ""}},
       "/2026-01-15-093000-0000_add_users/up.sql /2026-01-15-093000-0000_add_users/down.sql"},
      {"diesel with four digits behind the time, the same second",
       {{"2026-01-15-093000-0000_a/up.sql", ""}},
       "/2026-01-15-093000-0001_add_users/up.sql /2026-01-15-093000-0001_add_users/down.sql"},
      {"prisma, dates", {{"20250101_a/migration.sql", ""}}, "/20260115093000_add_users/migration.sql"},
      {"prisma, the first alone", {{"0_init/migration.sql", ""}}, "/20260115093000_add_users/migration.sql"},
      {"prisma, the same second",
       {{"20260115093000_z/migration.sql", ""}},
       "/20260115093001_add_users/migration.sql"},
      {"prisma",
       {{"0_init/migration.sql", ""}, {"20250101000000_a/migration.sql", ""}},
       "/20260115093000_add_users/migration.sql"},
      {"flyway", {{"V1__a.sql", ""}, {"V2__b.sql", ""}, {"R__c.sql", ""}}, "/V3__add_users.sql"},
      {"flyway, components", {{"V1.9__a.sql", ""}}, "/V1.10__add_users.sql"},
      {"plain", {{"0001_a.sql", "SELECT 1;"}}, "/0002_add_users.sql"},
      {"plain with dashes", {{"0063-a-b.sql", "SELECT 1;"}, {"0001_a.sql", ""}}, "/0064-add_users.sql"},
      {"plain without names", {{"0063.sql", "SELECT 1;"}}, "/0064_add_users.sql"},
      {"native with dashes", {{"0063-a.sql", native}}, "/0064-add_users.sql"},
      {"repeatable ones alone", {{"R__c.sql", ""}}, "/V20260115093000__add_users.sql"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.what);
    const test::TempDir folder;
    for (const auto& [name, contents] : row.files) folder.write(name, contents);
    const MigrationSource source{.folder = folder.path().string()};
    CHECK(create(source) == row.created);
    // What was written is read back, in the same layout and last but for repeatable ones.
    const MigrationFolder listed = list_migrations(source);
    const bool repeatable_last = listed.files.back().kind == MigrationKind::repeatable;
    const MigrationFile& made = listed.files.at(listed.files.size() - (repeatable_last ? 2 : 1));
    CHECK(made.name == "add_users");
    Migration migration;
    CHECK(problems_of([&] { migration = read_migration(source, listed.layout, made); }) == "");
    CHECK(migration.up);
    CHECK(test::read_file(made.path) != "");
  }
}

TEST_CASE("a missing folder is made") {
  const test::TempDir folder;
  const MigrationSource source{.folder = folder.path().string() + "/db/migrations"};
  CHECK(create(source) == "/20260115093000_add_users.sql");
  CHECK(test::read_file(source.folder + "/20260115093000_add_users.sql") ==
        "-- migrate:up\n\n\n-- migrate:down\n\n");
  const MigrationSource diesel{.folder = folder.path().string() + "/diesel", .layout = Layout::diesel};
  CHECK(create(diesel) == "/2026-01-15-093000_add_users/up.sql /2026-01-15-093000_add_users/down.sql");
}

TEST_CASE("a name that is no file name is refused") {
  const test::TempDir folder;
  const MigrationSource source{.folder = folder.path().string()};
  const std::string characters =
      "the name of a migration may not contain slashes, backslashes or control characters | use letters, "
      "digits and _";
  struct Case {
    std::string name;
    std::string problem;
  };
  const Case cases[] = {
      {"", "a migration needs a name | kdb migrate new add_users_email"},
      {"  ", "a migration needs a name | kdb migrate new add_users_email"},
      {"a/b", characters},
      {"..\\b", characters},
      {"a\nb", characters},
      {std::string("a\0b", 3), characters},
      {"a\xFF", characters},
      {std::string(181, 'a'), "the name is too long (181 bytes, at most 180)"},
      {"!?", "the name \"!?\" has no letter and no digit | kdb migrate new add_users_email"},
      {"_x",
       "the name \"_x\" would not be read back as that of a native migration | use letters, digits and _, "
       "and begin "
       "with a letter"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    CHECK(problems_of([&] { create(source, row.name); }) == row.problem);
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a name becomes part of a file's name") {
  struct Case {
    const char* name;
    const char* file;
  };
  const Case cases[] = {{"Add Users!", "Add_Users"},
                        {" add-users ", "add-users"},
                        {"move to v1.2 (again)", "move_to_v1_2_again"},
                        {"x.up", "x_up"},
                        {"\xC3\xA9t\xC3\xA9", "\xC3\xA9t\xC3\xA9"}};
  for (const Case& row : cases) {
    CAPTURE(row.name);
    const test::TempDir folder;
    CHECK(create({.folder = folder.path().string()}, row.name) ==
          "/20260115093000_" + std::string(row.file) + ".sql");
  }
}

TEST_CASE("a version that would not come last is refused") {
  const test::TempDir folder;
  folder.write("9_a/migration.sql", "SELECT 1;");
  const std::string path = folder.path().string();
  CHECK(problems_of([&] { create({.folder = path}); }) ==
        "\"10_add_users/migration.sql\" would not come after \"" + path +
            "/9_a/migration.sql\" | create the file by hand, with a name that sorts behind all others");
  CHECK_FALSE(std::filesystem::exists(folder.path() / "10_add_users"));
}

TEST_CASE("a file that cannot be created is an error") {
  const test::TempDir folder;
  const std::string file = folder.write("file", "").string();
  CHECK(problems_of([&] { create({.folder = file + "/migrations"}); }) ==
        "cannot create \"" + file + "/migrations/20260115093000_add_users.sql\": Not a directory");
}

}  // namespace kdb::files::migration_create_test
