// Plan files: reading them, and holding them against what would run now.

#include "core/saved_plan.hpp"

#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "files/plan_file.hpp"
#include "render/formats.hpp"

namespace kdb::saved_plan_test {

namespace {

Change index(const std::string& name, Action action, const std::vector<std::string>& statements,
             const std::string& fingerprint = "") {
  Change change{.action = action, .kind = "index", .object = name, .table = "t", .where = {}, .fields = {}};
  change.fingerprint = fingerprint;
  for (const std::string& sql : statements)
    change.steps.push_back({.sql = sql, .in_transaction = false, .lock = {}, .hazards = {}});
  return change;
}

SavedPlan plan_of(std::vector<Change> changes) { return {.origin = {}, .changes = std::move(changes)}; }

/// The messages of a refusal; nothing where there is none.
std::string refused(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.exit() == Exit::refused);
    std::string text;
    for (const Problem& problem : error.problems()) text += problem.message + "\n";
    return text;
  }
  return {};
}

Report report_of(const std::vector<Change>& changes) {
  Report report{.command = "plan"};
  report.fields = {{.key = "kdb_version", .value = std::string("1")},
                   {.key = "system_identifier", .value = std::string("7")},
                   {.key = "database", .value = std::string("shop")},
                   {.key = "role", .value = std::string("me")},
                   {.key = "parts", .value = std::vector<std::string>{"profile"}},
                   {.key = "prune", .value = true}};
  report.tables = {{.key = "profile_files",
                    .columns = {{.key = "path"}, {.key = "sha256"}},
                    .rows = {{std::string("p.toml"), std::string("abc")}}}};
  report.changes = changes;
  return report;
}

}  // namespace

TEST_CASE("a plan of a sandbox is never applied") {
  Report report = report_of({});
  CHECK_FALSE(files::parse_plan(render::find_format("json")->render(report, {}), "plan.json").origin.sandbox);
  report.fields.push_back({.key = "sandbox", .value = true});
  SavedPlan saved = files::parse_plan(render::find_format("json")->render(report, {}), "plan.json");
  CHECK(saved.origin.sandbox);
  CHECK(refused([&] { refuse_sandbox_plan(saved.origin); }) ==
        "the plan was made against a sandbox, and is for review alone\n");
  // Nor where somebody took the word out: no server has such an identifier.
  saved.origin.sandbox = false;
  saved.origin.system_identifier = "sandbox";
  refuse_sandbox_plan(saved.origin);
  PlanOrigin now = saved.origin;
  now.system_identifier = "7";
  CHECK(refused([&] { refuse_other_origin(saved.origin, now); }) ==
        "the plan was made for the server with system identifier sandbox, this is 7\n");
}

TEST_CASE("what kdb plan writes is read back") {
  const std::vector<Change> changes = {index("a", Action::create, {"CREATE INDEX a ON t (x)"}),
                                       index("b", Action::drop, {"DROP INDEX b"}, "f00d")};
  const SavedPlan saved = files::parse_plan(render::render_json(report_of(changes), {}), "p.json");
  CHECK(saved.origin.kdb_version == "1");
  CHECK(saved.origin.system_identifier == "7");
  CHECK(saved.origin.database == "shop");
  CHECK(saved.origin.role == "me");
  CHECK(saved.origin.parts == std::vector<std::string>{"profile"});
  CHECK(saved.origin.prune);
  CHECK(saved.origin.profiles == std::vector<FileHash>{{"p.toml", "abc"}});
  REQUIRE(saved.changes.size() == 2);
  CHECK(saved.changes[0].object == "a");
  CHECK(saved.changes[1].action == Action::drop);
  CHECK(saved.changes[1].fingerprint == "f00d");
  CHECK(keep_planned(saved, changes) == changes);
}

TEST_CASE("a file that is no plan is refused with what is wrong in it") {
  const auto message = [](const std::string& text) -> std::string {
    try {
      files::parse_plan(text, "p.json");
    } catch (const Error& error) {
      CHECK(error.exit() == Exit::usage);
      CHECK(error.problems().at(0).where.file == "p.json");
      return error.problems().at(0).message;
    }
    return "read";
  };
  const std::string good = render::render_json(report_of({index("a", Action::create, {"X"})}), {});
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  CHECK(message(good) == "read");
  CHECK(message("") == "is no JSON");
  CHECK(message("[]") == "the plan is no object");
  CHECK(message("{}") == "command is missing");
  CHECK(message(with("\"plan\"", "\"lint\"")) == "is the result of `kdb lint`");
  CHECK(message(with("\"format_version\": 1", "\"format_version\": 2"))
            .starts_with("has another format_version"));
  CHECK(message(with("\"role\": \"me\"", "\"role\": 3")) == "role is no string");
  CHECK(message(with("\"create\"", "\"erase\"")) == "changes[0].action is unknown: 'erase'");
  CHECK(message(with("\"sql\": \"X\"", "\"sql\": null")) == "changes[0].steps[0].sql is no string");
  CHECK(message(with("\"in_transaction\": false", "\"in_transaction\": 0")) ==
        "changes[0].steps[0].in_transaction is not true or false");
}

TEST_CASE("only what the plan says runs, or less of it") {
  const SavedPlan saved = plan_of({index("a", Action::replace, {"build", "rename", "drop"}, "1")});
  const auto kept = [&](const Change& now) { return keep_planned(saved, {now}).size(); };
  CHECK(kept(index("a", Action::replace, {"build", "rename", "drop"}, "1")) == 1);
  CHECK(kept(index("a", Action::replace, {"rename", "drop"}, "1")) == 1);  // an earlier run built it
  CHECK(kept(index("a", Action::alter, {"drop"}, "2")) == 1);
  CHECK(kept(index("b", Action::create, {"anything"})) == 0);  // nobody's business
  const auto why = [&](const Change& now) { return refused([&] { keep_planned(saved, {now}); }); };
  CHECK(why(index("a", Action::replace, {"build otherwise", "rename", "drop"}, "1")) ==
        "index a is not as it was when the plan was made: now this would run: build otherwise\n");
  CHECK(why(index("a", Action::replace, {"build", "rename", "drop"}, "2")) ==
        "index a is not as it was when the plan was made: it was changed since\n");
  Change inside = index("a", Action::replace, {"build"}, "1");
  inside.steps[0].in_transaction = true;
  CHECK(!why(inside).empty());
}

TEST_CASE("what stands on a pending migration is certain only once that has run") {
  Change planned = index("a", Action::create, {"CREATE INDEX a ON t (x) WHERE x > 0"});
  const Change now = index("a", Action::create, {"CREATE INDEX a ON t (x) WHERE (x > 0)"});
  CHECK_THROWS_AS(keep_planned(plan_of({planned}), {now}), Error);
  planned.provisional = true;
  CHECK(keep_planned(plan_of({planned}), {now}).size() == 1);
  CHECK(keep_planned(plan_of({planned}), {index("a", Action::repair, {"what is missing"}, "1")}).size() == 1);
  for (const Action other : {Action::replace, Action::rename, Action::drop})
    CHECK_THROWS_AS(keep_planned(plan_of({planned}), {index("a", other, {"something else"}, "1")}), Error);
  const SavedPlan read = files::parse_plan(render::render_json(report_of({planned}), {}), "p.json");
  CHECK(read.changes.at(0).provisional);
}

TEST_CASE("a migration of the plan is the one that was reviewed, and is there") {
  Change migration{
      .action = Action::run, .kind = "migration", .object = "7 x", .table = {}, .where = {}, .fields = {}};
  migration.fingerprint = "abc";
  migration.steps.push_back({.sql = "SELECT 1", .lock = {}, .hazards = {}});
  const SavedPlan saved = plan_of({migration});
  CHECK(keep_planned(saved, {migration}).size() == 1);
  Change edited = migration;
  edited.fingerprint = "def";
  CHECK(refused([&] { keep_planned(saved, {edited}); }) ==
        "migration 7 x is not as it was when the plan was made: it was changed since\n");
  CHECK(refused([&] { refuse_missing_migrations(saved, {"6 w", "7 x"}); }).empty());
  CHECK(refused([&] { refuse_missing_migrations(saved, {"6 w"}); }) ==
        "migration 7 x of the plan is neither pending nor applied\n");
}

TEST_CASE("of several changes of one object those that are left are as planned") {
  const SavedPlan saved =
      plan_of({index("a", Action::alter, {"first"}, "1"), index("a", Action::alter, {"late"}, "")});
  CHECK(keep_planned(saved, {index("a", Action::alter, {"late"}, "")}).size() == 1);
  CHECK_THROWS_AS(keep_planned(saved, {index("a", Action::alter, {"first"}, "2")}), Error);
  // Made by an earlier run, that got no further.
  const SavedPlan made =
      plan_of({index("a", Action::create, {"make", "set"}, ""), index("a", Action::alter, {"late"}, "")});
  CHECK(keep_planned(made, {index("a", Action::alter, {"set"}, "2"), index("a", Action::alter, {"late"}, "")})
            .size() == 2);
  CHECK_THROWS_AS(keep_planned(made, {index("a", Action::alter, {"set otherwise"}, "2")}), Error);
}

TEST_CASE("what kdb left half done is tidied up whatever the plan says") {
  Change leftover = index("kdb_old_0", Action::repair, {"drop it"});
  leftover.steps[0].tidies = true;
  CHECK(keep_planned(plan_of({}), {leftover}).size() == 1);
  Change again = index("a", Action::repair, {"drop it", "build"});
  again.steps[0].tidies = true;
  CHECK(keep_planned(plan_of({index("a", Action::create, {"build"})}), {again}).size() == 1);
}

TEST_CASE("a migration that the plan does not have is no bystander") {
  const Change migration{
      .action = Action::run, .kind = "migration", .object = "7 x", .table = {}, .where = {}, .fields = {}};
  CHECK(refused([&] { keep_planned(plan_of({}), {migration}); }) == "");
  Change with_step = migration;
  with_step.steps.push_back({.sql = "DROP TABLE t", .lock = {}, .hazards = {}});
  CHECK(refused([&] { keep_planned(plan_of({}), {with_step}); }) == "migration 7 x is not in the plan\n");
}

TEST_CASE("a plan is for one database, role, kdb and profile") {
  const PlanOrigin origin{.kdb_version = "1",
                          .system_identifier = "7",
                          .database = "shop",
                          .role = "me",
                          .parts = {},
                          .profiles = {{"p.toml", "abc"}}};
  CHECK(refused([&] { refuse_other_origin(origin, origin); }).empty());
  const auto with = [&](const std::function<void(PlanOrigin&)>& change) {
    PlanOrigin other = origin;
    change(other);
    return refused([&] { refuse_other_origin(origin, other); });
  };
  CHECK(with([](auto& o) { o.kdb_version = "2"; }) == "the plan was made by kdb 1, this is 2\n");
  CHECK(with([](auto& o) { o.system_identifier = "8"; }) ==
        "the plan was made for the server with system identifier 7, this is 8\n");
  CHECK(with([](auto& o) { o.system_identifier.clear(); }).empty());
  CHECK(with([](auto& o) { o.database = "b"; }) == "the plan was made for database shop, this is b\n");
  CHECK(with([](auto& o) { o.role = "b"; }) == "the plan was made as role me, this is b\n");
  CHECK(with([](auto& o) { o.profiles[0].sha256 = "x"; }) ==
        "the profile was changed since the plan was made\n");
  CHECK(with([](auto& o) { o.profiles.clear(); }) ==
        "the plan was made from this profile, which is not read now\n");
  CHECK(with([](auto& o) {
          o.profiles.push_back({"q.toml", "x"});
        }) == "the plan was made without this profile\n");
}

}  // namespace kdb::saved_plan_test
