#include "core/attribution_report.hpp"

#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/attribution.hpp"
#include "core/measured_text.hpp"

namespace kdb {

namespace {

/// What the tables are made of.
struct Attributed {
  const ComparisonMeasures& measures;
  const DesignMeasures& design;
  std::vector<JudgedPart> judged;

  const std::vector<PartMeasures>& parts() const { return design.attribution->parts; }
};

std::string title_of(const PartMeasures& part) { return fmt::format("{} {}", part.kind, part.name); }

std::string percent_text(double part) { return fmt::format("{} %", std::llround(100 * part)); }

/// What a part takes of writing, and of the disk: WAL, time of a COPY, size.
std::vector<Value> cost_cells(const PartMeasures& part, const JudgedPart& judged) {
  std::string copy = part.writes.error.empty() ? "-" : "error";
  if (judged.copy.blocks > 0)
    copy = judged.copy.p_value < interval_level ? percent_text(1 - judged.copy.ratio) : "?";
  return {judged.wal ? percent_text(*judged.wal) : "-", std::move(copy),
          part.bytes > 0 ? human_bytes(static_cast<unsigned long long>(part.bytes)) : "-"};
}

void add_cost_columns(Table& table) {
  for (const char* title : {"WAL", "COPY", "size"})
    table.columns.push_back({.key = "", .title = title, .align_right = true});
}

void append(std::vector<Value>& row, std::vector<Value> more) {
  for (Value& cell : more) row.push_back(std::move(cell));
}

std::string time_without(const JudgedPart::Moved& moved) {
  if (moved.fails) return "fails";
  if (moved.time.ratio.blocks == 0) return "-";
  const std::string ratio = ratio_text(moved.time.ratio.ratio);
  switch (moved.time.verdict) {
    case TimeVerdict::worse:
      return ratio + " slower";
    case TimeVerdict::better:
      return ratio + " faster";
    case TimeVerdict::no_difference:
      return ratio + " same";
    case TimeVerdict::inconclusive:
      return ratio + " ?";
  }
  return {};
}

Table worth_table(const Attributed& all) {
  Table table{.key = "", .columns = {{.key = "", .title = column_title(all.design.name) + " without"}}};
  table.columns.push_back({.key = "", .title = "moves", .align_right = true});
  table.columns.push_back({.key = "", .title = "most changed"});
  for (const char* title : {"buffers", "time", "all buffers", "all time"})
    table.columns.push_back({.key = "", .title = title, .align_right = true});
  add_cost_columns(table);
  for (const size_t at : by_worth(all.judged)) {
    const JudgedPart& judged = all.judged[at];
    const JudgedPart::Moved& most = judged.moved[*judged.most];
    std::vector<Value> row{title_of(all.parts()[at]),
                           fmt::format("{} of {}", judged.moved.size(), all.measures.queries.size()),
                           all.measures.queries[most.query].name,
                           most.buffers ? ratio_text(*most.buffers) : "-",
                           time_without(most),
                           ratio_text(judged.buffers),
                           ratio_text(judged.time)};
    append(row, cost_cells(all.parts()[at], judged));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table nothing_table(const Attributed& all) {
  Table table{.key = "", .columns = {{.key = "", .title = "these changed nothing measurable"}}};
  add_cost_columns(table);
  for (size_t at = 0; at < all.parts().size(); ++at) {
    const PartMeasures& part = all.parts()[at];
    if (!part.skipped.empty() || !all.judged[at].moved.empty()) continue;
    std::vector<Value> row{title_of(part) + (part.standard ? ", as it is anyway" : "")};
    append(row, cost_cells(part, all.judged[at]));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table skipped_table(const Attributed& all) {
  Table table{.key = "",
              .columns = {{.key = "", .title = "not attributed"}, {.key = "", .title = "because"}}};
  for (const PartMeasures& part : all.parts())
    if (!part.skipped.empty()) table.rows.push_back({title_of(part), part.skipped});
  return table;
}

Table table_for_programs(std::string key, std::initializer_list<const char*> columns) {
  Table table{.key = std::move(key), .columns = {}};
  for (const char* column : columns) table.columns.push_back({.key = column, .title = ""});
  return table;
}

/// The first ones are those that are worth something, in that order.
Table parts_for_programs(const Attributed& all) {
  Table table =
      table_for_programs("parts", {"design", "kind", "part", "skipped", "standard", "moved", "failing",
                                   "most_changed", "buffers_ratio", "time_ratio", "wal_share",
                                   "copy_time_ratio", "copy_low", "copy_high", "bytes"});
  const auto add = [&](size_t at) {
    const PartMeasures& part = all.parts()[at];
    const JudgedPart& judged = all.judged[at];
    const bool copied = judged.copy.blocks > 0;
    const auto if_left_out = [&](Value value) { return part.skipped.empty() ? std::move(value) : Value(); };
    table.rows.push_back(
        {all.design.name, part.kind, part.name, part.skipped.empty() ? Value() : Value(part.skipped),
         part.standard, if_left_out(static_cast<std::int64_t>(judged.moved.size())),
         if_left_out(static_cast<std::int64_t>(judged.failing)),
         judged.most ? Value(all.measures.queries[judged.moved[*judged.most].query].name) : Value(),
         if_left_out(judged.buffers), if_left_out(judged.time), judged.wal ? Value(*judged.wal) : Value(),
         copied ? Value(judged.copy.ratio) : Value(), copied ? Value(judged.copy.low) : Value(),
         copied ? number_or_nothing(judged.copy.high) : Value(), if_left_out(part.bytes)});
  };
  for (const size_t at : by_worth(all.judged)) add(at);
  for (size_t at = 0; at < all.parts().size(); ++at)
    if (all.judged[at].moved.empty()) add(at);
  return table;
}

/// A row for each query that a part moves.
Table moved_for_programs(const Attributed& all) {
  Table table = table_for_programs(
      "moved", {"design", "part", "query", "error", "buffers_with", "buffers_without", "temp_blocks_with",
                "temp_blocks_without", "plan_shape_with", "plan_shape_without", "workers_with",
                "workers_without", "jit_with", "jit_without", "ratio", "low", "high", "p_value", "verdict"});
  for (const size_t at : by_worth(all.judged))
    for (const JudgedPart::Moved& moved : all.judged[at].moved) {
      const QueryMeasures& with = all.design.attribution->whole[moved.query];
      const QueryMeasures& without = all.parts()[at].queries[moved.query];
      const PairedRatio& ratio = moved.time.ratio;
      const auto if_timed = [&](double value) {
        return ratio.blocks > 0 ? number_or_nothing(value) : Value();
      };
      table.rows.push_back({all.design.name, all.parts()[at].name, all.measures.queries[moved.query].name,
                            moved.fails ? Value(without.error) : Value(), number_or_nothing(with.buffers),
                            number_or_nothing(without.buffers), number_or_nothing(with.temp_blocks),
                            number_or_nothing(without.temp_blocks), with.shape, without.shape,
                            std::int64_t{with.workers}, std::int64_t{without.workers}, with.jit, without.jit,
                            if_timed(ratio.ratio), if_timed(ratio.low), if_timed(ratio.high),
                            if_timed(moved.time.p_value),
                            moved.fails ? Value() : Value(std::string(name_of(moved.time.verdict)))});
    }
  return table;
}

}  // namespace

void add_attribution(const ComparisonMeasures& measures, const DesignMeasures& design,
                     const MachineFitness& fitness, const VerdictRules& rules, Report& report) {
  if (!design.attribution) return;
  const Attributed all{measures, design, judge_parts(design, fitness, rules)};
  for (Table& table : std::vector<Table>{worth_table(all), nothing_table(all), skipped_table(all),
                                         parts_for_programs(all), moved_for_programs(all)})
    report.tables.push_back(std::move(table));
  report.text +=
      "Each part is left out alone: of two that stand in for each other, neither seems to be worth "
      "anything.\n"
      "Not measured is what a warm cache and these queries do not show: planning, vacuums, building "
      "indexes.\n";
}

}  // namespace kdb
