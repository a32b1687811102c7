#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

using std::chrono::milliseconds;

/// The value that `SET lock_timeout …` gives; nothing where it cannot be read.
std::optional<milliseconds> value_set(const sql::Words& words) {
  if (!words.is(0, "set")) return std::nullopt;
  const size_t name = words.is(1, "local") || words.is(1, "session") ? 2 : 1;
  const size_t value = std::max(words.skip(name + 1, "="), words.skip(name + 1, "to"));
  const std::string_view text = words.text(value);
  return parse_duration(words.is_literal(value) ? sql::literal_value(text) : std::string(text));
}

bool blocks(const Step& step) {
  return step.what.blocking_lock || std::any_of(step.block.begin(), step.block.end(), blocks);
}

/// Where the section begins: its directives are the line before.
Source directive_of(const MigrationScripts& migration, const Script& script) {
  const Migration& read = script.plan.migration;
  const auto& section = script.plan.direction == Direction::up ? read.up : read.down;
  Source where{.file = migration.file.path, .line = 1};
  if (section) where = {.file = section->file, .line = std::max(1, section->line - 1)};
  return where;
}

constexpr std::string_view zero_hint =
    "leave it out: kdb sets 3 seconds, or [connection] lock_timeout, and "
    "tries again";

void check_zero(const MigrationScripts& migration, const Script& script, Findings& findings) {
  const std::vector<Step>& steps = script.plan.steps;
  if (script.plan.options.lock_timeout == milliseconds(0) && std::any_of(steps.begin(), steps.end(), blocks))
    findings.add(directive_of(migration, script),
                 "lock_timeout:0 lets everybody queue behind this section while it waits for a lock",
                 std::string(zero_hint));
  const auto check = [&](const std::vector<Step>& list) {
    for (auto step = list.begin(); step != list.end(); ++step) {
      if (!step->what.sets_lock_timeout || value_set(sql::Words(step->sql)) != milliseconds(0)) continue;
      if (std::none_of(step + 1, list.end(), blocks)) continue;
      findings.add(step->where,
                   "without a lock_timeout everybody queues behind the statements below while they wait",
                   std::string(zero_hint));
    }
  };
  check(steps);
  for (const Step& step : steps) check(step.block);
}

/// CONCURRENTLY: it waits without being in anybody's way.
bool is_patient_build(const Step& step) {
  return step.what.patient && step.what.outside_transaction && step.what.command != "VACUUM";
}

void check_concurrent(const MigrationScripts& migration, const Script& script, Findings& findings) {
  const std::vector<Step>& steps = script.plan.steps;
  const auto build = std::find_if(steps.begin(), steps.end(), is_patient_build);
  if (build == steps.end()) return;
  const auto& option = script.plan.options.lock_timeout;
  const bool detach = build->what.command == "ALTER TABLE";
  const std::string message =
      fmt::format("a lock_timeout ends {} CONCURRENTLY on every busy server, and leaves {} behind",
                  detach ? "DETACH PARTITION" : build->what.command,
                  detach ? "a half-detached partition" : "an invalid index");
  const std::string hint = "leave it out: the wait blocks nobody, and [connection] build_wait can limit it";
  if (option && *option > milliseconds(0)) findings.add(directive_of(migration, script), message, hint);
  for (auto step = steps.begin(); step != build; ++step) {
    const auto value = step->what.sets_lock_timeout ? value_set(sql::Words(step->sql)) : std::nullopt;
    if (value && *value > milliseconds(0)) findings.add(step->where, message, hint);
  }
}

}  // namespace

Rule require_lock_timeout() {
  return {.name = "require-lock-timeout",
          .summary = "a lock_timeout of 0 before statements that take a lock",
          .why =
              "A statement that waits for a strong lock blocks every later reader and writer of the table, "
              "however short its own work is. kdb sets a lock_timeout for each such statement and tries "
              "again, so nothing has to be written down; 0 switches that off.",
          .lock = "the one that the statement waits for",
          .instead = "Leave it out, or name a time: `-- migrate:up lock_timeout:2s`.",
          .aliases = {"require-timeout-settings"},
          .script = check_zero};
}

Rule concurrent_lock_timeout() {
  return {.name = "concurrent-lock-timeout",
          .summary = "a lock_timeout on CREATE or DROP INDEX CONCURRENTLY",
          .why =
              "It waits for every transaction that is older than itself, which on a busy server takes longer "
              "than any lock_timeout; then the build is cancelled and an invalid index stays. kdb sets none "
              "for such statements, but one that the file names wins.",
          .lock = "SHARE UPDATE EXCLUSIVE on the table: its waits block neither reads nor writes",
          .instead = "Leave it out. [connection] build_wait limits the wait where it must have an end.",
          .script = check_concurrent};
}

}  // namespace kdb::lint
