#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/checksum.hpp"
#include "base/sql.hpp"
#include "files/migrations.hpp"
#include "support/problems.hpp"
#include "support/temp_dir.hpp"

namespace kdb::files::migration_parse_test {
namespace {

using std::chrono::milliseconds;
using test::problems_of;

Migration parse(Layout layout, std::string_view up, std::optional<std::string_view> down = {},
                const MigrationSource& source = {}) {
  return parse_migration(source, layout, {.path = "f.sql", .down_path = down ? "f.down.sql" : ""}, up, down);
}

std::string problems(Layout layout, std::string_view up, std::optional<std::string_view> down = {},
                     const MigrationSource& source = {}) {
  return problems_of([&] { parse(layout, up, down, source); });
}

// The statements of a section, each with its line in the file: `3: SELECT 1`.
std::string statements(const std::optional<Section>& section) {
  if (!section) return "none";
  std::vector<Problem> found;
  std::string text;
  for (const sql::Statement& statement : sql::split(section->text, found)) {
    if (!text.empty()) text += " / ";
    text += std::to_string(section->line + statement.line - 1) + ": " + statement.text;
  }
  for (const Problem& problem : found) text += " ! " + problem.message;
  return text;
}

}  // namespace

TEST_CASE("native sections are cut at their directives and keep the file's lines") {
  struct Case {
    std::string what;
    std::string text;
    std::string up;
    std::string down;
  };
  const Case cases[] = {
      {"both directions", "-- migrate:up\nSELECT 1;\n\nSELECT 2;\n-- migrate:down\nSELECT 3;\n",
       "2: SELECT 1 / 4: SELECT 2", "6: SELECT 3"},
      {"up alone", "-- migrate:up\nSELECT 1;", "2: SELECT 1", "none"},
      {"an empty up", "-- migrate:up\n-- nothing yet\n-- migrate:down\n", "", ""},
      {"nothing behind the directive", "-- migrate:up", "", "none"},
      {"no space", "--migrate:up\nSELECT 1;\n--   migrate:down  \nSELECT 2;", "2: SELECT 1", "4: SELECT 2"},
      {"windows lines", "\xEF\xBB\xBF-- migrate:up\r\nSELECT 1;\r\n-- migrate:down\r\nSELECT 2;\r\n",
       "2: SELECT 1", "4: SELECT 2"},
      {"several pairs of sections",
       "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 3;\n-- migrate:up\nSELECT 2;\n-- migrate:down\n\n"
       "SELECT 4;\n",
       "2: SELECT 1 / 6: SELECT 2", "4: SELECT 3 / 9: SELECT 4"},
      {"a statement ends with its section",
       "-- migrate:up\nSELECT 1\n-- migrate:down\n-- migrate:up\nSELECT 2\n-- migrate:down",
       "2: SELECT 1 / 5: SELECT 2", ""},
      {"comments first", "-- Creates it.\n\n/* and\n more */\n-- migrate:up\nSELECT 1;", "6: SELECT 1",
       "none"},
      {"a directive in a body",
       "-- migrate:up\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n-- migrate:down\nSELECT 1\n$$;\n"
       "-- migrate:down\nDROP FUNCTION f();",
       "2: CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n-- migrate:down\nSELECT 1\n$$",
       "7: DROP FUNCTION f()"},
      {"a directive in a literal", "-- migrate:up\nSELECT '\n-- migrate:down\n';",
       "2: SELECT '\n-- migrate:down\n'", "none"},
      {"a directive in a comment", "-- migrate:up\nSELECT 1 /*\n-- migrate:down\n*/;\nSELECT 2;",
       "2: SELECT 1 / 5: SELECT 2", "none"},
      {"a quote in a comment", "-- migrate:up\n-- it's\nSELECT 1;\n-- migrate:down\n-- isn't\nSELECT 2;",
       "3: SELECT 1", "6: SELECT 2"},
      {"a quote that is never closed", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 'x;", "2: SELECT 1",
       "! "},
      {"comments that only begin like directives",
       "-- migrate:up\n-- migrate the old rows\n-- migrate: see below\n-- migrated\n-- migrations up\nSELECT "
       "1;",
       "6: SELECT 1", "none"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.what);
    const Migration migration = parse(Layout::native, row.text);
    CHECK(statements(migration.up) == row.up);
    if (row.down != "! ") CHECK(statements(migration.down) == row.down);
  }
}

TEST_CASE("comments before the first section are kept") {
  CHECK(parse(Layout::native, "-- why\n\n-- migrate:up\nSELECT 1;\n").head == "-- why\n\n");
  CHECK(parse(Layout::goose, "-- why\n-- +goose Up\nSELECT 1;\n").head == "-- why\n");
  CHECK(parse(Layout::flyway, "-- why\nSELECT 1;\n").head.empty());  // they are in the section
}

TEST_CASE("options stand on the directive's line") {
  const Migration migration = parse(Layout::native,
                                    "-- migrate:up transaction:false lock_timeout:2s\tstatement_timeout:0 "
                                    "allow:INDEX_DROPPED,DELETES_DATA:app.events\nSELECT 1;\n"
                                    "-- migrate:down\n"
                                    "-- migrate:up allow:TABLE_REWRITE lock_timeout:2s\n"
                                    "-- migrate:down transaction:true\n");
  REQUIRE(migration.up);
  CHECK(migration.up->options ==
        SectionOptions{.transaction = false,
                       .lock_timeout = milliseconds(2'000),
                       .statement_timeout = milliseconds(0),
                       .allow = {"INDEX_DROPPED", "DELETES_DATA:app.events", "TABLE_REWRITE"}});
  REQUIRE(migration.down);
  CHECK(migration.down->options ==
        SectionOptions{.transaction = true, .lock_timeout = {}, .statement_timeout = {}, .allow = {}});
}

TEST_CASE("a wrong native file is reported with its lines") {
  struct Case {
    std::string text;
    std::string problems;
  };
  const std::string pairs =
      " | a file has one up and at most one down section, or several ups with a down after each";
  const std::string spelling = " | write \"-- migrate:up\" or \"-- migrate:down\"";
  const Case cases[] = {
      {"SELECT 1;", "f.sql:1: no \"-- migrate:up\" section | begin the file with a line \"-- migrate:up\""},
      {"-- migrate:down\nSELECT 1;",
       "f.sql:1: \"-- migrate:down\" before the first \"-- migrate:up\" | write the up section first"},
      {"-- a\nSELECT 1;\n-- migrate:up\n",
       "f.sql:2: SQL before the first \"-- migrate:up\" | only comments may stand before \"-- migrate:up\""},
      {"/* a\n-- migrate:up\n",
       "f.sql:1: SQL before the first \"-- migrate:up\" | only comments may stand before \"-- migrate:up\""},
      {"-- migrate:up\nSELECT 1;\n-- migrate:dwon\nSELECT 2;",
       "f.sql:3: unclear directive \"-- migrate:dwon\"" + spelling},
      {"-- migrate:up\n-- Migrate: Down\n", "f.sql:2: unclear directive \"-- Migrate: Down\"" + spelling},
      {"-- migrate:up\n-- migrate down\n", "f.sql:2: unclear directive \"-- migrate down\"" + spelling},
      {"-- migrate:up\n  -- migrate:down\n",
       "f.sql:2: unclear directive \"-- migrate:down\" | a directive begins at the start of its line"},
      {"-- migrate:up transactoin:false\n",
       "f.sql:1: unknown option \"transactoin:false\" | did you mean \"transaction\"?"},
      {"-- migrate:up x\n",
       "f.sql:1: unknown option \"x\" | options are transaction, lock_timeout, statement_timeout, allow"},
      {"-- migrate:up transaction:no\n",
       "f.sql:1: transaction must be true or false, not \"no\" | written as transaction:VALUE, without white "
       "space"},
      {"-- migrate:up transaction: false\n",
       "f.sql:1: transaction must be true or false, not \"\" | written as transaction:VALUE, without white "
       "space\n"
       "f.sql:1: unknown option \"false\" | options are transaction, lock_timeout, statement_timeout, allow"},
      {"-- migrate:up lock_timeout:soon\n",
       "f.sql:1: lock_timeout must be a duration such as 2s, not \"soon\" | written as lock_timeout:VALUE, "
       "without white space"},
      {"-- migrate:up\n-- migrate:down statement_timeout:-1s\n",
       "f.sql:2: statement_timeout must be a duration such as 10min, or 0 for none, not \"-1s\" | written as "
       "statement_timeout:VALUE, without white space"},
      {"-- migrate:up allow:index_dropped\n",
       "f.sql:1: unknown hazard \"index_dropped\" | did you mean INDEX_DROPPED?"},
      {"-- migrate:up\nSELECT 1;\n-- migrate:down allow:all,DELETE_DATA:t\n",
       "f.sql:3: unknown hazard \"DELETE_DATA\" | did you mean DELETES_DATA?"},
      {"-- migrate:up allow:DELETES_DATA:\n",
       "f.sql:1: no object behind the colon of \"DELETES_DATA:\" | DELETES_DATA alone permits it on every "
       "object"},
      {"-- migrate:up allow:INDEX_BUILD,,INDEX_DROPPED\n",
       "f.sql:1: allow must be hazards such as INDEX_DROPPED or DELETES_DATA:events, separated by commas, "
       "not "
       "\"INDEX_BUILD,,INDEX_DROPPED\" | written as allow:VALUE, without white space"},
      {"-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n-- migrate:up\nSELECT 3;\n",
       "f.sql:5: \"-- migrate:up\" of line 5 has no \"-- migrate:down\"" + pairs},
      {"-- migrate:up\nSELECT 1;\n-- migrate:up\nSELECT 2;\n-- migrate:down\n",
       "f.sql:1: \"-- migrate:up\" of line 1 has no \"-- migrate:down\"" + pairs},
      {"-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n-- migrate:down\nSELECT 3;\n",
       "f.sql:5: second \"-- migrate:down\" after one \"-- migrate:up\"" + pairs},
      {"-- migrate:up transaction:false\n-- migrate:down\n-- migrate:up transaction:true\n-- migrate:down\n",
       "f.sql:3: transaction differs from that of an earlier section of the same direction | sections of one "
       "direction run as one: say it once"},
      {"-- migrate:up lock_timeout:1s statement_timeout:1s\n-- migrate:down\n-- migrate:up lock_timeout:2s "
       "statement_timeout:2s\n-- migrate:down\n",
       "f.sql:3: lock_timeout differs from that of an earlier section of the same direction | sections of "
       "one "
       "direction run as one: say it once\n"
       "f.sql:3: statement_timeout differs from that of an earlier section of the same direction | sections "
       "of one "
       "direction run as one: say it once"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.text);
    CHECK(problems(Layout::native, row.text) == row.problems);
  }
}

TEST_CASE("bytes that are no SQL text are reported with their line, in every layout") {
  struct Case {
    std::string bytes;
    std::string problems;
  };
  using namespace std::string_literals;
  const Case cases[] = {
      {"", "f.sql:1: empty migration file"},
      {" \r\n\t\n", "f.sql:1: empty migration file"},
      {"\xEF\xBB\xBF\n", "f.sql:1: empty migration file"},
      {"SELECT 1;\nSELECT '\0';"s, "f.sql:2: NUL byte"},
      {"SELECT 1;\n\nSELECT '\xFF';", "f.sql:3: invalid UTF-8 (byte 0xFF) | save the file as UTF-8"},
      {"\xFF\xFES\0"s, "f.sql:1: the file is UTF-16 | save it as UTF-8"},
  };
  for (const Layout layout : {Layout::native, Layout::golang_migrate, Layout::diesel, Layout::prisma,
                              Layout::flyway, Layout::goose, Layout::plain}) {
    for (const Case& row : cases) {
      CAPTURE(to_string(layout));
      CHECK(problems(layout, row.bytes) == row.problems);
    }
  }
  CHECK(problems(Layout::golang_migrate, "SELECT 1;", "SELECT 1;\n\xC0") ==
        "f.down.sql:2: invalid UTF-8 (byte 0xC0) | save the file as UTF-8");
}

TEST_CASE("layouts of whole files give the file") {
  struct Case {
    Layout layout;
    bool down;
    bool no_transaction;
  };
  const Case cases[] = {{Layout::golang_migrate, true, true},
                        {Layout::diesel, true, false},
                        {Layout::flyway, true, false},
                        {Layout::prisma, false, true},
                        {Layout::plain, false, false}};
  for (const Case& row : cases) {
    CAPTURE(to_string(row.layout));
    const Migration migration = parse(row.layout, "\xEF\xBB\xBF-- first\r\nSELECT 1;\r\n", "\nSELECT 2;");
    REQUIRE(migration.up);
    CHECK(migration.up->text == "-- first\r\nSELECT 1;\r\n");
    CHECK(migration.up->file == "f.sql");
    CHECK(migration.up->line == 1);
    CHECK(migration.up->options == SectionOptions{});
    CHECK(migration.up->tool_adds_no_transaction == row.no_transaction);
    CHECK(migration.file.checksum == sha256_hex("\xEF\xBB\xBF-- first\r\nSELECT 1;\r\n"));
    CHECK(migration.down.has_value() == row.down);
    if (!migration.down) continue;
    CHECK(migration.down->text == "\nSELECT 2;");
    CHECK(migration.down->file == "f.down.sql");
    CHECK(migration.file.down_checksum == sha256_hex("\nSELECT 2;"));
  }
}

TEST_CASE("an empty down file is a way back that does nothing") {
  for (const Layout layout : {Layout::golang_migrate, Layout::diesel, Layout::flyway}) {
    for (const char* text : {"", " \n", "-- nothing to undo\n", "\xEF\xBB\xBF"}) {
      CAPTURE(text);
      const Migration migration = parse(layout, "SELECT 1;", text);
      REQUIRE(migration.down);
      CHECK(migration.down->file == "f.down.sql");
      CHECK(statements(migration.down) == "");
    }
  }
  CHECK_FALSE(parse(Layout::golang_migrate, "SELECT 1;").down);
}

TEST_CASE("goose files are read as goose reads them") {
  struct Case {
    std::string what;
    std::string text;
    std::string up;
    std::string down;
    bool no_transaction = false;
  };
  const Case cases[] = {
      {"both directions", "-- a comment\n-- +goose Up\nSELECT 1;\n\n-- +goose Down\nSELECT 2;\n",
       "3: SELECT 1", "6: SELECT 2"},
      {"in any case, without a space", "--+goose up\nSELECT 1;\n--  +goose DOWN \nSELECT 2;", "2: SELECT 1",
       "4: SELECT 2"},
      {"no transaction first", "-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\n", "3: VACUUM", "none",
       true},
      {"no transaction later", "-- +goose Up\n-- +goose no transaction\nVACUUM;\n-- +goose Down\n",
       "3: VACUUM", "", true},
      {"statement blocks",
       "-- +goose Up\n-- +goose StatementBegin\nSELECT 1\n-- +goose StatementEnd\n\n-- +goose "
       "StatementBegin\n"
       "SELECT 2;\n-- +goose StatementEnd\nSELECT 3;\n-- +goose Down\n-- +goose StatementBegin\nSELECT 4\n"
       "-- +goose StatementEnd\n",
       "3: SELECT 1 / 7: SELECT 2 / 9: SELECT 3", "12: SELECT 4"},
      {"a directive in a body",
       "-- +goose Up\n-- +goose StatementBegin\nDO $$\n-- +goose Down\nBEGIN END $$;\n-- +goose "
       "StatementEnd\n",
       "3: DO $$\n-- +goose Down\nBEGIN END $$", "none"},
      {"windows lines", "-- +goose Up\r\nSELECT 1;\r\n-- +goose Down\r\nSELECT 2;\r\n", "2: SELECT 1",
       "4: SELECT 2"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.what);
    const Migration migration = parse(Layout::goose, row.text);
    CHECK(statements(migration.up) == row.up);
    CHECK(statements(migration.down) == row.down);
    REQUIRE(migration.up);
    CHECK(migration.up->options.transaction == (row.no_transaction ? std::optional(false) : std::nullopt));
    if (migration.down) CHECK(migration.down->options == migration.up->options);
  }
}

TEST_CASE("a wrong goose file is reported with its lines") {
  struct Case {
    std::string text;
    std::string problems;
  };
  const std::string words =
      " | goose knows Up, Down, StatementBegin, StatementEnd, NO TRANSACTION, ENVSUB ON and ENVSUB OFF";
  const Case cases[] = {
      {"-- nothing", "f.sql:1: no \"-- +goose Up\" section | begin the file with a line \"-- +goose Up\""},
      {"SELECT 1;\n-- +goose Up\n",
       "f.sql:1: SQL before the first \"-- +goose Up\" | only comments may stand before \"-- +goose Up\""},
      {"-- +goose NO TRANSACTION\n\nSELECT 1;\n-- +goose Up\n",
       "f.sql:3: SQL before the first \"-- +goose Up\" | only comments may stand before \"-- +goose Up\""},
      {"-- +goose Down\n",
       "f.sql:1: \"-- +goose Down\" before \"-- +goose Up\" | write the up section first\n"
       "f.sql:1: no \"-- +goose Up\" section | begin the file with a line \"-- +goose Up\""},
      {"-- +goose Upp\n-- +goose Up\n",
       "f.sql:1: unclear directive \"-- +goose Upp\" | did you mean \"-- +goose Up\"?"},
      {"-- +goose Up\n-- +goose StatmentBegin\n",
       "f.sql:2: unclear directive \"-- +goose StatmentBegin\" | did you mean \"-- +goose StatementBegin\"?"},
      {"-- +goose Up\n-- +goose Up\n", "f.sql:2: second \"-- +goose Up\" | a file has one up section"},
      {"-- +goose Up\n-- +goose Down\n-- +goose Down\n",
       "f.sql:3: second \"-- +goose Down\" | a file has one down section"},
      {"-- +goose Up\n-- +goose Dwon\n",
       "f.sql:2: unclear directive \"-- +goose Dwon\" | did you mean \"-- +goose Down\"?"},
      {"-- +goose Up\n-- +goose Sideways\n", "f.sql:2: unclear directive \"-- +goose Sideways\"" + words},
      {"-- +goose Up\n -- +goose Down\n",
       "f.sql:2: unclear directive \"-- +goose Down\" | a directive begins at the start of its line"},
      {"-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n",
       "f.sql:3: \"-- +goose StatementBegin\" of line 2 has no StatementEnd"},
      {"-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementBegin\n-- +goose StatementEnd\n",
       "f.sql:3: \"-- +goose StatementBegin\" of line 2 has no StatementEnd"},
      {"-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose Down\n",
       "f.sql:4: \"-- +goose StatementBegin\" of line 2 has no StatementEnd"},
      {"-- +goose Up\n-- +goose StatementEnd\n",
       "f.sql:2: \"-- +goose StatementEnd\" without StatementBegin"},
      {"-- +goose StatementBegin\n-- +goose StatementEnd\n-- +goose Up\n",
       "f.sql:1: \"-- +goose StatementBegin\" before \"-- +goose Up\""},
  };
  for (const Case& row : cases) {
    CAPTURE(row.text);
    CHECK(problems(Layout::goose, row.text) == row.problems);
  }
}

TEST_CASE("goose's variables are expanded between ENVSUB ON and OFF") {
  const MigrationSource source{.variables = {{"owner", "app"}, {"empty", ""}, {"both", "profile"}},
                               .environment = [](const std::string& name) -> std::optional<std::string> {
                                 if (name == "both" || name == "env") return "environment";
                                 return std::nullopt;
                               }};
  struct Case {
    std::string text;
    std::string expanded;
  };
  const Case cases[] = {{"$owner ${owner}x", "app appx"},
                        {"${both} $env", "profile environment"},
                        {"${none:-a} ${none-b} ${empty:-c} ${empty-d}", "a b c "},
                        {"${none:-${owner}-${none:-z}}", "app-z"},
                        {"$$owner \\$owner $(x)", "$owner $owner $(x)"},
                        {"a\\\\b", "a\\\\b"}};
  for (const Case& row : cases) {
    CAPTURE(row.text);
    const Migration migration =
        parse(Layout::goose,
              "-- +goose Up\nx $owner\n-- +goose ENVSUB ON\n" + row.text + "\n-- +goose ENVSUB OFF\ny $owner",
              {}, source);
    REQUIRE(migration.up);
    CHECK(migration.up->text == "x $owner\n;\n" + row.expanded + "\n;\ny $owner");
  }
  const std::string hint =
      " | ENVSUB is on: set it in [migrations.variables] or the environment; $$ is a literal $";
  const Case wrong[] = {{"\n$none", "f.sql:4: variable none is not set" + hint},
                        {"${none}", "f.sql:3: variable none is not set" + hint},
                        {"$1", "f.sql:3: a $ that names no variable" + hint},
                        {"${owner", "f.sql:3: ${owner is not closed by a }" + hint},
                        {"${owner:-x", "f.sql:3: ${owner is not closed by a }" + hint},
                        {"${owner:2:3}", "f.sql:3: ${owner is not closed by a }" + hint},
                        {"${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${"
                         "a:-x}}}}}}}}}}}}}}}}}",
                         "f.sql:3: defaults are nested too deeply" + hint}};
  for (const Case& row : wrong) {
    CAPTURE(row.text);
    CHECK(problems(Layout::goose, "-- +goose Up\n-- +goose ENVSUB ON\n" + row.text, {}, source) ==
          row.expanded);
  }
}

TEST_CASE("goose's variables are not the environment's where the files are a stranger's") {
  const MigrationSource source{
      .variables = {{"owner", "app"}},
      .environment = [](const std::string&) -> std::optional<std::string> { return "secret"; },
      .goose_reads_environment = false};
  const std::string begin = "-- +goose Up\n-- +goose ENVSUB ON\n";
  const Migration migration = parse(Layout::goose, begin + "${owner} ${token:-none}", {}, source);
  REQUIRE(migration.up);
  CHECK(migration.up->text == ";\napp none");
  CHECK(problems(Layout::goose, begin + "${token}", {}, source) ==
        "f.sql:3: variable token is not set | ENVSUB is on: set it in [migrations.variables] (--sandbox "
        "reads none of "
        "the environment without --trust); $$ is a literal $");
}

TEST_CASE("flyway's placeholders are expanded everywhere") {
  const MigrationSource source{.variables = {{"Owner", "app"}, {"flyway:user", "me"}},
                               .environment = [](const std::string& name) -> std::optional<std::string> {
                                 if (name == "FLYWAY_PLACEHOLDERS_SCHEMA_NAME") return "from_env";
                                 return std::nullopt;
                               }};
  const Migration migration =
      parse(Layout::flyway,
            "GRANT '${owner}' -- ${OWNER}\n${schema_name}.t ${flyway:filename} ${flyway:user} $1 {x}",
            "${Owner}", source);
  REQUIRE(migration.up);
  CHECK(migration.up->text == "GRANT 'app' -- app\nfrom_env.t f.sql me $1 {x}");
  REQUIRE(migration.down);
  CHECK(migration.down->text == "app");
  CHECK(problems(Layout::flyway, "SELECT 1;\nSELECT '${a}', '${flyway:timestamp}';\n${", "\n${b}", source) ==
        "f.down.sql:2: no value for the placeholder \"${b}\" | set [migrations.variables] \"b\", or "
        "FLYWAY_PLACEHOLDERS_… in the environment\n"
        "f.sql:2: no value for the placeholder \"${a}\" | set [migrations.variables] \"a\", or "
        "FLYWAY_PLACEHOLDERS_… "
        "in the environment\n"
        "f.sql:2: no value for the placeholder \"${flyway:timestamp}\" | kdb does not know Flyway's own "
        "values: set "
        "[migrations.variables] \"flyway:timestamp\"\n"
        "f.sql:3: \"${\" without its \"}\"");
}

TEST_CASE("atlas' directives in plain files are honoured or refused") {
  CHECK(parse(Layout::plain, "-- atlas:txmode none\n\nVACUUM;").up->options.transaction == false);
  CHECK_FALSE(
      parse(Layout::plain, "-- atlas:txmode file\n-- atlas:nolint\n\nSELECT 1;").up->options.transaction);
  CHECK_FALSE(parse(Layout::plain, "SELECT '\n-- atlas:txmode none\n';").up->options.transaction);
  const std::string hint = " | of Atlas' directives kdb knows txmode (none, file, all) and nolint";
  CHECK(problems(Layout::plain, "-- atlas:delimiter \\n\\n\nSELECT 1") ==
        "f.sql:1: \"-- atlas:delimiter \\n\\n\" is not supported" + hint);
  CHECK(problems(Layout::plain, "SELECT 1;\n-- atlas:txmode maybe\n") ==
        "f.sql:2: \"-- atlas:txmode maybe\" is not supported" + hint);
}

TEST_CASE("a plain file that holds the way back too is refused") {
  for (const std::string mark :
       {"-- migrate:down", "-- migrate:up transaction:false", "-- +goose Down", "-- +migrate Down",
        "-- +migrate Down notransaction", "-- Down Migration", "-- @UNDO", "--//@UNDO", "-- !Downs",
        "-- rambler down", "---- create above / drop below ----", "--liquibase formatted sql"}) {
    CAPTURE(mark);
    const std::string text = problems(Layout::plain, "SELECT 1;\n" + mark + "\nSELECT 2;");
    CHECK(text.starts_with(mark.starts_with("----") ? "f.sql:2: \"---- create" : "f.sql:2: \"-- "));
    CHECK(text.find(", but the file is read as plain: all of it would run | keep only the statements of the "
                    "way up") != std::string::npos);
    CHECK(problems(Layout::plain, "SELECT '\n" + mark + "\n';") == "");
  }
  for (const std::string marks : {"-- UP|-- DOWN", "-- +up|-- +down", "-- ** up **|-- ** rollback **"}) {
    CAPTURE(marks);
    const size_t bar = marks.find('|');
    const std::string text = problems(
        Layout::plain, marks.substr(0, bar) + "\nSELECT 1;\n" + marks.substr(bar + 1) + "\nSELECT 2;");
    CHECK(text.starts_with("f.sql:3: \"" + marks.substr(bar + 1) + "\" is the way back of some tool"));
  }
  CHECK(problems(Layout::plain, "-- down migration of nothing\n-- undo\nSELECT 1;") == "");
}

TEST_CASE("a migration is read again from its files") {
  const test::TempDir folder;
  folder.write("1_a/up.sql", "SELECT 1;");
  folder.write("1_a/down.sql", "SELECT 2;");
  folder.write("1_a/metadata.toml", "run_in_transaction = false\n");
  folder.write("2_b/up.sql", "SELECT 3;");
  MigrationSource source{.folder = folder.path().string()};
  const MigrationFolder listed = list_migrations(source);
  REQUIRE(listed.files.size() == 2);
  const Migration first = read_migration(source, listed.layout, listed.files[0]);
  CHECK(first.file.checksum == listed.files[0].checksum);
  REQUIRE(first.up);
  CHECK(first.up->text == "SELECT 1;");
  CHECK(first.up->options.transaction == false);
  REQUIRE(first.down);
  CHECK(first.down->text == "SELECT 2;");
  CHECK(first.down->options.transaction == false);
  CHECK(first.down->file == folder.path().string() + "/1_a/down.sql");
  const Migration second = read_migration(source, listed.layout, listed.files[1]);
  CHECK_FALSE(second.down);
  CHECK_FALSE(second.up->options.transaction);

  folder.write("1_a/metadata.toml", "\nrun_in_transaction = 1\n");
  CHECK(problems_of([&] { read_migration(source, listed.layout, listed.files[0]); }) ==
        folder.path().string() + "/1_a/metadata.toml:2:22: run_in_transaction must be true or false");
  folder.write("1_a/metadata.toml", "run");
  CHECK(problems_of([&] { read_migration(source, listed.layout, listed.files[0]); }).find("malformed TOML") !=
        std::string::npos);
  std::filesystem::remove(folder.path() / "1_a/up.sql");
  CHECK(problems_of([&] { read_migration(source, listed.layout, listed.files[0]); }) ==
        folder.path().string() + "/1_a/up.sql: cannot read the migration: No such file or directory");
  source.max_file_size = 2;
  CHECK(problems_of([&] { read_migration(source, listed.layout, listed.files[1]); }) ==
        folder.path().string() + "/2_b/up.sql: cannot read the migration: it grew to 9 bytes");
}

}  // namespace kdb::files::migration_parse_test
