#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/sizing.hpp"

namespace kdb {

/// What kdb itself would set, and why.
struct Advice {
  std::string value;
  std::string reason;  // one clause, with the numbers that it was made of
};

/// What is to be said of a chosen value.
struct Judgement {
  std::string reason;                // what it does, in numbers
  std::vector<std::string> against;  // each a clause with its numbers
};

/// A setting that kdb knows something about: a row of the table in tuning_rules.cpp.
struct TuningRule {
  std::string_view name;
  /// Nothing where the server's default is as good, or where what it depends on is unknown.
  std::optional<Advice> (*advise)(const Sizing& sizing) = nullptr;
  /// Of a value that a profile declares; null: there is nothing to say but whether it is the default.
  Judgement (*judge)(const Sizing& sizing) = nullptr;
};

struct TuningGroup {
  std::string_view title;
  std::span<const TuningRule> rules;
};

/// All of them, in the order in which they are written.
std::span<const TuningGroup> tuning_groups();
/// The same in the order in which they are chosen: what comes later may compute with what comes before.
std::span<const std::span<const TuningRule>> tuning_order();

// The groups, each in the file of its name.
extern const std::span<const TuningRule> memory_rules;
extern const std::span<const TuningRule> wal_rules;
extern const std::span<const TuningRule> planner_rules;
extern const std::span<const TuningRule> worker_rules;
extern const std::span<const TuningRule> vacuum_rules;
extern const std::span<const TuningRule> logging_rules;
extern const std::span<const TuningRule> safety_rules;

}  // namespace kdb
