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
  for (const Change& planned : saved.changes) {
    if (!same_object(planned, change) || planned.action != change.action) continue;
    if (planned.fingerprint != change.fingerprint) return "it was changed since";
  }
  const auto is_planned = [&](const ChangeStep& step) {
    return std::any_of(saved.changes.begin(), saved.changes.end(), [&](const Change& planned) {
      return same_object(planned, change) &&
             std::any_of(planned.steps.begin(), planned.steps.end(), [&](const ChangeStep& one) {
               return one.sql == step.sql && one.in_transaction == step.in_transaction;
             });
    });
  };
  for (const ChangeStep& step : change.steps)
    if (!step.tidies && !is_planned(step)) return fmt::format("now this would run: {}", step.sql);
  return std::nullopt;
}

}  // namespace

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

bool has_object_of(const SavedPlan& saved, const Change& change) {
  return std::any_of(saved.changes.begin(), saved.changes.end(),
                     [&](const Change& planned) { return same_object(planned, change); });
}

}  // namespace kdb
