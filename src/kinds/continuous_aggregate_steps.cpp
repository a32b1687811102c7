#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "kinds/continuous_aggregate.hpp"
#include "kinds/difference.hpp"
#include "kinds/part_difference.hpp"
#include "kinds/part_steps.hpp"

namespace kdb {

namespace {

/// The query in the server's form; neither what only a profile says counts.
ContinuousAggregate comparable(ContinuousAggregate aggregate) {
  aggregate.when_unavailable = "error";
  return aggregate;
}

ChunkState state_of(const Live<ContinuousAggregate>* live) {
  if (live == nullptr) return {.known = true};  // a new one is empty
  return {.known = true, .chunks = live->facts.chunks, .compressed = live->facts.compressed, .ages = {}};
}

/// The statements for one continuous aggregate.
class AggregateSteps {
 public:
  AggregateSteps(const Difference<ContinuousAggregate>& difference, const ServerFacts& facts)
      : wanted_(difference.desired),
        live_(difference.live),
        name_(wanted_ != nullptr ? wanted_->name : live_->value.name),
        facts_(facts),
        steps_(name_, "ALTER MATERIALIZED VIEW", difference.fields, facts, state_of(difference.live)) {}

  std::vector<ChangeStep> take(Action action) {
    if (action == Action::replace || action == Action::drop) drop();
    if (action == Action::replace || action == Action::create) create();
    if (action == Action::alter) alter();
    return steps_.take();
  }

 private:
  void drop() {
    ChangeStep& step =
        steps_.add("DROP MATERIALIZED VIEW " + to_sql(name_),
                   wanted_ == nullptr ? "removes it with its rows"
                                      : "removes it with its rows; another query needs another one",
                   LockMode::access_exclusive);
    step.lock.relation = to_text(live_->facts.source, facts_.schema);  // measured on 2.28.3
    steps_.add_hazard(step, sql::hazard::deletes_data,
                      "deletes all of its rows; those whose source rows were dropped cannot be made again");
  }

  void create() {
    const bool realtime = wanted_->materialized_only.has_value();
    steps_.add(
        fmt::format(
            "CREATE MATERIALIZED VIEW {} WITH (timescaledb.continuous{}) AS {} WITH NO DATA", to_sql(name_),
            realtime ? fmt::format(", timescaledb.materialized_only = {}", *wanted_->materialized_only) : "",
            wanted_->query.sql),
        "makes it, empty");
    steps_.columnstore(wanted_->columnstore, std::nullopt, std::nullopt);
    if (wanted_->refresh) add_refresh(*wanted_->refresh);
    steps_.retention(wanted_->retention, std::nullopt, std::nullopt);
  }

  void alter() {
    const ContinuousAggregate& live = live_->value;
    if (steps_.differs("materialized_only"))
      steps_.add(fmt::format("ALTER MATERIALIZED VIEW {} SET (timescaledb.materialized_only = {})",
                             to_sql(name_), *wanted_->materialized_only),
                 *wanted_->materialized_only ? "queries see what was refreshed only"
                                             : "queries compute what is not refreshed yet",
                 LockMode::access_exclusive);
    if (steps_.differs("columnstore"))
      steps_.columnstore(wanted_->columnstore, live.columnstore, live_->facts.compression);
    if (steps_.differs("refresh")) alter_refresh();
    if (steps_.differs("retention"))
      steps_.retention(wanted_->retention, live.retention, live_->facts.retention);
  }

  void add_refresh(const Refresh& wanted) {
    const auto offset = [](const Span& span) { return span.empty() ? "NULL" : to_sql(span); };
    std::vector<Argument> arguments{{"continuous_aggregate", steps_.owner().relation},
                                    {"start_offset", offset(wanted.start_offset)},
                                    {"end_offset", offset(wanted.end_offset)}};
    add_schedule_arguments(wanted.schedule, arguments);
    steps_.call("add_continuous_aggregate_policy", arguments, "refreshes it from now on, in the background");
  }

  void alter_refresh() {
    const std::optional<Refresh>& live = live_->value.refresh;
    const std::vector<Argument> owner{{"continuous_aggregate", steps_.owner().relation}};
    if (!wanted_->refresh) {
      steps_.call("remove_continuous_aggregate_policy", owner, "no longer refreshes it");
      return;
    }
    if (!live || !live_->facts.refresh) return add_refresh(*wanted_->refresh);
    JobChange change{.schedule = changed_schedule(wanted_->refresh->schedule, live->schedule), .config = {}};
    const auto offset = [&](const std::string& key, const Span& wanted, const Span& there) {
      if (!wanted.empty() && !(wanted == there)) change.config.emplace_back(key, config_value_sql(wanted));
    };
    offset("start_offset", wanted_->refresh->start_offset, live->start_offset);
    offset("end_offset", wanted_->refresh->end_offset, live->end_offset);
    if (can_alter_job(change, facts_)) {
      steps_.add(alter_job_sql(*live_->facts.refresh, change, facts_),
                 "changes the policy, not when it runs next");
      return;
    }
    steps_.call("remove_continuous_aggregate_policy", owner, "is added again with what cannot be changed");
    Refresh all = *wanted_->refresh;
    if (all.start_offset.empty()) all.start_offset = live->start_offset;
    if (all.end_offset.empty()) all.end_offset = live->end_offset;
    all.schedule = merged(all.schedule, live->schedule);
    add_refresh(all);
  }

  const ContinuousAggregate* wanted_;
  const Live<ContinuousAggregate>* live_;
  ObjectName name_;
  const ServerFacts& facts_;
  PartSteps steps_;
};

}  // namespace

std::vector<FieldChange> differing(const Declared<ContinuousAggregate>& declared,
                                   const Live<ContinuousAggregate>& live) {
  ContinuousAggregate desired = comparable(declared.value);
  if (desired.columnstore) complete_order(*desired.columnstore, live.facts.time_column);
  return compare_parts(declared, desired, comparable(live.value));
}

Action action_of(const ContinuousAggregate&, const std::vector<FieldChange>& fields) {
  for (const FieldChange& change : fields)
    if (change.field == "query") return Action::replace;
  return Action::alter;
}

std::vector<Problem> unavailable(const Declared<ContinuousAggregate>& declared, const ServerFacts& facts) {
  if (declared.absent || (facts.timescale && facts.timescale->community)) return {};
  const bool skip = declared.value.when_unavailable == "skip";
  return {{.message = fmt::format("[continuous_aggregates.{}] needs TimescaleDB{}", declared.key,
                                  facts.timescale
                                      ? "'s community edition; timescaledb.license of this server is apache"
                                      : ", which this database does not have"),
           .where = declared.where,
           .hint = skip ? "left out, as when_unavailable says"
                        : "take it out of the profile, or set when_unavailable = \"skip\"",
           .details = {}}};
}

std::vector<ChangeStep> steps(const Difference<ContinuousAggregate>& difference, const ServerFacts& facts) {
  if (!facts.timescale || !facts.timescale->community) return {};  // see unavailable()
  return AggregateSteps(difference, facts).take(difference.action);
}

}  // namespace kdb
