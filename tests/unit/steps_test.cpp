// How a migration runs: core/steps, core/hazards.

#include "core/steps.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/hazards.hpp"
#include "core/plan_report.hpp"
#include "support/problems.hpp"

namespace kdb::steps_test {

namespace {

struct Planned {
  MigrationPlan plan;
  std::vector<Problem> problems;
};

Planned planned(const std::string& sql, SectionOptions options = {}, bool tool_adds_no_transaction = false) {
  Migration migration;
  migration.file = {.version = version_from_history("1", "1"), .name = "x", .path = "1_x.sql"};
  migration.up = Section{.text = sql,
                         .file = "1_x.sql",
                         .line = 3,
                         .options = std::move(options),
                         .tool_adds_no_transaction = tool_adds_no_transaction,
                         .tool_takes_lone_commit = tool_adds_no_transaction};
  Planned result;
  result.plan = plan_migration(migration, Direction::up, result.problems);
  return result;
}

/// "one: A; B" or "steps: A; [B; C]; !D": `!` runs outside of a transaction, brackets are a block.
std::string shape(const MigrationPlan& plan) {
  std::string text = plan.one_transaction ? "one:" : "steps:";
  if (plan.begin != "BEGIN") text += " " + plan.begin + ":";
  for (const Step& step : plan.steps) {
    text += &step == &plan.steps.front() ? " " : "; ";
    if (step.block.empty()) {
      text += (step.in_transaction ? "" : "!") + step.sql;
      continue;
    }
    text += "[";
    for (const Step& inner : step.block) text += (&inner == &step.block.front() ? "" : "; ") + inner.sql;
    text += "]";
  }
  return text;
}

}  // namespace

TEST_CASE("the transaction mode follows from the statements") {
  struct Case {
    const char* sql;
    const char* shape;
  };
  const Case cases[] = {
      {"", "one:"},
      {"CREATE TABLE a (n int); INSERT INTO a VALUES (1);",
       "one: CREATE TABLE a (n int); INSERT INTO a VALUES (1)"},
      {"BEGIN; SELECT 1; COMMIT;", "one: SELECT 1"},
      {"BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; END;",
       "one: BEGIN ISOLATION LEVEL SERIALIZABLE: SELECT 1"},
      {"SELECT 1; SAVEPOINT s; SELECT 2; ROLLBACK TO s;",
       "one: SELECT 1; SAVEPOINT s; SELECT 2; ROLLBACK TO s"},
      {"SELECT 1; VACUUM a;", "steps: SELECT 1; !VACUUM a"},
      {"CREATE INDEX CONCURRENTLY i ON a (n);", "steps: !CREATE INDEX CONCURRENTLY i ON a (n)"},
      {"ALTER SYSTEM SET work_mem = '8MB';", "steps: !ALTER SYSTEM SET work_mem = '8MB'"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.sql);
    const Planned result = planned(row.sql);
    CHECK(result.problems.empty());
    CHECK(shape(result.plan) == row.shape);
    CHECK(result.plan.one_transaction == result.plan.mode_reason.empty());
  }
}

TEST_CASE("explicit blocks are kept whole where the file says transaction:false") {
  struct Case {
    const char* sql;
    const char* shape;
  };
  const Case cases[] = {
      {"SELECT 1; SELECT 2;", "steps: SELECT 1; SELECT 2"},
      {"BEGIN; SELECT 1; COMMIT; VACUUM a; BEGIN; SELECT 2; COMMIT;",
       "steps: [SELECT 1]; !VACUUM a; [SELECT 2]"},
      {"BEGIN; SELECT 1; COMMIT AND CHAIN; SELECT 2; COMMIT;", "steps: [SELECT 1]; [SELECT 2]"},
      {"BEGIN; COMMIT; SELECT 1;", "steps: SELECT 1"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.sql);
    const Planned result = planned(row.sql, {.transaction = false});
    CHECK(result.problems.empty());
    CHECK(shape(result.plan) == row.shape);
    // golang-migrate's files mean the same without saying so, where one transaction would fail.
    const Planned foreign = planned(row.sql, {}, true);
    CHECK(foreign.problems.empty());
    if (std::string(row.sql).find("BEGIN") != std::string::npos) CHECK(shape(foreign.plan) == row.shape);
  }
  CHECK(shape(planned("SELECT 1; COMMIT;", {}, true).plan) == "one: SELECT 1");
}

TEST_CASE("what cannot run is refused where it stands") {
  struct Case {
    const char* sql;
    bool says_false;
    const char* problem;
  };
  const Case cases[] = {
      {"SELECT 1;\nCOMMIT;\nSELECT 2;", false,
       "1_x.sql:4:1: COMMIT inside of a file that runs in one transaction"},
      {"SELECT 1;\n  ROLLBACK;", false, "1_x.sql:4:3: ROLLBACK inside of a file"},
      {"BEGIN;\nVACUUM a;\nCOMMIT;", false, "1_x.sql:4:1: VACUUM cannot run inside of a transaction"},
      {"SELECT 1; COMMIT;", true, "1_x.sql:3:11: COMMIT without a BEGIN before it"},
      {"BEGIN; SELECT 1;", true, "1_x.sql:3:1: BEGIN without a COMMIT after it"},
      {"BEGIN; SELECT 1; BEGIN; COMMIT;", true, "1_x.sql:3:18: BEGIN inside of an explicit transaction"},
      {"BEGIN; SELECT 1; ROLLBACK;", true, "1_x.sql:3:18: ROLLBACK would undo statements"},
      {"PREPARE TRANSACTION 'x';", true, "1_x.sql:3:1: PREPARE TRANSACTION leaves a transaction open"},
      {"CREATE TEMP TABLE t (n int); VACUUM a;", false, "1_x.sql:3:1: "},
      {"SELECT 'open", false, "1_x.sql:3:8: "},
  };
  for (const Case& row : cases) {
    CAPTURE(row.sql);
    const Planned result =
        planned(row.sql, row.says_false ? SectionOptions{.transaction = false} : SectionOptions{});
    REQUIRE_FALSE(result.problems.empty());
    const std::string problem =
        to_string(result.problems.front().where) + ": " + result.problems.front().message;
    CHECK_MESSAGE(problem.rfind(row.problem, 0) == 0, problem);
  }
  CHECK(planned("VACUUM a;", {.transaction = true}).problems.size() == 1);
}

TEST_CASE("what can be read and is refused is told apart from what cannot be read") {
  const auto counts = [](const std::string& sql) {
    Migration migration;
    migration.up = Section{.text = sql, .file = "1_x.sql"};
    std::vector<Problem> malformed;
    std::vector<Problem> refused;
    const MigrationPlan plan = plan_migration(migration, Direction::up, malformed, refused);
    return std::vector<size_t>{malformed.size(), refused.size(), plan.steps.size()};
  };
  CHECK(counts("SELECT 1; COMMIT; SELECT 2") == std::vector<size_t>{0, 1, 3});
  CHECK(counts("SELECT 'a; COMMIT") == std::vector<size_t>{1, 0, 0});
  CHECK(counts("SELECT 1") == std::vector<size_t>{0, 0, 1});
}

TEST_CASE("a plan falls apart into steps only where nothing is lost by it") {
  CHECK(as_separate_steps(planned("CALL p(); SELECT 1;").plan, "why")->mode_reason == "why");
  CHECK_FALSE(as_separate_steps(planned("CALL p();", {.transaction = true}).plan, "why"));
  CHECK_FALSE(
      as_separate_steps(planned("BEGIN ISOLATION LEVEL SERIALIZABLE; CALL p(); COMMIT;").plan, "why"));
  CHECK_FALSE(as_separate_steps(planned("CREATE TEMP TABLE t (n int); CALL p();").plan, "why"));
}

TEST_CASE("hazards on a table that the same deploy creates are none") {
  std::vector<MigrationPlan> plans = {planned("CREATE TABLE a (n int);").plan,
                                      planned("CREATE INDEX i ON a (n); DROP TABLE b;").plan};
  note_hazards(plans);
  CHECK(plans[1].steps[0].hazards.empty());
  REQUIRE(plans[1].steps[1].hazards.size() == 1);
  CHECK(plans[1].steps[1].hazards[0].id == "DELETES_DATA");
}

TEST_CASE("a hazard needs exactly its own allowance") {
  std::vector<MigrationPlan> plans = {planned("DROP TABLE b;").plan};
  note_hazards(plans);
  const auto refused = [&](std::vector<std::string> allow) {
    return test::problems_of([&] { refuse_hazards(plans, allow); });
  };
  CHECK(refused({}).rfind("exit 3: 1_x.sql:3:1: DELETES_DATA: ", 0) == 0);
  CHECK(refused({}).find("--allow 'DELETES_DATA:b'") != std::string::npos);
  CHECK(refused({"all"}) == refused({}));
  CHECK(refused({"DELETES_DATA:c"}) == refused({}));
  CHECK(refused({"DELETES_DATA:b"}).empty());
  CHECK(refused({"DELETES_DATA"}).empty());
  plans[0].options.allow = {"DELETES_DATA:b"};
  CHECK(refused({}).empty());
}

TEST_CASE("hazards that harm nobody's data are shown and never refused") {
  std::vector<MigrationPlan> plans = {
      planned("CREATE INDEX i ON b (n); CALL p(); ALTER TABLE b RENAME TO c;").plan};
  note_hazards(plans);
  CHECK(plans[0].steps[0].hazards.size() == 2);
  CHECK(plans[0].steps[1].hazards.size() == 1);
  CHECK(plans[0].steps[2].hazards.size() == 1);
  CHECK(test::problems_of([&] { refuse_hazards(plans, {}); }).empty());
}

TEST_CASE("a file's hazards are said once each, with their lines") {
  const auto summary = [](const std::string& sql) {
    std::vector<MigrationPlan> plans = {planned(sql).plan};
    note_hazards(plans);
    return hazard_summary(plans.front());
  };
  const std::string dynamic = "DO $$ BEGIN EXECUTE a || b; END $$;\n";
  CHECK(summary("SELECT 1;").empty());
  CHECK(summary("TRUNCATE a;") == "DELETES_DATA (line 3: deletes all rows of a)");
  CHECK(summary(dynamic + "CALL p();\nTRUNCATE a;\n" + dynamic) ==
        "HAS_UNTRACKABLE_DEPENDENCIES (lines 3, 4 and 6: code that kdb cannot see into), "
        "DELETES_DATA (line 5: deletes all rows of a)");
  CHECK(summary("TRUNCATE a; TRUNCATE b;\nTRUNCATE c;\nTRUNCATE d;\nTRUNCATE e;") ==
        "DELETES_DATA (line 3: deletes all rows of a; line 3: deletes all rows of b; line 4: deletes all "
        "rows of c; 2 more in --dry-run)");
  std::string many;
  for (int i = 0; i < 50; ++i) many += dynamic;
  CHECK(summary(many) ==
        "HAS_UNTRACKABLE_DEPENDENCIES (lines 3, 4, 5, 6, 7, 8, 9, 10 and 42 more: code that "
        "kdb cannot see into)");
}

TEST_CASE("a plan says of a file's unseen code once, with all its lines") {
  const auto change = [](const std::string& sql) {
    std::vector<MigrationPlan> plans = {planned(sql).plan};
    note_hazards(plans);
    return to_change(plans.front(), false);
  };
  const Change several = change("CALL p();\nSELECT 1;\nCALL q();\nTRUNCATE a;");
  const auto hazard = [&](size_t step) { return several.steps.at(step).hazards.at(0); };
  CHECK(hazard(0).in_text == "code that kdb cannot see into, in lines 3 and 5");
  CHECK(hazard(0).reason == "calls p: code that kdb cannot see into");
  CHECK(hazard(2).in_text == "");
  CHECK(hazard(2).reason == "calls q: code that kdb cannot see into");
  CHECK_FALSE(hazard(3).in_text);
  CHECK_FALSE(change("CALL p();").steps.at(0).hazards.at(0).in_text);
}

TEST_CASE("what the database does not have holds nothing") {
  const auto left = [](const std::string& sql, std::set<std::string> existing) {
    std::vector<MigrationPlan> plans = {planned(sql).plan};
    note_hazards(plans, std::move(existing));
    std::string result;
    for (const Step& step : plans[0].steps)
      for (const sql::StatementHazard& hazard : step.hazards)
        result += (result.empty() ? "" : " ") + hazard.id + ":" + hazard.object;
    return result;
  };
  CHECK(left("CREATE TABLE IF NOT EXISTS a (n int); TRUNCATE a; DROP TABLE s.a, b", {"b"}) ==
        "DELETES_DATA:b");
  CHECK(left("DROP TABLE IF EXISTS A", {}).empty());
  CHECK(left("DROP TABLE IF EXISTS A", {"a"}) == "DELETES_DATA:A");
  CHECK(left("DROP TABLE U&\"a\"", {}) != "");
  const std::string letters(70, 'a');
  CHECK(left("DROP TABLE " + letters, {letters.substr(0, 63)}) == "DELETES_DATA:" + letters);
  CHECK(left("ALTER TABLE b RENAME TO a; DROP TABLE a", {"b"}) ==
        "HAS_UNTRACKABLE_DEPENDENCIES:b DELETES_DATA:a");
  CHECK(left("CREATE TABLE a (n int) PARTITION BY LIST (n); ALTER TABLE a ATTACH PARTITION b DEFAULT; "
             "DROP TABLE a",
             {"b"}) == "ACQUIRES_ACCESS_EXCLUSIVE_LOCK:b DELETES_DATA:a");
  CHECK(left("CALL p(); CREATE INDEX i ON a (n); DROP TABLE a", {}) ==
        "HAS_UNTRACKABLE_DEPENDENCIES:p DELETES_DATA:a");
  CHECK(left("ALTER TABLE b RENAME TO a; DROP TABLE a", {}).empty());
  CHECK(left("ALTER INDEX b RENAME TO a; DROP INDEX a", {}) == "INDEX_DROPPED:a");
  CHECK(left("DROP SCHEMA a CASCADE", {}) == "DELETES_DATA:a");
  CHECK(left("VACUUM FULL a, b", {"b"}) != "");
}

}  // namespace kdb::steps_test
