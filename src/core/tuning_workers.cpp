#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/tuning_rules.hpp"

namespace kdb {

namespace {

std::string cpus_of(const Sizing& sizing) {
  return fmt::format("{:.6g} CPU{}", sizing.facts.cpus->value, sizing.facts.cpus->value == 1 ? "" : "s");
}
bool knows_cpus(const Sizing& sizing) { return sizing.facts.cpus.has_value(); }

std::optional<Advice> max_parallel_workers(const Sizing& sizing) {
  if (!knows_cpus(sizing)) return std::nullopt;
  return Advice{std::to_string(sizing.cpus()),
                fmt::format("{}: more processes only take turns", cpus_of(sizing))};
}

/// A query that takes half of the CPUs leaves the others something; a short one gains nothing from more than
/// two.
std::optional<Advice> max_parallel_workers_per_gather(const Sizing& sizing) {
  if (!knows_cpus(sizing)) return std::nullopt;
  const bool short_ones = sizing.is(Workload::oltp) || sizing.is(Workload::web);
  const int most = short_ones ? 2 : sizing.is(Workload::olap) ? 8 : 4;
  const int number = std::min(most, sizing.cpus() / 2);
  return Advice{std::to_string(number),
                fmt::format("half of {}, at most {} for {}: each takes its own work_mem", cpus_of(sizing),
                            most, to_string(sizing.facts.workload.value))};
}

std::optional<Advice> max_parallel_maintenance_workers(const Sizing& sizing) {
  if (!knows_cpus(sizing)) return std::nullopt;
  return Advice{std::to_string(std::clamp(sizing.cpus() / 2, 1, 4)),
                fmt::format("half of {}, from 1 to 4, build an index together", cpus_of(sizing))};
}

/// One job is one worker while it runs, and each database with the extension has a scheduler.
std::optional<Advice> timescaledb_workers(const Sizing& sizing) {
  if (!sizing.facts.timescaledb) return std::nullopt;
  constexpr std::int64_t standard = 16;
  const std::int64_t jobs = sizing.facts.jobs.value_or(0);
  const std::int64_t number = std::clamp<std::int64_t>(jobs / 4 + 2, standard, 64);
  if (number == standard)
    return Advice{"16", sizing.facts.jobs
                            ? fmt::format("enough for {} jobs, which do not all run at once", jobs)
                            : "as by default: nobody was asked how many jobs there are"};
  return Advice{std::to_string(number),
                fmt::format("a quarter of {} jobs at once, and their schedulers", jobs)};
}

/// Never fewer than the server has: who needs them is not known.
Advice at_least_current(const Sizing& sizing, std::string_view name, int number, std::string reason) {
  const auto current = static_cast<int>(sizing.current(name));
  if (current <= number) return {std::to_string(number), std::move(reason)};
  return {std::to_string(current), fmt::format("as the server has it; {} would do: {}", number, reason)};
}

std::optional<Advice> max_worker_processes(const Sizing& sizing) {
  if (!knows_cpus(sizing)) return std::nullopt;
  constexpr int standard = 8;
  const auto parallel = static_cast<int>(sizing.number("max_parallel_workers"));
  if (!sizing.facts.timescaledb)
    return at_least_current(sizing, "max_worker_processes", std::max(standard, parallel + 4),
                            fmt::format("{} parallel workers, and room for extensions and logical "
                                        "replication; a standby needs as many as its "
                                        "primary",
                                        parallel));
  const auto jobs = static_cast<int>(sizing.number("timescaledb.max_background_workers"));
  return at_least_current(
      sizing, "max_worker_processes", 3 + jobs + parallel,
      fmt::format("3 of PostgreSQL's and TimescaleDB's own, {} for jobs, {} parallel workers", jobs,
                  parallel));
}

Judgement judge_max_worker_processes(const Sizing& sizing) {
  const double number = sizing.number("max_worker_processes");
  const double parallel = sizing.number("max_parallel_workers");
  const double jobs = sizing.facts.timescaledb ? sizing.number("timescaledb.max_background_workers") : 0;
  const double wanted = parallel + jobs + (jobs > 0 ? 3 : 0);
  Judgement judgement{fmt::format("for {} parallel workers{}", parallel,
                                  jobs > 0 ? fmt::format(" and {} jobs of TimescaleDB", jobs) : ""),
                      {}};
  if (number < wanted)
    judgement.against.push_back(
        fmt::format("{} are wanted at once: queries run with fewer workers than planned{}", wanted,
                    jobs > 0 ? ", and jobs fail to start" : ""));
  return judgement;
}

std::optional<Advice> io_workers(const Sizing& sizing) {
  if (sizing.facts.major < 18 || !knows_cpus(sizing) || sizing.cpus() < 16) return std::nullopt;
  return Advice{std::to_string(std::min(32, sizing.cpus() / 4)),
                fmt::format("a quarter of {} read ahead (io_method = worker)", cpus_of(sizing))};
}

/// A statement that touches every chunk locks each, and its indexes; the table of locks is shared by all:
/// max_locks_per_transaction for each connection (PG docs 20.12).
std::optional<Advice> max_locks(const Sizing& sizing) {
  if (!sizing.facts.timescaledb) return std::nullopt;
  constexpr int locks_of_a_chunk = 4;  // itself and three indexes
  constexpr int at_once = 4;           // such statements
  constexpr int step = 64;
  constexpr int unknown = 256;
  if (!sizing.facts.chunks)
    return Advice{std::to_string(unknown),
                  "four times the default: nobody was asked how many chunks there are"};
  const double chunks = static_cast<double>(*sizing.facts.chunks);
  const double wanted = chunks * locks_of_a_chunk * at_once / std::max(1.0, sizing.number("max_connections"));
  const int number = std::max(2 * step, static_cast<int>(std::ceil(wanted / step)) * step);
  return at_least_current(
      sizing, "max_locks_per_transaction", number,
      fmt::format(
          "{} statements at once that lock all {} chunks and 3 indexes of each, shared by {} connections",
          at_once, chunks, sizing.number("max_connections")));
}

constexpr TuningRule worker_table[] = {
    {"max_parallel_workers", max_parallel_workers, nullptr},
    {"max_parallel_workers_per_gather", max_parallel_workers_per_gather, nullptr},
    {"max_parallel_maintenance_workers", max_parallel_maintenance_workers, nullptr},
    {"timescaledb.max_background_workers", timescaledb_workers, nullptr},
    {"max_worker_processes", max_worker_processes, judge_max_worker_processes},
    {"io_workers", io_workers, nullptr},
    {"max_locks_per_transaction", max_locks, nullptr},
};

}  // namespace

const std::span<const TuningRule> worker_rules = worker_table;

}  // namespace kdb
