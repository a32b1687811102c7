#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/tuning_rules.hpp"

namespace kdb {

namespace {

std::string disk_of(const Sizing& sizing) {
  return fmt::format("{} ({})", to_string(sizing.facts.disk->value), sizing.facts.disk->source);
}

std::optional<Advice> random_page_cost(const Sizing& sizing) {
  if (!sizing.facts.disk) return std::nullopt;
  if (sizing.facts.disk->value == Disk::hdd) return std::nullopt;  // what the default is for
  return Advice{"1.1",
                fmt::format("{}: a page anywhere costs about as much as the next one", disk_of(sizing))};
}

Judgement judge_random_page_cost(const Sizing& sizing) {
  const double cost = sizing.number("random_page_cost");
  const double sequential = std::max(0.001, sizing.number("seq_page_cost"));
  Judgement judgement{fmt::format("a page anywhere costs {:.3g} times the next one", cost / sequential), {}};
  if (!sizing.facts.disk)
    judgement.reason += cost / sequential < 2
                            ? "; right for SSDs, and nobody said which disk it is"
                            : "; right for disks that turn, and nobody said which disk it is";
  else if (sizing.facts.disk->value == Disk::hdd && cost / sequential < 2)
    judgement.against.push_back(fmt::format(
        "{} has to seek: 4 is nearer, and index scans look too cheap with less", disk_of(sizing)));
  else if (sizing.facts.disk->value != Disk::hdd && cost / sequential > 2)
    judgement.against.push_back(
        fmt::format("{} seeks for nothing: with 1.1 indexes are used where they help", disk_of(sizing)));
  else
    judgement.reason += fmt::format("; right for {}", disk_of(sizing));
  return judgement;
}

/// Requests that such a disk works on at once; pgtune's numbers but for nvme, whose 1000 is the setting's
/// bound.
int depth_of(Disk disk) {
  switch (disk) {
    case Disk::hdd:
      return 2;
    case Disk::ssd:
      return 200;
    case Disk::san:
      return 300;
    case Disk::nvme:
      return 500;
  }
  return 1;
}

std::optional<Advice> effective_io_concurrency(const Sizing& sizing) {
  if (!sizing.facts.disk || sizing.facts.major >= 18) return std::nullopt;
  return Advice{std::to_string(depth_of(sizing.facts.disk->value)),
                fmt::format("{}: pages that a bitmap scan asks for ahead", disk_of(sizing))};
}

Judgement judge_effective_io_concurrency(const Sizing& sizing) {
  const double depth = sizing.number("effective_io_concurrency");
  if (sizing.facts.major < 18)
    return {fmt::format("pages that a bitmap scan asks for ahead (default {}); nothing else uses it before "
                        "PostgreSQL 18",
                        sizing.default_text("effective_io_concurrency")),
            {}};
  Judgement judgement{fmt::format("reads that a scan, ANALYZE or VACUUM has open (default {})",
                                  sizing.default_text("effective_io_concurrency")),
                      {}};
  const double workers = sizing.number("io_workers");
  if (equals_ignore_case(sizing.text("io_method"), "worker") && depth > 16 * workers)
    judgement.against.push_back(
        fmt::format("{} reads queue behind {} I/O workers (io_method = worker): more of them mostly wait",
                    depth, workers));
  return judgement;
}

std::optional<Advice> maintenance_io_concurrency(const Sizing& sizing) {
  if (!sizing.facts.disk || sizing.facts.major >= 18) return std::nullopt;
  if (sizing.facts.disk->value == Disk::hdd) return std::nullopt;
  return Advice{"100",
                fmt::format("{}: the same for ANALYZE and for recovery (default 10)", disk_of(sizing))};
}

std::optional<Advice> default_statistics_target(const Sizing& sizing) {
  if (!sizing.is(Workload::olap)) return std::nullopt;
  return Advice{"500", "big queries: a better plan is worth a sample of 150,000 rows a table"};
}

/// How much more there is to analyse than by default. -- 300 x target rows: std_typanalyze() of analyze.c
Judgement judge_default_statistics_target(const Sizing& sizing) {
  const double target = sizing.number("default_statistics_target");
  const double factor = sizing.number("autovacuum_analyze_scale_factor");
  Judgement judgement{fmt::format("ANALYZE samples 300 x {} = {:L} rows of a table{} (default 30000)", target,
                                  300 * target, sizing.facts.timescaledb ? ", and of every chunk" : ""),
                      {}};
  const double larger = target / 100;
  const double more_often = factor > 0 ? 0.1 / factor : 1;
  if (larger > 1 && more_often > 1)
    judgement.against.push_back(fmt::format(
        "a sample {:.3g} times as large, {:.3g} times as often (autovacuum_analyze_scale_factor {}): up to "
        "{:.3g} times ANALYZE's work; a column that needs it can have its own target ([tables.NAME] "
        "statistics)",
        larger, more_often, sizing.text("autovacuum_analyze_scale_factor"), larger * more_often));
  return judgement;
}

/// Figures measured on PostgreSQL 18 with empty partitions: 63 MB and 187 ms against 209 MB and 550 ms for a
/// join of three tables of 1,000 partitions, whose nodes with a work_mem of their own went from 3 to 3,000.
constexpr std::string_view measured =
    "planning a join of three tables with 1000 partitions took 209 MB and 550 ms, not 63 MB and 187 ms";

/// What a query may take where each partition, or each of so many, hashes for itself.
std::string of_all_partitions(const Sizing& sizing) {
  const auto chunks = static_cast<double>(sizing.facts.chunks.value_or(1000));
  return fmt::format(
      "a hash in each of {} is {} (work_mem {}); SET LOCAL for the queries that gain, not for all",
      sizing.facts.chunks ? fmt::format("the {} chunks here", chunks) : "1000 partitions",
      people(chunks * sizing.bytes("work_mem")), sizing.text("work_mem"));
}

Judgement judge_partitionwise_join(const Sizing& sizing) {
  if (!sizing.is_on("enable_partitionwise_join")) return {"joins whole tables", {}};
  return {"joins partition by partition, where both tables have the same",
          {fmt::format("{}; {}", measured, of_all_partitions(sizing))}};
}

Judgement judge_partitionwise_aggregate(const Sizing& sizing) {
  if (!sizing.is_on("enable_partitionwise_aggregate")) return {"groups whole tables", {}};
  return {sizing.facts.timescaledb ? "groups partition by partition, as TimescaleDB does by itself"
                                   : "groups partition by partition",
          {fmt::format("planned for each partition; {}", of_all_partitions(sizing))}};
}

std::optional<Advice> jit(const Sizing& sizing) {
  if (sizing.is(Workload::olap)) return std::nullopt;
  return Advice{"off", "compiling costs short queries more than it saves, and again for every partition"};
}

constexpr TuningRule planner_table[] = {
    {"random_page_cost", random_page_cost, judge_random_page_cost},
    {"effective_io_concurrency", effective_io_concurrency, judge_effective_io_concurrency},
    {"maintenance_io_concurrency", maintenance_io_concurrency, nullptr},
    {"default_statistics_target", default_statistics_target, judge_default_statistics_target},
    {"enable_partitionwise_join", nullptr, judge_partitionwise_join},
    {"enable_partitionwise_aggregate", nullptr, judge_partitionwise_aggregate},
    {"jit", jit, nullptr},
};

}  // namespace

const std::span<const TuningRule> planner_rules = planner_table;

}  // namespace kdb
