#include "core/tuning_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "core/pgtune.hpp"
#include "core/timescaledb_tune.hpp"
#include "core/tuning_rules.hpp"

namespace kdb {

namespace {

std::optional<FormulaInput> formula_input(const TuningFacts& facts) {
  if (!facts.memory || !facts.cpus) return std::nullopt;
  FormulaInput input{.memory = facts.memory->value,
                     .cpus = std::max(1, static_cast<int>(std::ceil(facts.cpus->value))),
                     .connections = std::nullopt,
                     .workload = facts.workload.value,
                     .major = facts.major,
                     .database_bytes = facts.database_bytes,
                     .wal_disk = std::nullopt};  // which the tool is told by a flag of its own
  if (facts.disk) input.disk = facts.disk->value;
  if (facts.connections) input.connections = facts.connections->value;
  return input;
}

template <std::vector<FormulaValue> (*formula)(const FormulaInput&)>
std::optional<std::vector<FormulaValue>> values_of(const TuningFacts& facts) {
  const auto input = formula_input(facts);
  return input ? std::optional(formula(*input)) : std::nullopt;
}

template <std::string (*check)(const FormulaInput&)>
std::string problem_for(const TuningFacts& facts) {
  const auto input = formula_input(facts);
  return input ? check(*input) : "";
}

/// Where kdb has a setting; behind all others where it has no rule for it.
std::pair<size_t, std::string_view> group_of(std::string_view name) {
  size_t place = 0;
  for (const TuningGroup& group : tuning_groups())
    for (const TuningRule& rule : group.rules) {
      if (rule.name == name) return {place, group.title};
      ++place;
    }
  return {place, "Besides"};
}

std::string value_in(const std::vector<FormulaValue>& values, std::string_view name) {
  for (const FormulaValue& one : values)
    if (one.name == name) return one.value;
  return {};
}

}  // namespace

std::span<const TuningTool> tuning_tools() {
  static constexpr TuningTool tools[] = {
      {"timescaledb-tune", values_of<timescaledb_tune>, problem_for<timescaledb_tune_problem>},
      {"pgtune", values_of<pgtune>, problem_for<pgtune_problem>},
  };
  return tools;
}

const TuningTool* find_tuning_tool(std::string_view name) {
  for (const TuningTool& tool : tuning_tools())
    if (tool.name == name) return &tool;
  return nullptr;
}

std::vector<SettingLine> lines_of(const TuningTool& tool, const std::vector<FormulaValue>& values,
                                  const SettingLookup& lookup) {
  std::vector<SettingLine> lines;
  for (const FormulaValue& one : values) {
    const SettingFacts* facts = lookup(one.name);
    SettingLine line{.name = one.name,
                     .value = one.value,
                     .group = std::string(group_of(one.name).second),
                     .reason = {},
                     .origin = fmt::format("{}'s formula", tool.name),
                     .facts = facts == nullptr ? SettingFacts{} : *facts};
    if (facts == nullptr && one.name.find('.') == std::string::npos)
      line.verdicts.emplace_back("the server has no such setting, and would not start with it");
    else if (const std::string problem = facts == nullptr ? "" : setting_problem(facts->type, one.value);
             !problem.empty())
      line.verdicts.push_back(fmt::format("the server would not start with it: it {}", problem));
    lines.push_back(std::move(line));
  }
  std::stable_sort(lines.begin(), lines.end(), [](const SettingLine& a, const SettingLine& b) {
    return group_of(a.name).first < group_of(b.name).first;
  });
  return lines;
}

Table comparison(const TuningFacts& facts, const std::vector<SettingLine>& lines, const LiveValue& live) {
  std::map<std::pair<size_t, std::string>, const SettingLine*> rows;
  for (const SettingLine& line : lines) rows[{group_of(line.name).first, line.name}] = &line;
  std::vector<std::vector<FormulaValue>> theirs;
  Table table{.key = "comparison", .columns = {{.key = "setting", .title = "setting"}}};
  if (live) table.columns.push_back({.key = "live", .title = "server"});
  table.columns.push_back({.key = "kdb", .title = "kdb"});
  table.columns.push_back({.key = "declared", .title = "declared"});
  for (const TuningTool& tool : tuning_tools()) {
    table.columns.push_back({.key = std::string(tool.name), .title = std::string(tool.name)});
    theirs.push_back(tool.values(facts).value_or(std::vector<FormulaValue>()));
    for (const FormulaValue& one : theirs.back())
      rows.try_emplace({group_of(one.name).first, one.name}, nullptr);
  }
  for (const auto& [place, line] : rows) {
    const std::string& name = place.second;
    std::vector<Value> row{name};
    if (live) row.emplace_back(live(name));
    row.emplace_back(line == nullptr ? "" : line->value);
    row.emplace_back(line != nullptr && !line->origin.starts_with("kdb, "));
    for (const auto& values : theirs) row.emplace_back(value_in(values, name));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace kdb
