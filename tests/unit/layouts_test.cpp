#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checksum.hpp"
#include "files/migrations.hpp"
#include "support/problems.hpp"
#include "support/temp_dir.hpp"

namespace kdb::files::layouts_test {
namespace {

using test::problems_of;

constexpr const char* native_text = "-- migrate:up\nSELECT 1;\n-- migrate:down\n";
constexpr const char* goose_text = "-- +goose Up\nSELECT 1;\n-- +goose Down\n";

struct File {
  std::string name;
  std::string contents = "SELECT 1;\n";
};

/// A folder with files; paths in what it tells are shortened to those in the folder.
class Folder {
 public:
  explicit Folder(const std::vector<File>& files) {
    for (const File& file : files) {
      if (file.name.ends_with('/')) {
        std::filesystem::create_directories(folder_.path() / file.name);
      } else {
        folder_.write(file.name, file.contents);
      }
    }
    source.folder = folder_.path().string();
  }

  MigrationFolder list() const { return list_migrations(source); }

  std::string shorten(std::string text) const {
    for (size_t at = text.find(path()); at != std::string::npos; at = text.find(path()))
      text.erase(at, path().size());
    return text;
  }

  // `key text name`, a line each; B and R in front of baselines and repeatable ones, the down file behind.
  std::string listed() const {
    std::string text;
    for (const MigrationFile& file : list().files) {
      if (!text.empty()) text += '\n';
      if (file.kind == MigrationKind::baseline) text += "B ";
      text += file.kind == MigrationKind::repeatable
                  ? "R "
                  : file.version.key_text() + " " + file.version.text + " ";
      text += file.name;
      if (!file.down_path.empty()) text += " down " + shorten(file.down_path);
    }
    return text;
  }

  std::string problems() const {
    return shorten(problems_of([&] { list(); }));
  }

  std::string path() const { return folder_.path().string(); }

  MigrationSource source;

 private:
  test::TempDir folder_;
};

}  // namespace

TEST_CASE("a folder's layout is detected and its files are ordered by version") {
  struct Case {
    std::string what;
    std::vector<File> files;
    Layout layout;
    std::string listed;
  };
  const Case cases[] = {
      {"native",
       {{"20260115093000_b.sql", native_text}, {"0002_a.sql", native_text}, {"00010-c.sql", native_text}},
       Layout::native,
       "2 0002 a\n10 00010 c\n20260115093000 20260115093000 b"},
      {"native with windows line ends and a byte order mark",
       {{"1_a.sql", "\xEF\xBB\xBF-- migrate:up\r\nSELECT 1;\r\n"}},
       Layout::native,
       "1 1 a"},
      {"golang-migrate",
       {{"10_b.up.sql"}, {"10_b.down.sql"}, {"000002_a.up.sql"}},
       Layout::golang_migrate,
       "2 000002 a\n10 10 b down /10_b.down.sql"},
      {"golang-migrate in capitals",
       {{"1_a.up.SQL"}, {"1_a.down.Sql"}},
       Layout::golang_migrate,
       "1 1 a down /1_a.down.Sql"},
      {"golang-migrate pairs files by version, whatever their names",
       {{"1_a.up.sql"}, {"001_b.down.sql"}},
       Layout::golang_migrate,
       "1 1 a down /001_b.down.sql"},
      {"diesel",
       {{"2017-09-23-120000_b/up.sql"},
        {"2017-09-23-120000_b/down.sql"},
        {"2017-09-23-120000_b/metadata.toml"},
        {"20170309120000_a/up.sql"},
        {"00000000000000_diesel_initial_setup/up.sql"}},
       Layout::diesel,
       "0 00000000000000 diesel_initial_setup\n20170309120000 20170309120000 a\n"
       "20170923120000 2017-09-23-120000 b down /2017-09-23-120000_b/down.sql"},
      {"prisma",
       {{"20260115093000_b/migration.sql"}, {"0_init/migration.sql"}},
       Layout::prisma,
       "/0_init 0 init\n/20260115093000_b 20260115093000 b"},
      {"prisma orders folders by their names as text",
       {{"20250702_second/migration.sql"},
        {"20250701000000_init/migration.sql"},
        {"20250701000000_b.c/migration.sql"},
        {"20250701000000_B/migration.sql"},
        {"20250701000000/migration.sql"},
        {"9_last/migration.sql"},
        {"10_first/migration.sql"}},
       Layout::prisma,
       "/10_first 10 first\n/20250701000000 20250701000000 \n/20250701000000_B 20250701000000 B\n"
       "/20250701000000_b.c 20250701000000 b.c\n/20250701000000_init 20250701000000 init\n"
       "/20250702_second 20250702 second\n/9_last 9 last"},
      {"flyway",
       {{"V1.10__c.sql"},
        {"V1_2__b.sql"},
        {"V1.0__a.sql"},
        {"U1.2__b.sql"},
        {"B1.2__base.sql"},
        {"R__views.sql"},
        {"R__a.sql"},
        {"sub/deep/V3__d.sql"},
        {"V4.sql"}},
       Layout::flyway,
       "1 1.0 a\n1.2 1_2 b down /U1.2__b.sql\nB 1.2 1.2 base\n1.10 1.10 c\n3 3 d\n4 4 \nR a\nR views"},
      {"flyway in sub-folders only", {{"one/V1__a.sql"}, {"two/V2__b.sql"}}, Layout::flyway, "1 1 a\n2 2 b"},
      {"goose",
       {{"00002_b.sql", goose_text}, {"00001_a.sql", "-- a comment\n--+goose up\nSELECT 1;"}},
       Layout::goose,
       "1 00001 a\n2 00002 b"},
      {"a misspelt directive of goose", {{"1_a.sql", "-- +goose Upp\nSELECT 1;"}}, Layout::goose, "1 1 a"},
      {"plain",
       {{"00010.sql"}, {"0002_b.sql"}, {"2017-09-23-c.sql"}, {"20170309-d.sql"}},
       Layout::plain,
       "2 0002 b\n10 00010 \n20170309 20170309 d\n20170923 2017-09-23 c"},
      {"files of white space decide nothing",
       {{"1_a.sql", native_text}, {"2_b.sql", " \n"}, {"3_c.sql", ""}},
       Layout::native,
       "1 1 a\n2 2 b\n3 3 c"},
      {"only empty files", {{"1_a.sql", ""}}, Layout::plain, "1 1 a"},
      {"names of any length",
       {{"99999999999999999999999999_b.sql"}, {"100000000000000000000000000_c.sql"}, {"1_a.sql"}},
       Layout::plain,
       "1 1 a\n99999999999999999999999999 99999999999999999999999999 b\n"
       "100000000000000000000000000 100000000000000000000000000 c"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.what);
    const Folder folder(row.files);
    CHECK(folder.problems() == "");
    CHECK(to_string(folder.list().layout) == to_string(row.layout));
    CHECK(folder.listed() == row.listed);
    CHECK(folder.list().warnings.empty());
  }
}

TEST_CASE("files that are no migration are listed, hidden ones are not") {
  struct Case {
    std::vector<File> files;
    std::vector<std::string> warnings;
  };
  const Case cases[] = {
      {{}, {"no migrations in "}},
      {{{".gitkeep"}}, {"no migrations in "}},
      {{{"README.md"}}, {"no migrations in ", "not migrations, in : README.md"}},
      {{{"1_a.sql", native_text},
        {".gitkeep"},
        {"README.md"},
        {"1_a.sql~"},
        {"old/1.sql"},
        {"old/2.sql"},
        {"new/"}},
       {"not migrations, in : 1_a.sql~, README.md, new/, old/"}},
      {{{"1_a.sql"}, {"atlas.sum"}}, {"not migrations, in : atlas.sum"}},
      {{{"1_a/migration.sql"}, {"migration_lock.toml"}}, {"not migrations, in : migration_lock.toml"}},
      {{{"sub/V1__a.sql"}, {"sub/x.md"}, {"sub/y.md"}, {"docs/x.md"}, {"docs/y.md"}},
       {"not migrations, in : docs/, sub/x.md, sub/y.md"}},
      {{{"1_a/up.sql"}, {"1_a/notes.txt"}, {"schema.rs"}}, {"not migrations, in : 1_a/notes.txt, schema.rs"}},
      {{{"V1__a.sql"}, {"flyway.conf"}, {"seed.sql"}}, {"not migrations, in : flyway.conf, seed.sql"}},
      {{{"1_a.up.sql"}, {"2_b.up.json"}, {"3_c.up.sql.orig"}, {"3_c.down.sql.bak"}, {"4_d.up.sql~"}},
       {"not migrations, in : 2_b.up.json, 3_c.down.sql.bak, 3_c.up.sql.orig, 4_d.up.sql~"}},
      {{{"1_a.up.sql"}, {"seed.sql"}, {"embed.go"}}, {"not migrations, in : embed.go, seed.sql"}},
      {{{"1_a.sql", goose_text}, {"1_a_test.go"}, {"embed.go"}},
       {"not migrations, in : 1_a_test.go, embed.go"}},
  };
  for (const Case& row : cases) {
    const Folder folder(row.files);
    CHECK(folder.problems() == "");
    std::vector<std::string> warnings;
    for (const std::string& warning : folder.list().warnings) warnings.push_back(folder.shorten(warning));
    CHECK(warnings == row.warnings);
  }
}

TEST_CASE("a folder that cannot be run as it is, is refused with every reason") {
  struct Case {
    std::vector<File> files;
    std::string problems;
  };
  const std::string native_hint =
      " | native migrations are named 20260115093000_name.sql with -- migrate:up; move what is none out of "
      "the folder";
  const std::string goose_hint =
      " | goose migrations are named 00001_name.sql with -- +goose Up; move what is none out of the folder";
  const std::string golang_hint =
      " | golang-migrate migrations are named 1_name.up.sql; move what is none out of the folder";
  const std::string flyway_hint =
      " | flyway migrations are named V1.2__name.sql; move what is none out of the folder";
  const std::string prisma_hint =
      " | prisma migrations are named 20260115093000_name/migration.sql; move what is none out of the folder";
  const std::string diesel_hint =
      " | diesel migrations are named 2026-01-15-093000_name/up.sql; move what is none out of the folder";
  const std::string program_hint =
      " | write what it does as SQL under its version; a program that is no migration belongs elsewhere";
  const std::string mixed_hint = " | keep one tool's files in it, or say which with [migrations] layout";
  const std::string duplicate_hint =
      " | rename the one that was never applied; if both were applied, each on another database, give one a "
      "new version and write it so that it does no harm where it was done";
  const Case cases[] = {
      // Two layouts in one folder.
      {{{"1_a.sql", native_text}, {"2_b.sql"}},
       ": the folder mixes layouts: 1_a.sql (native), 2_b.sql (plain)" + mixed_hint},
      {{{"1_a.sql", native_text}, {"2_b.sql", goose_text}, {"3_c.up.sql"}},
       ": the folder mixes layouts: 1_a.sql (native), 2_b.sql (goose), 3_c.up.sql (golang-migrate)" +
           mixed_hint},
      {{{"1_a/up.sql"}, {"2_b/migration.sql"}, {"V3__c.sql"}},
       ": the folder mixes layouts: 1_a/up.sql (diesel), 2_b/migration.sql (prisma), V3__c.sql (flyway)" +
           mixed_hint},
      // Another tool's two directions, which a plain folder would run one after the other.
      {{{"1_a.do.sql"}, {"1_b.sql"}},
       "/1_a.do.sql: \"1_a.do.sql\" is one direction of another tool's migration, and a plain file runs whole"
       " | plain migrations are named 0001_name.sql, the whole file; move what is none out of the folder"},
      // Two files with one version.
      {{{"0002_a.sql", native_text}, {"2_b.sql", native_text}},
       "exit 5: /2_b.sql: two migrations of version 2: /0002_a.sql and /2_b.sql" + duplicate_hint},
      {{{"1_a.up.sql"}, {"01_b.up.sql"}},
       "exit 5: /1_a.up.sql: two migrations of version 1: /01_b.up.sql and /1_a.up.sql" + duplicate_hint},
      {{{"1_a.up.sql"}, {"1_a.down.sql"}, {"1_b.down.sql"}},
       "exit 5: /1_b.down.sql: two down files of version 1: /1_a.down.sql and /1_b.down.sql" +
           duplicate_hint},
      {{{"V1__a.sql"}, {"V1.0__b.sql"}},
       "exit 5: /V1__a.sql: two migrations of version 1: /V1.0__b.sql and /V1__a.sql" + duplicate_hint},
      {{{"R__a.sql"}, {"sub/R__a.sql"}},
       "exit 5: /sub/R__a.sql: two repeatable migrations named a: /R__a.sql and /sub/R__a.sql" +
           duplicate_hint},
      {{{"2017-09-23-120000_a/up.sql"}, {"20170923120000_b/up.sql"}},
       "exit 5: /20170923120000_b/up.sql: two migrations of version 20170923120000: "
       "/2017-09-23-120000_a/up.sql and "
       "/20170923120000_b/up.sql" +
           duplicate_hint},
      // A down without an up.
      {{{"1_a.up.sql"}, {"2_b.down.sql"}},
       "/2_b.down.sql: version 2 has a down file and no up file | add the up file, or move the down file out "
       "of the "
       "folder"},
      {{{"1_a/up.sql"}, {"2_b/down.sql"}},
       "/2_b/down.sql: version 2 has a down file and no up file | add the up file, or move the down file out "
       "of the "
       "folder"},
      // Names that are nearly right, or that the layout's own tool would have run.
      {{{"1_a.sql", native_text}, {"schema.sql"}, {"2_B.SQL"}, {"3_fix.go"}},
       "/2_B.SQL: \"2_B.SQL\" does not end in .sql in lower case" + native_hint +
           "\n/3_fix.go: \"3_fix.go\" is numbered like a migration, and is written in Go: kdb runs SQL only" +
           program_hint + "\n/schema.sql: \"schema.sql\" has no version number at its beginning" +
           native_hint},
      {{{"schema.sql"}}, "/schema.sql: \"schema.sql\" has no version number at its beginning" + native_hint},
      {{{"1_a.sql", goose_text}, {"2.sql", goose_text}, {"3_fix.go"}},
       "/2.sql: \"2.sql\" has no _ after its version, as goose wants it" + goose_hint +
           "\n/3_fix.go: \"3_fix.go\" is numbered like a migration, and is written in Go: kdb runs SQL only" +
           program_hint},
      {{{"1_a.sql"}, {"2_b.go"}, {"2_b_test.go"}},
       "/2_b.go: \"2_b.go\" is numbered like a migration, and is written in Go: kdb runs SQL only" +
           program_hint},
      {{{"1_a.up.sql"}, {"x_c.down.sql"}},
       "/x_c.down.sql: \"x_c.down.sql\" is neither VERSION_name.up.sql nor VERSION_name.down.sql" +
           golang_hint},
      {{{"1_a.up.sql"}, {"2_b.up.go"}, {"2_b.down.py"}},
       "/2_b.down.py: \"2_b.down.py\" is numbered like a migration, and is written in Python: kdb runs SQL "
       "only" +
           program_hint +
           "\n/2_b.up.go: \"2_b.up.go\" is numbered like a migration, and is written in Go: kdb runs SQL "
           "only" +
           program_hint},
      {{{"V1__a.sql"}, {"Vx__b.sql"}},
       "/Vx__b.sql: \"Vx__b.sql\" has the version \"x\", which is not made of numbers (two underscores end "
       "it)" +
           flyway_hint},
      {{{"1_a.up.sql"}, {"2-b.up.SQL"}},
       "/2-b.up.SQL: \"2-b.up.SQL\" is neither VERSION_name.up.sql nor VERSION_name.down.sql" + golang_hint},
      {{{"V1__a.sql"},
        {"V2_b.sql"},
        {"V__c.sql"},
        {"V1..2__d.sql"},
        {"v3__e.sql"},
        {"R1__f.sql"},
        {"R_g.sql"},
        {"R__.sql"},
        {"V4__h.java"},
        {"V1__a.sql.conf"},
        {"V2_b.sql.conf"},
        {"V5__i.SQL"},
        {"beforeMigrate.sql"},
        {"afterEachMigrate__x.sql"}},
       "/R1__f.sql: \"R1__f.sql\" is a repeatable migration with a version, or lacks the __ before its name" +
           flyway_hint + "\n/R__.sql: \"R__.sql\" is a repeatable migration without a name" + flyway_hint +
           "\n/R_g.sql: \"R_g.sql\" is a repeatable migration with a version, or lacks the __ before its "
           "name" +
           flyway_hint +
           "\n/V1..2__d.sql: \"V1..2__d.sql\" has the version \"1..2\", which is not made of numbers " +
           "(two underscores end it)" + flyway_hint +
           "\n/V2_b.sql: \"V2_b.sql\" has the version \"2_b\", which is not made of numbers (two " +
           "underscores end it)" + flyway_hint +
           "\n/V2_b.sql.conf: \"V2_b.sql.conf\" is the configuration of a script that is no migration" +
           flyway_hint +
           "\n/V4__h.java: \"V4__h.java\" is numbered like a migration, and is written in Java: kdb runs SQL "
           "only" +
           program_hint + "\n/V5__i.SQL: \"V5__i.SQL\" does not end in .sql in lower case" + flyway_hint +
           "\n/V__c.sql: \"V__c.sql\" has no version number" + flyway_hint +
           "\n/afterEachMigrate__x.sql: \"afterEachMigrate__x.sql\" is a Flyway callback, and kdb runs "
           "migrations " +
           "only" + flyway_hint +
           "\n/beforeMigrate.sql: \"beforeMigrate.sql\" is a Flyway callback, and kdb runs " +
           "migrations only" + flyway_hint + "\n/v3__e.sql: \"v3__e.sql\" has its prefix in lower case" +
           flyway_hint},
      {{{"V1_a.sql"}},
       "/V1_a.sql: \"V1_a.sql\" has the version \"1_a\", which is not made of numbers (two underscores end "
       "it)" +
           flyway_hint},
      {{{"V1__a.java"}},
       "/V1__a.java: \"V1__a.java\" is numbered like a migration, and is written in Java: kdb runs SQL only" +
           program_hint},
      {{{"1_a/migration.sql"}, {"2_b/"}, {"c/migration.sql"}},
       "/2_b/: \"2_b/\" has no migration.sql" + prisma_hint +
           "\n/c/migration.sql: \"migration.sql\" is in a folder whose name has no version number at its "
           "beginning" +
           prisma_hint},
      {{{"1_a/up.sql"}, {"b/up.sql"}, {"3_c.py"}},
       "/3_c.py: \"3_c.py\" is numbered like a migration, and is written in Python: kdb runs SQL only" +
           program_hint +
           "\n/b/up.sql: \"up.sql\" is in a folder whose name has no version number at its beginning" +
           diesel_hint},
      {{{"1_a/up.sql"}, {"2_b/"}, {"3_c/metadata.toml"}, {"4_d/down.sql"}},
       "/2_b/: \"2_b/\" has no up.sql" + diesel_hint + "\n/3_c/: \"3_c/\" has no up.sql" + diesel_hint +
           "\n/4_d/down.sql: version 4 has a down file and no up file | add the up file, or move the down "
           "file out of the folder"},
      {{{"1_a/down.sql"}},
       "/1_a/down.sql: version 1 has a down file and no up file | add the up file, or move the down file out "
       "of the folder"},
      // Migrations that are all elsewhere.
      {{{"postgres/1_a.up.sql"}},
       "/postgres/1_a.up.sql: \"postgres/1_a.up.sql\" is in a sub-folder, and the folder itself has no "
       "migrations | "
       "name the folder that has them with --migrations DIR"},
  };
  for (const Case& row : cases) {
    CHECK(Folder(row.files).problems() == row.problems);
  }
}

TEST_CASE("a layout that is named is not detected") {
  Folder folder({{"1_a.sql", native_text}, {"2_b.sql"}});
  folder.source.layout = Layout::plain;
  CHECK(folder.listed() == "1 1 a\n2 2 b");
  folder.source.layout = Layout::native;
  CHECK(folder.listed() == "1 1 a\n2 2 b");

  Folder diesel({{"1_a/up.sql"}, {"3_c.sql"}});
  diesel.source.layout = Layout::diesel;
  CHECK(
      diesel.problems().starts_with("/3_c.sql: \"3_c.sql\" is a file, and diesel's migrations are folders"));

  Folder prisma({{"1_a/migration.sql"}, {"3_c.sql"}});
  prisma.source.layout = Layout::prisma;
  CHECK(
      prisma.problems().starts_with("/3_c.sql: \"3_c.sql\" is a file, and Prisma's migrations are folders"));

  Folder up_down({File{"1_a.up.sql"}});
  up_down.source.layout = Layout::native;
  CHECK(up_down.problems().starts_with(
      "/1_a.up.sql: \"1_a.up.sql\" is named as golang-migrate names its files"));
}

TEST_CASE("checksums are those of the raw bytes") {
  const Folder folder({{"1_a.up.sql", "SELECT 1;\r\n"}, {"1_a.down.sql", "SELECT 2;"}});
  const auto files = folder.list().files;
  REQUIRE(files.size() == 1);
  CHECK(files[0].checksum == sha256_hex("SELECT 1;\r\n"));
  CHECK(files[0].down_checksum == sha256_hex("SELECT 2;"));
  CHECK(folder.shorten(files[0].path) == "/1_a.up.sql");
}

TEST_CASE("a folder's path may end in slashes") {
  Folder folder({File{"1_a.sql"}});
  folder.source.folder += "//";
  CHECK(folder.shorten(folder.list().files.at(0).path) == "/1_a.sql");
}

TEST_CASE("a missing folder, and a file in its place, are usage errors") {
  const Folder folder({File{"file"}});
  CHECK(problems_of([&] { list_migrations({.folder = folder.path() + "/none"}); }) ==
        "no migrations folder \"" + folder.path() +
            "/none\" | kdb migrate new NAME creates it; --migrations DIR names another one");
  CHECK(problems_of([&] { list_migrations({.folder = folder.path() + "/file"}); }) ==
        "cannot read the migrations folder \"" + folder.path() + "/file\": Not a directory");
}

TEST_CASE("a file over the limit is refused by its size alone") {
  Folder folder({{"1_a.sql", native_text}, {"2_b.sql", native_text}});
  std::filesystem::resize_file(folder.path() + "/2_b.sql", std::uintmax_t{1} << 40);  // sparse
  CHECK(folder.problems() ==
        "/2_b.sql: file of 1 TB is too large for a migration (limit 16 MB) | load data with psql's "
        "\\copy, or raise "
        "[migrations] max_file_size");
  // Where both would read the same, to the byte.
  std::filesystem::resize_file(folder.path() + "/2_b.sql", 16 * 1024 * 1024 + 1);
  CHECK(
      folder.problems().find("file of 16777217 bytes is too large for a migration (limit 16777216 bytes)") !=
      std::string::npos);
  folder.source.max_file_size = 3;
  CHECK(folder.problems().find("/1_a.sql: file of " + std::to_string(std::string(native_text).size()) +
                               " bytes is too large for a migration (limit 3 bytes)") != std::string::npos);
}

TEST_CASE("a file that cannot be read is an error") {
  const Folder folder({File{"1_a.sql", native_text}});
  std::filesystem::create_symlink("nowhere", folder.path() + "/2_b.sql");
  REQUIRE(::mkfifo((folder.path() + "/3_c.sql").c_str(), 0600) == 0);
  CHECK(folder.problems() ==
        "/2_b.sql: cannot read the migration: No such file or directory\n"
        "/3_c.sql: cannot read the migration: not a regular file");
}

}  // namespace kdb::files::layouts_test
