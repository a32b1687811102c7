#include "kinds/part_steps.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/text.hpp"

namespace kdb {

namespace {

AgeValues values_of(const Columnstore& columnstore) {
  return {.age = columnstore.compress_after,
          .created = columnstore.compress_created_before,
          .schedule = columnstore.schedule};
}

AgeValues values_of(const Retention& retention) {
  return {
      .age = retention.drop_after, .created = retention.drop_created_before, .schedule = retention.schedule};
}

bool has_policy(const AgeValues& values) { return !values.age.empty() || !values.created.empty(); }

}  // namespace

PartSteps::PartSteps(const ObjectName& name, std::string_view alter, const std::vector<FieldChange>& fields,
                     const ServerFacts& facts, ChunkState state)
    : owner_{.relation = quote_literal(to_sql(name)) + "::pg_catalog.regclass",
             .text = to_text(name, facts.schema)},
      alter_(fmt::format("{} {}", alter, to_sql(name))),
      fields_(fields),
      facts_(facts),
      state_(std::move(state)) {}

bool PartSteps::differs(std::string_view field) const {
  return std::any_of(fields_.begin(), fields_.end(), [&](const FieldChange& change) {
    return change.field == field ||
           (change.field.starts_with(field) && change.field.substr(field.size(), 1) == ".");
  });
}

ChangeStep& PartSteps::add(std::string sql, std::string purpose, LockMode mode) {
  const Lock lock{mode, mode == LockMode::none ? "" : owner_.text};
  return steps_.emplace_back(ChangeStep{.sql = std::move(sql), .purpose = std::move(purpose), .lock = lock});
}

void PartSteps::add(std::vector<ChangeStep> steps) {
  for (ChangeStep& step : steps) steps_.push_back(std::move(step));
}

ChangeStep& PartSteps::call(std::string_view function, const std::vector<Argument>& arguments,
                            std::string purpose, LockMode mode) {
  return add(call_sql(facts_, function, arguments), std::move(purpose), mode);
}

void PartSteps::add_hazard(ChangeStep& step, std::string_view id, std::string reason) const {
  step.hazards.push_back({.id = std::string(id),
                          .object = owner_.text,
                          .reason = std::move(reason),
                          .blocks = !state_.known || state_.chunks > 0,
                          .needs_rows = true});
}

void PartSteps::set_columnstore(const Columnstore& wanted, const Columnstore* live, std::string purpose) {
  add(set_columnstore_sql(alter_, wanted, live), std::move(purpose), LockMode::access_exclusive);
}

void PartSteps::columnstore(const std::optional<Columnstore>& wanted, const std::optional<Columnstore>& live,
                            const std::optional<JobFacts>& job) {
  if (wanted && live) return alter_columnstore(*wanted, *live, job);
  // A policy outlives compression, and cannot work without it.
  if (job) add(remove_policy(compression_policy, owner_, facts_));
  if (wanted) {
    // The policy is refused before compression is on.
    set_columnstore(*wanted, nullptr, "lets chunks be compressed; none is yet");
    if (has_policy(values_of(*wanted)))
      add(add_policy(compression_policy, owner_, values_of(*wanted), facts_));
  } else if (live) {
    add(alter_ + " SET (timescaledb.compress = false)", "no chunk is compressed any more",
        LockMode::access_exclusive);
  }
}

void PartSteps::alter_columnstore(const Columnstore& wanted, const Columnstore& live,
                                  const std::optional<JobFacts>& job) {
  bool settings = false;
  bool policy = false;
  for (const FieldChange& change : fields_) {
    if (!change.field.starts_with("columnstore.")) continue;
    const std::string_view key = std::string_view(change.field).substr(12);
    const bool setting = key == "segment_by" || key == "order_by" || key == "chunk_interval";
    (setting ? settings : policy) = true;
  }
  if (settings) {
    std::string purpose = "for chunks that are compressed from now on";
    if (state_.compressed == 1) purpose += "; the compressed one stays as it is";
    if (state_.compressed > 1)
      purpose += fmt::format("; {} compressed ones stay as they are", state_.compressed);
    set_columnstore(wanted, &live, std::move(purpose));
  }
  if (!policy || !has_policy(values_of(wanted))) return;
  add(job ? alter_policy(compression_policy, owner_, values_of(wanted), values_of(live), *job, facts_)
          : add_policy(compression_policy, owner_, values_of(wanted), facts_));
}

void PartSteps::retention(const std::optional<Retention>& wanted, const std::optional<Retention>& live,
                          const std::optional<JobFacts>& job) {
  if (!wanted) {
    if (live) add(remove_policy(retention_policy, owner_, facts_));
    return;
  }
  std::vector<ChangeStep> steps =
      live && job ? alter_policy(retention_policy, owner_, values_of(*wanted), values_of(*live), *job, facts_)
                  : add_policy(retention_policy, owner_, values_of(*wanted), facts_);
  const bool drops_more = !live || steps.size() > 1 ||
                          compare_intervals(wanted->drop_after, live->drop_after) < 0 ||
                          compare_intervals(wanted->drop_created_before, live->drop_created_before) < 0;
  if (drops_more) add_loss(steps.back(), *wanted);
  add(std::move(steps));
}

/// Says what would be dropped now.
void PartSteps::add_loss(ChangeStep& step, const Retention& wanted) const {
  const bool by_age = !wanted.drop_after.empty();
  const Span& span = by_age ? wanted.drop_after : wanted.drop_created_before;
  std::string reason =
      fmt::format("drops every chunk {} {}", by_age ? "older than" : "made longer ago than", span.text);
  if (by_age && !span.number && !state_.ages.empty()) {
    const auto old = std::count_if(state_.ages.begin(), state_.ages.end(), [&](std::int64_t age) {
      return compare_intervals({fmt::format("{}", age), true}, span) >= 0;
    });
    reason += fmt::format(": {} of {} now", old, state_.chunks);
  }
  add_hazard(step, sql::hazard::deletes_data, std::move(reason));
}

}  // namespace kdb
