#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "model/object.hpp"

namespace kdb {

/// What a plan would do to a database, as far as the plans of queries can be had with it beforehand.
struct PlannedDesign {
  std::string how;                  // "HypoPG 1.3.1"; empty where no index is simulated
  std::vector<ObjectName> indexes;  // that are simulated
  std::vector<std::pair<std::string, std::string>> settings;  // that are planned with: name and value
  std::vector<Problem> unseen;  // what the plan has beside, of which the plans of queries say nothing

  /// Whether there is anything to plan with.
  bool has_effect() const { return !indexes.empty() || !settings.empty(); }
};

}  // namespace kdb
