#include "core/saved_plan.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/error.hpp"

namespace kdb {

namespace {

constexpr const char* plan_again = "run `kdb plan` again, and review what it says now";

bool same_object(const Change& a, const Change& b) { return a.kind == b.kind && a.object == b.object; }

/// Why `change` is not what the plan says of its object; nothing if it is.
std::optional<std::string> difference(const SavedPlan& saved, const Change& change) {
  const bool has_migrations = std::any_of(saved.changes.begin(), saved.changes.end(),
                                          [](const Change& one) { return one.action == Action::run; });
  bool has_action = false;
  bool is_as_planned = false;
  std::vector<const ChangeStep*> steps;
  for (const Change& planned : saved.changes) {
    if (!same_object(planned, change)) continue;
    // Its declaration and the migrations that make its table are those that were reviewed; what else has come
    // to be there meanwhile is not.
    const bool goes_on = change.action == Action::alter || change.action == Action::repair;
    if (planned.provisional && (goes_on || change.action == planned.action)) return std::nullopt;
    // What comes late has no fingerprint, and says nothing of the object as it was.
    const bool alike =
        planned.action == change.action && planned.fingerprint.empty() == change.fingerprint.empty();
    has_action |= alike;
    is_as_planned |= alike && planned.fingerprint == change.fingerprint;
    for (const ChangeStep& step : planned.steps) steps.push_back(&step);
  }
  // A migration of the plan may change the object too; another action is what is left of an earlier run.
  if (has_action && !is_as_planned && (change.action == Action::run || !has_migrations))
    return "it was changed since";
  for (const ChangeStep& step : change.steps) {
    const bool planned = std::any_of(steps.begin(), steps.end(), [&](const ChangeStep* one) {
      return one->sql == step.sql && one->in_transaction == step.in_transaction;
    });
    if (!step.tidies && !planned) return fmt::format("now this would run: {}", step.sql);
  }
  return std::nullopt;
}

}  // namespace

void refuse_sandbox_plan(const PlanOrigin& saved) {
  if (saved.sandbox)
    throw Error(Exit::refused, "the plan was made against a sandbox, and is for review alone",
                "`kdb plan -o PLAN.json` without --sandbox makes one that can be applied");
}

void refuse_other_origin(const PlanOrigin& saved, const PlanOrigin& now) {
  std::vector<Problem> problems;
  const auto compare = [&](std::string_view what, const std::string& then, const std::string& is) {
    if (then != is)
      problems.push_back(
          {.message = fmt::format("the plan was made {}{}, this is {}", what,
                                  then.empty() ? "another one" : then, is.empty() ? "another one" : is)});
  };
  compare("by kdb ", saved.kdb_version, now.kdb_version);
  if (!saved.system_identifier.empty() && !now.system_identifier.empty())
    compare("for the server with system identifier ", saved.system_identifier, now.system_identifier);
  compare("for database ", saved.database, now.database);
  compare("as role ", saved.role, now.role);
  std::map<std::string, std::string> hashes;
  for (const FileHash& file : now.profiles) hashes[file.path] = file.sha256;
  for (const FileHash& file : saved.profiles) {
    const auto found = hashes.find(file.path);
    if (found == hashes.end())
      problems.push_back({.message = "the plan was made from this profile, which is not read now",
                          .where = {.file = file.path}});
    else if (found->second != file.sha256)
      problems.push_back(
          {.message = "the profile was changed since the plan was made", .where = {.file = file.path}});
    if (found != hashes.end()) hashes.erase(found);
  }
  for (const auto& [path, hash] : hashes)
    problems.push_back({.message = "the plan was made without this profile", .where = {.file = path}});
  if (problems.empty()) return;
  problems.back().hint = plan_again;
  throw Error(Exit::refused, std::move(problems));
}

std::vector<Change> keep_planned(const SavedPlan& saved, std::vector<Change> now) {
  std::vector<Change> kept;
  std::vector<Problem> problems;
  for (Change& change : now) {
    const bool tidies = std::all_of(change.steps.begin(), change.steps.end(),
                                    [](const ChangeStep& step) { return step.tidies; });
    const bool planned = has_object_of(saved, change);
    // A migration that is pending runs with the others, or none does.
    if (!planned && !tidies && change.action != Action::run) continue;
    if (!planned && !tidies) {
      problems.push_back({.message = fmt::format("{} {} is not in the plan", change.kind, change.object),
                          .where = change.where});
      continue;
    }
    if (const auto why = difference(saved, change))
      problems.push_back({.message = fmt::format("{} {} is not as it was when the plan was made: {}",
                                                 change.kind, change.object, *why),
                          .where = change.where});
    else
      kept.push_back(std::move(change));
  }
  if (problems.empty()) return kept;
  problems.back().hint = plan_again;
  throw Error(Exit::refused, std::move(problems));
}

void refuse_missing_migrations(const SavedPlan& saved, const std::vector<std::string>& known) {
  std::vector<Problem> problems;
  for (const Change& planned : saved.changes)
    if (planned.action == Action::run && std::find(known.begin(), known.end(), planned.object) == known.end())
      problems.push_back({.message = fmt::format("migration {} of the plan is neither pending nor applied",
                                                 planned.object)});
  if (problems.empty()) return;
  problems.back().hint = "is this the release that the plan was made for?";
  throw Error(Exit::refused, std::move(problems));
}

bool has_object_of(const SavedPlan& saved, const Change& change) {
  return std::any_of(saved.changes.begin(), saved.changes.end(),
                     [&](const Change& planned) { return same_object(planned, change); });
}

}  // namespace kdb
