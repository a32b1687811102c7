#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kinds/row.hpp"
#include "kinds/span.hpp"
#include "model/change.hpp"
#include "model/facts.hpp"

namespace kdb {

/// A problem of a field: `columnstore.order_by` and what is wrong with it.
using FieldProblems = std::vector<std::pair<std::string, std::string>>;

/// When the job of a policy runs. What is empty is as it may be.
struct Schedule {
  Span interval;
  Instant initial_start;
  std::string timezone;

  bool operator==(const Schedule&) const = default;
};

template <class Visitor, class... S>
void schedule_fields(Visitor&& visit, S&... schedule) {
  visit("schedule_interval", schedule.interval...);
  visit("initial_start", schedule.initial_start...);
  visit("timezone", schedule.timezone...);
}

/// Drops chunks by age: of their rows, or (created_before) since they were made.
struct Retention {
  Span drop_after;
  Span drop_created_before;
  Schedule schedule;

  bool operator==(const Retention&) const = default;
};

template <class Visitor, class... R>
requires all_are<Retention, R...>
void fields(Visitor&& visit, R&... retention) {
  visit("drop_after", retention.drop_after...);
  visit("drop_created_before", retention.drop_created_before...);
  schedule_fields(visit, retention.schedule...);
}

/// Rewrites chunks in the order of an index.
struct Reorder {
  std::string index;
  Schedule schedule;

  bool operator==(const Reorder&) const = default;
};

template <class Visitor, class... R>
requires all_are<Reorder, R...>
void fields(Visitor&& visit, R&... reorder) {
  visit("index", reorder.index...);
  schedule_fields(visit, reorder.schedule...);
}

/// Keeps a continuous aggregate up to date from `start_offset` to `end_offset` ago; empty: without an end.
struct Refresh {
  Span start_offset;
  Span end_offset;
  Schedule schedule;

  bool operator==(const Refresh&) const = default;
};

template <class Visitor, class... R>
requires all_are<Refresh, R...>
void fields(Visitor&& visit, R&... refresh) {
  visit("start_offset", refresh.start_offset...);
  visit("end_offset", refresh.end_offset...);
  schedule_fields(visit, refresh.schedule...);
}

/// What is true of a policy's job beside what a profile says of it.
struct JobFacts {
  int id = 0;
  std::string config;      // all of it, as jsonb
  std::string next_start;  // empty before its first run was planned
  bool fixed = false;      // runs at fixed times from its initial start on
  std::string unmanaged;   // what somebody has set that no profile can say: `it is paused`

  bool operator==(const JobFacts&) const = default;
};

// --- reading: every column of a policy begins with a prefix, `retention_`
// ------------------------------------------

/// The only place that has a job's time zone: timescaledb_information.jobs leaves it out.
std::string_view job_table(const ServerFacts& facts);
/// The jobs of policies, one row each, for a WITH: hypertable_id, job_id, proc_name, config, …
std::string policy_jobs_sql(const ServerFacts& facts);
/// `LEFT JOIN jobs …` of the policy that runs `proc_name`, by an expression for the hypertable's id.
std::string policy_join_sql(std::string_view prefix, std::string_view proc_name,
                            std::string_view hypertable_id);
/// Its columns, and of its config `keys`, each followed by a comma.
std::string policy_columns_sql(std::string_view prefix, std::initializer_list<std::string_view> keys);

Schedule read_schedule(const Row& row, const std::string& prefix);
/// A length of time in the config.
Span read_span(const Row& row, const std::string& prefix, const std::string& key);
/// Nothing where the hypertable has no such policy.
std::optional<JobFacts> read_job(const Row& row, const std::string& prefix);
/// Says what of a job no profile can say.
void add_unmanaged(std::string_view policy, const std::optional<JobFacts>& job,
                   std::vector<std::string>& unmanaged);

/// Without the schedule that is the same in every version.
Retention as_written(Retention retention);

// --- checking
// ------------------------------------------------------------------------------------------------------

void check_schedule(const Schedule& schedule, const std::string& field, FieldProblems& problems);
void check(const Retention& retention, const std::string& field, FieldProblems& problems);
void check(const Reorder& reorder, const std::string& field, FieldProblems& problems);
void check(const Refresh& refresh, const std::string& field, FieldProblems& problems);
/// A length of time that is given must be one.
void check_span(const Span& span, const std::string& field, FieldProblems& problems);

// --- statements
// ----------------------------------------------------------------------------------------------------

/// A hypertable or continuous aggregate that has policies.
struct PolicyOwner {
  std::string relation;  // the same as an SQL expression of type regclass
  std::string text;      // as people read it
};

/// A named argument of a function: `drop_after`, `INTERVAL '2 years'`.
using Argument = std::pair<std::string, std::string>;

/// `SELECT schema.function(name => value, …)`, in the schema of the extension.
std::string call_sql(const ServerFacts& facts, std::string_view function,
                     const std::vector<Argument>& arguments);

/// The arguments that a schedule gives to the function that adds a policy.
void add_schedule_arguments(const Schedule& schedule, std::vector<Argument>& arguments);

/// What becomes of a job: empty members stay.
struct JobChange {
  Schedule schedule;
  std::vector<Argument> config;  // keys of its config that get other values, these as SQL
};

/// How the config of a job has a length of time, as SQL.
std::string config_value_sql(const Span& span);

/// Whether alter_job() of this server can do it; otherwise the policy is removed and added again.
bool can_alter_job(const JobChange& change, const ServerFacts& facts);
/// alter_job() with all that it would otherwise reset or let run at once: its time zone and its next start,
/// as they are when it runs. `job_id` is an SQL expression; `fixed`: it runs at fixed times already.
std::string alter_job_sql(std::string_view job_id, bool fixed, const JobChange& change,
                          const ServerFacts& facts);
std::string alter_job_sql(const JobFacts& job, const JobChange& change, const ServerFacts& facts);

/// A policy that acts on chunks of some age, as its functions have it.
struct AgePolicy {
  std::string_view word;         // "retention"
  std::string_view relation;     // what its functions call the hypertable
  std::string_view age_key;      // "drop_after": of the function, of the config and of the profile
  std::string_view created_key;  // "drop_created_before"
  std::string_view purpose;      // "drops chunks"
};
extern const AgePolicy compression_policy;
extern const AgePolicy retention_policy;

/// Its values on one side.
struct AgeValues {
  Span age;
  Span created;
  Schedule schedule;
};

/// The statements that add it.
std::vector<ChangeStep> add_policy(const AgePolicy& policy, const PolicyOwner& owner, const AgeValues& wanted,
                                   const ServerFacts& facts);
std::vector<ChangeStep> remove_policy(const AgePolicy& policy, const PolicyOwner& owner,
                                      const ServerFacts& facts);
/// The statements that make a live one what is wanted; nothing is done about values that are not wanted
/// otherwise. Removed and added again where the server cannot change it.
std::vector<ChangeStep> alter_policy(const AgePolicy& policy, const PolicyOwner& owner,
                                     const AgeValues& wanted, const AgeValues& live, const JobFacts& job,
                                     const ServerFacts& facts);

/// The members of `wanted` that are set and not as in `live`.
Schedule changed_schedule(const Schedule& wanted, const Schedule& live);
/// `wanted`, and where it sets nothing `live`.
Schedule merged(const Schedule& wanted, const Schedule& live);

}  // namespace kdb
