#include "kinds/policy.hpp"

#include <fmt/format.h>

#include "base/instant.hpp"
#include "base/interval.hpp"
#include "base/text.hpp"

namespace kdb {

namespace {

// Since when: TimescaleDB's CHANGELOG and sql/updates.
constexpr int jobs_moved_to_catalog = 22500;

}  // namespace

std::string_view job_table(const ServerFacts& facts) {
  return facts.timescale && facts.timescale->number >= jobs_moved_to_catalog ? "_timescaledb_catalog.bgw_job"
                                                                             : "_timescaledb_config.bgw_job";
}

std::string policy_jobs_sql(const ServerFacts& facts) {
  return fmt::format(R"(jobs AS MATERIALIZED (
  SELECT b.hypertable_id, j.job_id, j.proc_name, j.schedule_interval, j.initial_start, j.fixed_schedule, j.scheduled,
         j.config, b.timezone, NULLIF(j.next_start, '-infinity') AS next_start
  FROM timescaledb_information.jobs j JOIN {} b ON b.id = j.job_id
  WHERE b.hypertable_id IS NOT NULL AND j.proc_schema IN ('_timescaledb_functions', '_timescaledb_internal')))",
                     job_table(facts));
}

std::string policy_join_sql(std::string_view prefix, std::string_view proc_name,
                            std::string_view hypertable_id) {
  return fmt::format("\nLEFT JOIN jobs {0} ON {0}.hypertable_id = {2} AND {0}.proc_name = '{1}'", prefix,
                     proc_name, hypertable_id);
}

std::string policy_columns_sql(std::string_view prefix, std::initializer_list<std::string_view> keys) {
  std::string sql = fmt::format(R"(
       {0}.job_id AS {0}_id, {0}.schedule_interval AS {0}_schedule, {0}.initial_start AS {0}_initial_start,
       {0}.timezone AS {0}_timezone, {0}.next_start AS {0}_next_start, {0}.fixed_schedule AS {0}_fixed,
       {0}.config AS {0}_config, {0}.scheduled AS {0}_scheduled, (
         SELECT pg_catalog.string_agg(k, ', ' ORDER BY k) FROM pg_catalog.jsonb_object_keys({0}.config) k
         WHERE k NOT IN ('hypertable_id', 'mat_hypertable_id', '{1}')) AS {0}_others,)",
                                prefix, fmt::join(keys, "', '"));
  for (const std::string_view key : keys)
    sql += fmt::format(R"(
       {0}.config ->> '{1}' AS {0}_{1}, pg_catalog.jsonb_typeof({0}.config -> '{1}') = 'number' AS {0}_{1}_number,)",
                       prefix, key);
  return sql;
}

Schedule read_schedule(const Row& row, const std::string& prefix) {
  return {.interval = read_span(row.text(prefix + "_schedule"), false),
          .initial_start = {row.text(prefix + "_initial_start")},
          .timezone = row.text(prefix + "_timezone")};
}

Span read_span(const Row& row, const std::string& prefix, const std::string& key) {
  const std::string column = prefix + "_" + key;
  if (!row.value(column)) return {};
  return read_span(row.text(column), row.boolean(column + "_number"));
}

std::optional<JobFacts> read_job(const Row& row, const std::string& prefix) {
  if (!row.value(prefix + "_id")) return std::nullopt;
  JobFacts job{.id = static_cast<int>(row.integer(prefix + "_id")),
               .config = row.text(prefix + "_config"),
               .next_start = row.text(prefix + "_next_start"),
               .fixed = row.boolean(prefix + "_fixed"),
               .unmanaged = {}};
  if (!row.boolean(prefix + "_scheduled")) job.unmanaged = "it is paused";
  if (const std::string others = row.text(prefix + "_others"); !others.empty())
    job.unmanaged += fmt::format("{}its {}", job.unmanaged.empty() ? "" : ", ", others);
  return job;
}

void add_unmanaged(std::string_view policy, const std::optional<JobFacts>& job,
                   std::vector<std::string>& unmanaged) {
  if (job && !job->unmanaged.empty())
    unmanaged.push_back(fmt::format("of the {} policy {}", policy, job->unmanaged));
}

Retention as_written(Retention retention) {
  if (retention.schedule.interval == Span{"1 day"}) retention.schedule.interval = {};  // retention_api.c
  return retention;
}

void check_span(const Span& span, const std::string& field, FieldProblems& problems) {
  if (span.empty()) return;
  if (std::string problem = span_problem(span); !problem.empty())
    problems.emplace_back(field, std::move(problem));
}

void check_schedule(const Schedule& schedule, const std::string& field, FieldProblems& problems) {
  check_span(schedule.interval, field + ".schedule_interval", problems);
  if (schedule.interval.number)
    problems.emplace_back(field + ".schedule_interval", "must be an interval, such as \"12 hours\"");
  if (!schedule.initial_start.empty() && !parse_instant(schedule.initial_start.text))
    problems.emplace_back(
        field + ".initial_start",
        fmt::format("must be a moment with its offset, such as \"2026-01-15 03:00:00+00\", not {}",
                    schedule.initial_start.text));
}

namespace {

/// One of two lengths of time has to be given, and not both.
void check_age(const Span& age, const Span& created, std::string_view key, std::string_view created_key,
               const std::string& field, FieldProblems& problems) {
  check_span(age, fmt::format("{}.{}", field, key), problems);
  check_span(created, fmt::format("{}.{}", field, created_key), problems);
  if (!age.empty() && !created.empty())
    problems.emplace_back(fmt::format("{}.{}", field, created_key), fmt::format("cannot be beside {}", key));
  if (created.number)
    problems.emplace_back(fmt::format("{}.{}", field, created_key),
                          "must be an interval, such as \"90 days\"");
}

}  // namespace

void check(const Retention& retention, const std::string& field, FieldProblems& problems) {
  check_age(retention.drop_after, retention.drop_created_before, "drop_after", "drop_created_before", field,
            problems);
  if (retention.drop_after.empty() && retention.drop_created_before.empty())
    problems.emplace_back(field + ".drop_after", "is missing: how old rows become");
  check_schedule(retention.schedule, field, problems);
}

void check(const Reorder& reorder, const std::string& field, FieldProblems& problems) {
  if (reorder.index.empty())
    problems.emplace_back(field + ".index", "is missing: in the order of which index");
  check_schedule(reorder.schedule, field, problems);
}

void check(const Refresh& refresh, const std::string& field, FieldProblems& problems) {
  // Offsets may be 0 or lie in the future, but have to be lengths.
  for (const auto& [key, span] :
       {std::pair("start_offset", refresh.start_offset), {"end_offset", refresh.end_offset}})
    if (!span.empty() && !span.number && !parse_interval(span.text))
      problems.emplace_back(fmt::format("{}.{}", field, key), fmt::format("is no interval: {}", span.text));
  if (!refresh.start_offset.empty() && !refresh.end_offset.empty() &&
      compare_intervals(refresh.start_offset, refresh.end_offset) <= 0 &&
      (refresh.start_offset == refresh.end_offset ||
       compare_intervals(refresh.start_offset, refresh.end_offset) < 0))
    problems.emplace_back(field + ".start_offset", "must be longer ago than end_offset");
  check_schedule(refresh.schedule, field, problems);
  if (refresh.schedule.interval.empty())
    problems.emplace_back(field + ".schedule_interval", "is missing: how often it is refreshed");
}

}  // namespace kdb
