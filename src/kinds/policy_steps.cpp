#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/policy.hpp"

namespace kdb {

namespace {

// Since when alter_job() has fixed_schedule, initial_start and timezone, and resets the last one.
constexpr int alter_job_knows_schedules = 21200;

bool knows_schedules(const ServerFacts& facts) {
  return facts.timescale && facts.timescale->number >= alter_job_knows_schedules;
}

}  // namespace

const AgePolicy compression_policy{.word = "compression",
                                   .relation = "hypertable",
                                   .age_key = "compress_after",
                                   .created_key = "compress_created_before",
                                   .purpose = "compresses chunks"};
const AgePolicy retention_policy{.word = "retention",
                                 .relation = "relation",
                                 .age_key = "drop_after",
                                 .created_key = "drop_created_before",
                                 .purpose = "drops chunks"};

std::string call_sql(const ServerFacts& facts, std::string_view function,
                     const std::vector<Argument>& arguments) {
  std::string list;
  for (const auto& [name, value] : arguments)
    list += fmt::format("{}{} => {}", list.empty() ? "" : ", ", name, value);
  return fmt::format("SELECT {}.{}({})",
                     quote_ident(facts.timescale ? facts.timescale->schema : facts.schema), function, list);
}

void add_schedule_arguments(const Schedule& schedule, std::vector<Argument>& arguments) {
  if (!schedule.interval.empty()) arguments.emplace_back("schedule_interval", to_sql(schedule.interval));
  if (!schedule.initial_start.empty())
    arguments.emplace_back("initial_start", to_sql(schedule.initial_start));
  if (!schedule.timezone.empty()) arguments.emplace_back("timezone", quote_literal(schedule.timezone));
}

bool can_alter_job(const JobChange& change, const ServerFacts& facts) {
  return knows_schedules(facts) ||
         (change.schedule.initial_start.empty() && change.schedule.timezone.empty());
}

std::string config_value_sql(const Span& span) {
  return span.number ? to_sql(span) : to_sql(span) + "::text";
}

namespace {

std::string config_sql(const std::vector<Argument>& changes) {
  std::string sql = "j.config";
  for (const auto& [key, value] : changes)
    sql = fmt::format("pg_catalog.jsonb_set({}, '{{{}}}', pg_catalog.to_jsonb({}))", sql, key, value);
  return sql;
}

}  // namespace

std::string alter_job_sql(std::string_view job_id, bool fixed, const JobChange& change,
                          const ServerFacts& facts) {
  std::vector<Argument> arguments{{"job_id", "j.job_id"}};
  const Schedule& schedule = change.schedule;
  if (!schedule.interval.empty()) arguments.emplace_back("schedule_interval", to_sql(schedule.interval));
  if (!change.config.empty()) arguments.emplace_back("config", config_sql(change.config));
  const bool moved = !schedule.initial_start.empty();
  // Left out, the server takes the next slot from now on, even before an initial start that is to come; and a
  // job that has not run yet it runs at once. Of a start in the past it is right.
  arguments.emplace_back(
      "next_start",
      moved ? fmt::format("CASE WHEN {0} > pg_catalog.now() THEN {0} END", to_sql(schedule.initial_start))
            : "coalesce(NULLIF(j.next_start, '-infinity'), j.initial_start)");
  if (knows_schedules(facts)) {
    if (moved && !fixed) arguments.emplace_back("fixed_schedule", "true");
    arguments.emplace_back("initial_start", moved ? to_sql(schedule.initial_start) : "j.initial_start");
    arguments.emplace_back("timezone",
                           schedule.timezone.empty() ? "b.timezone" : quote_literal(schedule.timezone));
  }
  return fmt::format(
      "{} FROM timescaledb_information.jobs j JOIN {} b ON b.id = j.job_id WHERE j.job_id = {}",
      call_sql(facts, "alter_job", arguments), job_table(facts), job_id);
}

std::string alter_job_sql(const JobFacts& job, const JobChange& change, const ServerFacts& facts) {
  return alter_job_sql(fmt::format("{}", job.id), job.fixed, change, facts);
}

Schedule changed_schedule(const Schedule& wanted, const Schedule& live) {
  Schedule changed = wanted;
  if (changed.interval == live.interval) changed.interval = {};
  if (changed.initial_start == live.initial_start) changed.initial_start = {};
  if (changed.timezone == live.timezone) changed.timezone.clear();
  return changed;
}

Schedule merged(const Schedule& wanted, const Schedule& live) {
  return {.interval = wanted.interval.empty() ? live.interval : wanted.interval,
          .initial_start = wanted.initial_start.empty() ? live.initial_start : wanted.initial_start,
          .timezone = wanted.timezone.empty() ? live.timezone : wanted.timezone};
}

std::vector<ChangeStep> add_policy(const AgePolicy& policy, const PolicyOwner& owner, const AgeValues& wanted,
                                   const ServerFacts& facts) {
  std::vector<Argument> arguments{{std::string(policy.relation), owner.relation}};
  const bool by_age = !wanted.age.empty();
  const Span& span = by_age ? wanted.age : wanted.created;
  arguments.emplace_back(by_age ? policy.age_key : policy.created_key, to_sql(span));
  add_schedule_arguments(wanted.schedule, arguments);
  return {{.sql = call_sql(facts, fmt::format("add_{}_policy", policy.word), arguments),
           .purpose = fmt::format("{} {} {} from now on, in the background", policy.purpose,
                                  by_age ? "whose rows are older than" : "that were made longer ago than",
                                  span.text)}};
}

std::vector<ChangeStep> remove_policy(const AgePolicy& policy, const PolicyOwner& owner,
                                      const ServerFacts& facts) {
  return {{.sql = call_sql(facts, fmt::format("remove_{}_policy", policy.word),
                           {{std::string(policy.relation), owner.relation}}),
           .purpose = fmt::format("no longer {}", policy.purpose)}};
}

std::vector<ChangeStep> alter_policy(const AgePolicy& policy, const PolicyOwner& owner,
                                     const AgeValues& wanted, const AgeValues& live, const JobFacts& job,
                                     const ServerFacts& facts) {
  JobChange change{.schedule = changed_schedule(wanted.schedule, live.schedule), .config = {}};
  const bool other_key =
      wanted.age.empty() != live.age.empty() && !(wanted.age.empty() && wanted.created.empty());
  if (!wanted.age.empty() && !(wanted.age == live.age))
    change.config.emplace_back(policy.age_key, config_value_sql(wanted.age));
  if (!wanted.created.empty() && !(wanted.created == live.created))
    change.config.emplace_back(policy.created_key, config_value_sql(wanted.created));
  if (!other_key && can_alter_job(change, facts))
    return {{.sql = alter_job_sql(job, change, facts),
             .purpose = fmt::format("changes the policy that {}, not when it runs next", policy.purpose)}};
  AgeValues all = wanted;
  if (all.age.empty() && all.created.empty())
    all = {.age = live.age, .created = live.created, .schedule = wanted.schedule};
  all.schedule = merged(wanted.schedule, live.schedule);
  std::vector<ChangeStep> steps = remove_policy(policy, owner, facts);
  for (ChangeStep& step : add_policy(policy, owner, all, facts)) steps.push_back(std::move(step));
  return steps;
}

}  // namespace kdb
