#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "core/memory_budget.hpp"
#include "core/sizing.hpp"
#include "model/change.hpp"
#include "model/report.hpp"
#include "model/setting.hpp"
#include "model/tuning.hpp"

namespace kdb {

/// What a postgresql.conf would have, and what is to be said of it.
struct Tuned {
  std::vector<SettingLine> lines;  // in the order of their groups
  std::vector<Finding> findings;
  std::vector<Problem> problems;   // for which a server would refuse the file, or ignore a line of it
  std::vector<BudgetItem> budget;  // empty where the memory is unknown
  bool unresolved = false;         // a declared value depends on what nobody knows
};

/// The declared settings, and kdb's own rules for the others. Nothing is guessed: what depends on an unknown
/// fact is left out, and one finding asks for it.
Tuned tune(const TuningFacts& facts, const std::vector<WantedSetting>& wanted, const SettingLookup& lookup);

/// What each finding of tune() and diff_settings() is about, by name.
std::vector<FindingRule> tuning_finding_rules();

}  // namespace kdb
