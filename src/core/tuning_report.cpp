#include "core/tuning_report.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/to_report.hpp"

namespace kdb {

namespace {

/// A fact for people, and for programs its value and its source apart.
class Fields {
 public:
  void add(const std::string& key, const std::string& label, Value value, const std::string& text) {
    fields_.push_back({.key = key, .label = {}, .value = std::move(value)});
    fields_.push_back({.key = {}, .label = label, .value = text});
  }
  template <class T, class Number>
  void add(const std::string& key, const std::string& label, const std::optional<Known<T>>& known,
           const std::string& text, Number value) {
    const bool is_known = known.has_value();
    add(key, label, is_known ? Value(value) : Value(), is_known ? text : "unknown");
    if (is_known) fields_.back().value = fmt::format("{} ({})", text, known->source);
    fields_.push_back({.key = key + "_source",
                       .label = {},
                       .value = is_known ? Value(known->source) : Value(std::monostate())});
  }
  /// One that is another each time that somebody looks.
  void add_moving(const std::string& key, const std::string& label, Value value, const std::string& text) {
    add(key, label, std::move(value), text);
    fields_.back().moves = true;
  }
  std::vector<Field> take() { return std::move(fields_); }

 private:
  std::vector<Field> fields_;
};

Table to_table(const std::vector<BudgetItem>& budget) {
  Table table{.key = "memory_budget",
              .columns = {{.key = "what", .title = "memory at most"},
                          {.key = "", .title = "bytes", .align_right = true},
                          {.key = "arithmetic", .title = "how it is reckoned"},
                          {.key = "bytes", .title = ""}}};
  for (const BudgetItem& item : budget)
    table.rows.push_back(
        {item.what, people(item.bytes), item.arithmetic, static_cast<std::int64_t>(item.bytes)});
  return table;
}

std::string summary_of(const Tuned& tuned) {
  size_t verdicts = 0;
  size_t declared = 0;
  for (const SettingLine& line : tuned.lines) {
    verdicts += line.verdicts.size();
    declared += line.origin.starts_with("kdb, ") ? 0 : 1;
  }
  return fmt::format("{}, {} declared; {} to look at", count(tuned.lines.size(), "setting"), declared,
                     count(verdicts + tuned.findings.size(), "remark"));
}

std::string takes_of(const SettingDifference& one) {
  if (!one.obstacle.empty()) return "no change: " + one.obstacle;
  return one.restart ? "a restart" : "a reload";
}

Table to_table(const std::vector<SettingDifference>& differences, std::string key, std::string title) {
  Table table{.key = std::move(key),
              .columns = {{.key = "setting", .title = std::move(title)},
                          {.key = "live", .title = "server"},
                          {.key = "desired", .title = "wanted"},
                          {.key = "takes", .title = "takes"},
                          {.key = "place", .title = "set now in"}}};
  for (const SettingDifference& one : differences)
    table.rows.push_back(
        {one.name, one.live, one.desired, takes_of(one), one.place.empty() ? Value() : Value(one.place)});
  return table;
}

std::string summary_of(const SettingDiff& diff, size_t rendered) {
  const auto restarts = [](const std::vector<SettingDifference>& list) {
    return static_cast<size_t>(
        std::count_if(list.begin(), list.end(), [](const auto& one) { return one.restart; }));
  };
  const size_t differ = diff.differences.size();
  std::string text = differ == 0
                         ? fmt::format("nothing differs: {} as wanted", count(rendered, "setting"))
                         : fmt::format("{} of {} differ: {} by a reload, {} by a restart", differ,
                                       count(rendered, "setting"), differ - restarts(diff.differences),
                                       restarts(diff.differences));
  const size_t for_restart = restarts(diff.waiting);
  const size_t for_reload = diff.waiting.size() - for_restart;
  if (for_reload > 0) text += fmt::format("; in the files, waiting for a reload: {}", for_reload);
  if (for_restart > 0) text += fmt::format("; in the files, waiting for a restart: {}", for_restart);
  return text;
}

}  // namespace

std::vector<Field> tuning_fields(const TuningFacts& facts) {
  Fields fields;
  fields.add("postgresql", "PostgreSQL", std::int64_t{facts.major},
             fmt::format("{} ({})", facts.major, facts.major_source));
  const double memory = facts.memory ? static_cast<double>(facts.memory->value) : 0;
  const double cpus = facts.cpus ? facts.cpus->value : 0;
  fields.add("memory", "memory", facts.memory, people(memory), static_cast<std::int64_t>(memory));
  fields.add("cpus", "CPUs", facts.cpus, fmt::format("{:.6g}", cpus), fmt::format("{:.6g}", cpus));
  const std::string disk(facts.disk ? to_string(facts.disk->value) : "");
  fields.add("disk", "disk", facts.disk, disk, disk);
  const std::string workload(to_string(facts.workload.value));
  fields.add("workload", "workload", workload, fmt::format("{} ({})", workload, facts.workload.source));
  if (facts.timescaledb)
    fields.add_moving(
        "timescaledb", "TimescaleDB", true,
        facts.chunks ? fmt::format("{} chunks, {} jobs", *facts.chunks, facts.jobs.value_or(0)) : "yes");
  if (facts.database_bytes)
    fields.add_moving("database_bytes", "databases", static_cast<std::int64_t>(*facts.database_bytes),
                      people(static_cast<double>(*facts.database_bytes)));
  if (facts.wal_rate)
    fields.add_moving("wal_bytes_per_second", "WAL", static_cast<std::int64_t>(*facts.wal_rate),
                      people(*facts.wal_rate) + "/s on average");
  return fields.take();
}

Report to_report(const TuningFacts& facts, Tuned tuned) {
  Report report{.command = "tune", .fields = tuning_fields(facts), .summary = summary_of(tuned)};
  if (!tuned.budget.empty()) report.tables.push_back(to_table(tuned.budget));
  report.findings = std::move(tuned.findings);
  report.rules = tuning_finding_rules();
  report.settings = std::move(tuned.lines);
  return report;
}

Report to_report(const TuningFacts& facts, SettingDiff diff, size_t rendered) {
  Report report{.command = "tune diff", .fields = tuning_fields(facts)};
  report.summary = summary_of(diff, rendered);
  report.tables = {to_table(diff.differences, "differences", "differs"),
                   to_table(diff.waiting, "waiting", "in the files, waiting")};
  report.findings = std::move(diff.findings);
  report.rules = tuning_finding_rules();
  return report;
}

}  // namespace kdb
