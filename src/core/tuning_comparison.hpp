#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/sizing.hpp"
#include "core/tune.hpp"
#include "model/report.hpp"

namespace kdb {

/// A tool whose formula kdb knows.
struct TuningTool {
  std::string_view name;
  /// Its values; nothing where the memory or the CPUs are unknown.
  std::optional<std::vector<FormulaValue>> (*values)(const TuningFacts& facts) = nullptr;
  /// Why the tool itself would refuse; empty where it would not.
  std::string (*problem)(const TuningFacts& facts) = nullptr;
};

std::span<const TuningTool> tuning_tools();
/// By name; null if there is none.
const TuningTool* find_tuning_tool(std::string_view name);

/// What the tool would render, each line with the group that kdb has it in.
std::vector<SettingLine> lines_of(const TuningTool& tool, const std::vector<FormulaValue>& values,
                                  const SettingLookup& lookup);

/// What a server has now, as people write it; empty for a setting that it does not have.
using LiveValue = std::function<std::string(std::string_view name)>;

/// A row for each setting that anybody sets: what the server has (without a `live` no such column), what kdb
/// renders, and what the tools would.
Table comparison(const TuningFacts& facts, const std::vector<SettingLine>& lines, const LiveValue& live);

}  // namespace kdb
