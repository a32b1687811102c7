#include "core/load_report.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/to_report.hpp"

namespace kdb {

namespace {

double ms(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1'000; }

double per_second(std::uint64_t requests, std::chrono::milliseconds time) {
  return time.count() > 0 ? 1'000.0 * static_cast<double>(requests) / static_cast<double>(time.count()) : 0;
}

/// Three digits, and no exponent.
std::string short_ms(double value) {
  return value >= 100  ? fmt::format("{:.0f}", value)
         : value >= 10 ? fmt::format("{:.1f}", value)
                       : fmt::format("{:.2f}", value);
}

Value count_of(std::uint64_t number) { return static_cast<std::int64_t>(number); }

/// What every latency has to say, in both tables.
void add_latency_columns(std::vector<Column>& columns) {
  for (const char* title : {"p50 ms", "p90", "p99", "p99.9", "max"})
    columns.push_back({.key = "", .title = title, .align_right = true});
  for (const char* key : {"p50_ms", "p90_ms", "p99_ms", "p99_9_ms", "max_ms", "mean_ms"})
    columns.push_back({.key = key, .title = ""});
}

void add_latency(std::vector<Value>& row, const Histogram& latency) {
  const double values[] = {ms(latency.value_at(50)), ms(latency.value_at(90)), ms(latency.value_at(99)),
                           ms(latency.value_at(99.9)), ms(latency.max())};
  for (const double value : values) row.push_back(short_ms(value));
  for (const double value : values) row.push_back(value);
  row.push_back(latency.mean_us() / 1'000);
}

void add_count_columns(std::vector<Column>& columns) {
  for (const char* key : {"errors", "timeouts", "retries"})
    columns.push_back({.key = key, .title = key, .align_right = true});
}

void add_counts(std::vector<Value>& row, const LoadCounts& counts) {
  for (const std::uint64_t number : {counts.errors, counts.timeouts, counts.retries})
    row.push_back(count_of(number));
}

Table steps_table(const std::vector<LoadResult>& steps) {
  Table table{.key = "steps",
              .columns = {{.key = "", .title = "offered/s", .align_right = true},
                          {.key = "", .title = "achieved", .align_right = true},
                          {.key = "offered_per_second", .title = ""},
                          {.key = "achieved_per_second", .title = ""},
                          {.key = "done", .title = ""},
                          {.key = "milliseconds", .title = ""},
                          {.key = "drain_milliseconds", .title = ""},
                          {.key = "waiting_at_end", .title = ""},
                          {.key = "most_active", .title = ""},
                          {.key = "most_waiting", .title = ""},
                          {.key = "client_cpu", .title = ""}}};
  add_latency_columns(table.columns);
  add_count_columns(table.columns);
  for (const LoadResult& step : steps) {
    const double achieved = per_second(step.done_in_time, step.time);
    std::vector<Value> row{fmt::format("{:.4g}", step.offered_per_second),
                           fmt::format("{:.4g}", achieved),
                           step.offered_per_second,
                           achieved,
                           count_of(step.counts.done),
                           std::int64_t{step.time.count()},
                           std::int64_t{step.drain.count()},
                           count_of(step.waiting),
                           std::int64_t{step.most_active},
                           std::int64_t{step.most_waiting},
                           step.client_cpu};
    add_latency(row, step.latency);
    add_counts(row, step.counts);
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table queries_table(const std::vector<LoadQuery>& queries) {
  Table table{
      .key = "queries",
      .columns = {{.key = "query", .title = "query"}, {.key = "done", .title = "done", .align_right = true}}};
  add_latency_columns(table.columns);
  add_count_columns(table.columns);
  for (const LoadQuery& query : queries) {
    std::vector<Value> row{query.name, count_of(query.counts.done)};
    add_latency(row, query.latency);
    add_counts(row, query.counts);
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::uint64_t requests_of(const LoadCounts& counts) { return counts.done + counts.errors + counts.timeouts; }

std::string summary_of(const std::vector<LoadResult>& results) {
  if (results.size() > 1) {
    const Knee knee = find_knee(load_steps(results), {});
    const std::string holds = knee.holds_per_second
                                  ? fmt::format("{:.4g}/s are borne", *knee.holds_per_second)
                                  : "no rate was borne";
    return knee.breaks_per_second ? fmt::format("{}; it {}", holds, knee.reason)
                                  : holds + "; the knee is further up";
  }
  const LoadResult& only = results.front();
  return fmt::format("{} of {} requests done, {:.4g}/s of {:.4g}/s offered; p99 {} ms, {}, {}",
                     only.counts.done, requests_of(only.counts), per_second(only.done_in_time, only.time),
                     only.offered_per_second, short_ms(ms(only.latency.value_at(99))),
                     count(only.counts.errors, "error"), count(only.counts.timeouts, "timeout"));
}

}  // namespace

std::vector<LoadStep> load_steps(const std::vector<LoadResult>& results) {
  std::vector<LoadStep> steps;
  for (const LoadResult& result : results)
    steps.push_back({.offered_per_second = result.offered_per_second,
                     .p99_ms = ms(result.latency.value_at(99)),
                     .requests = requests_of(result.counts),
                     .errors = result.counts.errors + result.counts.timeouts,
                     .waiting = result.waiting});
  return steps;
}

Report report_load(const std::vector<LoadResult>& steps, const std::vector<LoadQuery>& queries,
                   const PoolSettings& pool, Arrivals arrivals) {
  Report report{.command = "bench load"};
  report.fields = {
      {.key = "arrivals",
       .label = "arrivals",
       .value = std::string(arrivals == Arrivals::fixed ? "fixed" : "poisson")},
      {.key = "pool_max", .label = "", .value = std::int64_t{pool.max}},
      {.key = "", .label = "pool", .value = fmt::format("{} to {} connections", pool.min, pool.max)}};
  report.tables = {steps_table(steps), queries_table(queries)};
  constexpr double most_client_cpu = 0.7;  // beyond, it is kdb that is measured
  for (const LoadResult& step : steps)
    if (step.client_cpu > most_client_cpu) {
      report.warnings.push_back(
          {.message =
               fmt::format("at {:.4g}/s kdb itself took {:.0f} % of the processors: its own waiting is "
                           "part of these latencies",
                           step.offered_per_second, 100 * step.client_cpu),
           .hint = "offer less, or from another machine"});
      break;
    }
  report.summary = summary_of(steps);
  return report;
}

}  // namespace kdb
