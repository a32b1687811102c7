#include <algorithm>

#include <fmt/format.h>

#include "core/tuning_rules.hpp"

namespace kdb {

namespace {

/// Credits that a vacuum spends in a second; a page that it makes dirty costs vacuum_cost_page_dirty (PG docs
/// 20.10.2). 0: it never pauses.
double credits(double limit, double delay) { return delay > 0 ? limit * 1000 / delay : 0; }

double cost_delay(const Sizing& sizing) {
  const double delay = sizing.number("autovacuum_vacuum_cost_delay");
  return delay < 0 ? sizing.number("vacuum_cost_delay") : delay;
}
double cost_limit(const Sizing& sizing) {
  const double limit = sizing.number("autovacuum_vacuum_cost_limit");
  return limit < 0 ? sizing.number("vacuum_cost_limit") : limit;
}

constexpr double standard_delay = 2;  // ms, since PostgreSQL 12
constexpr double standard_limit = 200;

std::string pace(double limit, double delay, double dirty) {
  if (delay <= 0) return "no pause at all";
  const double rate = credits(limit, delay);
  constexpr double page = 8192;
  return fmt::format("{:.0f} credits/s, at most {:.0f} MB/s of pages made dirty", rate,
                     rate / std::max(1.0, dirty) * page / 1024 / 1024);
}

std::string pace(const Sizing& sizing) {
  return pace(cost_limit(sizing), cost_delay(sizing), sizing.number("vacuum_cost_page_dirty"));
}

std::string standard_pace(const Sizing& sizing) {
  return pace(standard_limit, standard_delay, sizing.number("vacuum_cost_page_dirty"));
}

std::optional<Advice> max_workers(const Sizing& sizing) {
  constexpr int many = 16;
  if (!sizing.facts.cpus || sizing.cpus() < many) return std::nullopt;
  return Advice{"5", fmt::format("{:.6g} CPUs: more tables at once", sizing.facts.cpus->value)};
}

Judgement judge_max_workers(const Sizing& sizing) {
  const double workers = sizing.number("autovacuum_max_workers");
  Judgement judgement{
      fmt::format("tables at once (default {})", sizing.default_text("autovacuum_max_workers")), {}};
  if (workers > 1)
    judgement.reason +=
        fmt::format("; they share one budget: each has {:.0f} of {:.0f} credits when all work",
                    cost_limit(sizing) / workers, cost_limit(sizing));
  const double slots = sizing.number("autovacuum_worker_slots");
  if (sizing.facts.major >= 18 && workers > slots)
    judgement.against.push_back(
        fmt::format("more than autovacuum_worker_slots ({}): the rest never starts", slots));
  return judgement;
}

bool is_big(const Sizing& sizing) { return !sizing.is(Workload::olap); }

std::optional<Advice> vacuum_scale_factor(const Sizing& sizing) {
  if (!is_big(sizing)) return std::nullopt;
  return Advice{"0.05", "a table is vacuumed when 5 % of its rows are dead, not 20 %: often and quickly"};
}

std::string percent(double part) { return fmt::format("{:.3g} %", part * 100); }

Judgement judge_scale_factor(const Sizing& sizing, std::string_view factor, std::string_view threshold,
                             std::string_view what) {
  constexpr double rows = 1'000'000;
  const double part = sizing.number(factor);
  const double least = sizing.number(threshold);
  return {fmt::format("after {} of the rows and {} more {}: {:.0f} of a million (default {})", percent(part),
                      least, what, part * rows + least, sizing.default_text(factor)),
          {}};
}
Judgement judge_vacuum_scale_factor(const Sizing& sizing) {
  return judge_scale_factor(sizing, "autovacuum_vacuum_scale_factor", "autovacuum_vacuum_threshold",
                            "are dead");
}
Judgement judge_analyze_scale_factor(const Sizing& sizing) {
  Judgement judgement = judge_scale_factor(sizing, "autovacuum_analyze_scale_factor",
                                           "autovacuum_analyze_threshold", "have changed");
  if (sizing.facts.timescaledb) judgement.reason += "; never of a hypertable's own root";
  return judgement;
}
Judgement judge_insert_scale_factor(const Sizing& sizing) {
  return judge_scale_factor(sizing, "autovacuum_vacuum_insert_scale_factor",
                            "autovacuum_vacuum_insert_threshold", "are new");
}

Judgement judge_threshold(const Sizing&) { return {"rows, beside the share of the table", {}}; }

std::optional<Advice> insert_scale_factor(const Sizing& sizing) {
  if (!sizing.is(Workload::timeseries) && !sizing.facts.timescaledb) return std::nullopt;
  return Advice{"0.05",
                "tables that only grow have no dead rows: this alone vacuums them, after 5 % and not 20 %"};
}

std::optional<Advice> analyze_scale_factor(const Sizing& sizing) {
  if (!is_big(sizing)) return std::nullopt;
  return Advice{"0.05", "the planner's picture is at most 5 % old, not 10 %"};
}

std::optional<Advice> cost_limit_advice(const Sizing& sizing) {
  // With another pause the limit is part of what somebody has thought of.
  if (!sizing.facts.disk || cost_delay(sizing) != standard_delay) return std::nullopt;
  const Disk disk = sizing.facts.disk->value;
  if (disk == Disk::hdd) return std::nullopt;
  const double credit = disk == Disk::nvme ? 2000 : 1000;
  return Advice{fmt::format("{}", credit),
                fmt::format("{} keeps up with {}; by default {}", to_string(disk),
                            pace(credit, cost_delay(sizing), sizing.number("vacuum_cost_page_dirty")),
                            standard_pace(sizing))};
}

Judgement judge_limit(const Sizing& sizing) {
  return {fmt::format("{}, with a pause of {}; by default {}", pace(sizing),
                      sizing.text("autovacuum_vacuum_cost_delay"), standard_pace(sizing)),
          {}};
}

Judgement judge_delay(const Sizing& sizing) {
  const double delay = cost_delay(sizing);
  const double allowance = cost_limit(sizing);
  Judgement judgement{fmt::format("the pause after {:.0f} credits: {}", allowance, pace(sizing)), {}};
  if (delay <= standard_delay) return judgement;
  const double rate = credits(allowance, delay);
  judgement.against.push_back(fmt::format(
      "{:.3g} times the default of 2ms, a longer pause and not a shorter one: {:.3g} times the default's "
      "pace in bursts "
      "{:.3g} times as large; 2ms with a limit of {:.0f} is the same pace without bursts, 2ms with {:.0f} is "
      "{:.3g} "
      "times as fast",
      delay / standard_delay, rate / credits(standard_limit, standard_delay), allowance / standard_limit,
      std::max(1.0, rate * standard_delay / 1000), allowance, delay / standard_delay));
  return judgement;
}

constexpr TuningRule vacuum_table[] = {
    {"autovacuum_max_workers", max_workers, judge_max_workers},
    {"autovacuum_vacuum_scale_factor", vacuum_scale_factor, judge_vacuum_scale_factor},
    {"autovacuum_vacuum_threshold", nullptr, judge_threshold},
    {"autovacuum_vacuum_insert_scale_factor", insert_scale_factor, judge_insert_scale_factor},
    {"autovacuum_analyze_scale_factor", analyze_scale_factor, judge_analyze_scale_factor},
    {"autovacuum_analyze_threshold", nullptr, judge_threshold},
    {"autovacuum_vacuum_cost_delay", nullptr, judge_delay},
    {"autovacuum_vacuum_cost_limit", cost_limit_advice, judge_limit},
};

}  // namespace

const std::span<const TuningRule> vacuum_rules = vacuum_table;

}  // namespace kdb
