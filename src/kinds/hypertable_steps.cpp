#include <algorithm>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/text.hpp"
#include "kinds/difference.hpp"
#include "kinds/hypertable.hpp"
#include "kinds/part_steps.hpp"

namespace kdb {

namespace {

namespace hazard = sql::hazard;

std::string function_sql(const ObjectName& function) {
  return quote_literal(to_sql(function)) + "::pg_catalog.regproc";
}

ChunkState state_of(const Live<Hypertable>* live) {
  if (live == nullptr) return {};
  return {.known = true,
          .chunks = live->facts.chunks,
          .compressed = live->facts.compressed,
          .ages = live->facts.ages};
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The statements for one hypertable.
class HypertableSteps {
 public:
  HypertableSteps(const Difference<Hypertable>& difference, const ServerFacts& facts)
      : wanted_(*difference.desired),
        live_(difference.live),
        facts_(facts),
        steps_(wanted_.name, "ALTER TABLE", difference.fields, facts, state_of(difference.live)) {}

  std::vector<ChangeStep> create() {
    create_hypertable();
    for (const Dimension& dimension : wanted_.dimensions) add_dimension(dimension);
    if (!wanted_.integer_now.name.empty()) set_integer_now();
    skip_chunks(wanted_.chunk_skipping, {});
    attach(wanted_.tablespaces, {});
    steps_.columnstore(wanted_.columnstore, std::nullopt, std::nullopt);
    steps_.retention(wanted_.retention, std::nullopt, std::nullopt);
    return steps_.take();
  }

  std::vector<ChangeStep> alter() {
    const Hypertable& live = live_->value;
    if (steps_.differs("chunk_interval")) set_interval(live.time_column, wanted_.chunk_interval);
    if (steps_.differs("integer_now")) set_integer_now();
    if (steps_.differs("dimensions"))
      for (const Dimension& dimension : wanted_.dimensions) alter_dimension(dimension);
    if (steps_.differs("chunk_skipping")) skip_chunks(wanted_.chunk_skipping, live.chunk_skipping);
    if (steps_.differs("tablespaces")) attach(wanted_.tablespaces, live.tablespaces);
    if (steps_.differs("columnstore"))
      steps_.columnstore(wanted_.columnstore, live.columnstore, live_->facts.compression);
    if (steps_.differs("retention"))
      steps_.retention(wanted_.retention, live.retention, live_->facts.retention);
    return steps_.take();
  }

  std::vector<ChangeStep> reorder() {
    if (live_ == nullptr) {
      if (wanted_.reorder) add_reorder(*wanted_.reorder);
    } else if (steps_.differs("reorder")) {
      alter_reorder();
    }
    return steps_.take();
  }

 private:
  /// Arguments that begin with the hypertable.
  std::vector<Argument> arguments(std::initializer_list<Argument> more) const {
    std::vector<Argument> all{{"hypertable", steps_.owner().relation}};
    all.insert(all.end(), more);
    return all;
  }

  void create_hypertable() {
    std::vector<Argument> all{{"relation", steps_.owner().relation},
                              {"time_column_name", quote_literal(wanted_.time_column)}};
    if (!wanted_.chunk_interval.empty())
      all.emplace_back("chunk_time_interval", to_sql(wanted_.chunk_interval));
    if (!wanted_.time_function.name.empty())
      all.emplace_back("time_partitioning_func", function_sql(wanted_.time_function));
    all.emplace_back("create_default_indexes", "false");
    if (wanted_.migrate_data) all.emplace_back("migrate_data", "true");
    ChangeStep& step = steps_.call(
        "create_hypertable", all,
        wanted_.migrate_data ? "makes it a hypertable and moves its rows into chunks"
                             : fmt::format("makes it a hypertable, {} NOT NULL", wanted_.time_column),
        LockMode::access_exclusive);
    if (!wanted_.migrate_data) return;  // the server refuses a table with rows
    steps_.add_hazard(step, hazard::table_rewrite, "writes every row again, into chunks");
    steps_.add_hazard(step, hazard::access_exclusive, "nobody can read or write it until all rows are moved");
  }

  void add_dimension(const Dimension& dimension) {
    std::vector<Argument> all = arguments({{"column_name", quote_literal(dimension.column)}});
    if (dimension.partitions) all.emplace_back("number_partitions", fmt::format("{}", *dimension.partitions));
    if (!dimension.interval.empty()) all.emplace_back("chunk_time_interval", to_sql(dimension.interval));
    if (!dimension.function.name.empty())
      all.emplace_back("partitioning_func", function_sql(dimension.function));
    ChangeStep& step = steps_.call("add_dimension", all,
                                   fmt::format("partitions new chunks by {} as well", dimension.column),
                                   LockMode::share_update_exclusive);
    if (live_ != nullptr || wanted_.migrate_data)
      steps_.add_hazard(step, hazard::irreversible,
                        "a dimension cannot be taken away; chunks that are there span all of its values");
  }

  void alter_dimension(const Dimension& dimension) {
    const auto& there = live_->value.dimensions;
    const auto old = std::find_if(there.begin(), there.end(),
                                  [&](const Dimension& one) { return one.column == dimension.column; });
    if (old == there.end()) return add_dimension(dimension);
    if (!dimension.interval.empty() && !(dimension.interval == old->interval))
      set_interval(dimension.column, dimension.interval);
    if (dimension.partitions && old->partitions && dimension.partitions != old->partitions)
      steps_.call("set_number_partitions",
                  arguments({{"number_partitions", fmt::format("{}", *dimension.partitions)},
                             {"dimension_name", quote_literal(dimension.column)}}),
                  "for new chunks; those that are there keep theirs");
  }

  void set_interval(const std::string& column, const Span& interval) {
    steps_.call(
        "set_chunk_time_interval",
        arguments({{"chunk_time_interval", to_sql(interval)}, {"dimension_name", quote_literal(column)}}),
        "for new chunks; those that are there keep theirs");
  }

  void set_integer_now() {
    std::vector<Argument> all = arguments({{"integer_now_func", function_sql(wanted_.integer_now)}});
    if (live_ != nullptr && !live_->value.integer_now.name.empty())
      all.emplace_back("replace_if_exists", "true");
    steps_.call("set_integer_now_func", all, "says what time it is, for policies");
  }

  void skip_chunks(const std::vector<std::string>& wanted, const std::vector<std::string>& live) {
    if (wanted == live) return;
    steps_.add("SET LOCAL timescaledb.enable_chunk_skipping TO on", "lets the next statements run");
    for (const std::string& column : wanted)
      if (!has(live, column))
        steps_.call("enable_chunk_skipping", arguments({{"column_name", quote_literal(column)}}),
                    fmt::format("keeps the range of {} of each compressed chunk", column));
    for (const std::string& column : live)
      if (!has(wanted, column))
        steps_.call("disable_chunk_skipping", arguments({{"column_name", quote_literal(column)}}),
                    fmt::format("forgets the ranges of {}", column), LockMode::share_update_exclusive);
  }

  void attach(const std::vector<std::string>& wanted, const std::vector<std::string>& live) {
    const auto call = [&](std::string_view function, const std::string& tablespace) {
      steps_.call(function, arguments({{"tablespace", quote_literal(tablespace)}}),
                  "for new chunks; those that are there stay where they are", LockMode::access_exclusive);
    };
    for (const std::string& tablespace : wanted)
      if (!has(live, tablespace)) call("attach_tablespace", tablespace);
    for (const std::string& tablespace : live)
      if (!has(wanted, tablespace)) call("detach_tablespace", tablespace);
  }

  void add_reorder(const Reorder& wanted) {
    std::vector<Argument> all = arguments({{"index_name", quote_literal(wanted.index)}});
    Schedule schedule = wanted.schedule;
    schedule.interval = {};
    add_schedule_arguments(schedule, all);
    steps_.call("add_reorder_policy", all,
                fmt::format("rewrites older chunks in the order of {}, in the background", wanted.index));
    if (!wanted.schedule.interval.empty()) set_reorder_schedule(wanted);
  }

  /// It takes no schedule when it is added, and the number of its job is not known before.
  void set_reorder_schedule(const Reorder& wanted) {
    const std::string job = fmt::format(
        "(SELECT p.job_id FROM timescaledb_information.jobs p WHERE p.proc_name = 'policy_reorder' AND "
        "p.hypertable_schema = {} AND p.hypertable_name = {})",
        quote_literal(wanted_.name.schema), quote_literal(wanted_.name.name));
    JobChange change;
    change.schedule.interval = wanted.schedule.interval;
    steps_.add(alter_job_sql(job, false, change, facts_), "sets how often it runs");
  }

  void alter_reorder() {
    const auto& live = live_->value.reorder;
    const std::string_view remove = "remove_reorder_policy";
    if (!wanted_.reorder) {
      steps_.call(remove, arguments({}), "no longer rewrites chunks in the order of an index");
      return;
    }
    if (!live || !live_->facts.reorder) return add_reorder(*wanted_.reorder);
    JobChange change{.schedule = changed_schedule(wanted_.reorder->schedule, live->schedule), .config = {}};
    if (wanted_.reorder->index != live->index)
      change.config.emplace_back("index_name", quote_literal(wanted_.reorder->index) + "::text");
    if (can_alter_job(change, facts_)) {
      steps_.add(alter_job_sql(*live_->facts.reorder, change, facts_),
                 "changes the policy, not when it runs next");
      return;
    }
    steps_.call(remove, arguments({}), "is added again with what cannot be changed");
    Reorder all = *wanted_.reorder;
    all.schedule = merged(all.schedule, live->schedule);
    add_reorder(all);
  }

  const Hypertable& wanted_;
  const Live<Hypertable>* live_;
  const ServerFacts& facts_;
  PartSteps steps_;
};

}  // namespace

std::vector<ChangeStep> steps(const Difference<Hypertable>& difference, const ServerFacts& facts) {
  if (difference.desired == nullptr || !facts.timescale) return {};  // see impossible() and unavailable()
  HypertableSteps steps(difference, facts);
  return difference.live == nullptr ? steps.create() : steps.alter();
}

std::vector<ChangeStep> steps_after_indexes(const Difference<Hypertable>& difference,
                                            const ServerFacts& facts) {
  if (difference.desired == nullptr || !facts.timescale) return {};
  return HypertableSteps(difference, facts).reorder();
}

}  // namespace kdb
