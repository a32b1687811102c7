#include "flow/plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/build_estimate.hpp"
#include "core/hazards.hpp"
#include "core/plan_report.hpp"
#include "core/setting_changes.hpp"
#include "core/to_report.hpp"
#include "flow/at_stake.hpp"
#include "flow/coming.hpp"
#include "flow/compare_settings.hpp"
#include "flow/picture.hpp"
#include "kinds/aggregate_indexes.hpp"
#include "lint/check.hpp"
#include "pg/canonical.hpp"
#include "pg/catalog.hpp"
#include "pg/columns.hpp"
#include "pg/estimates.hpp"
#include "pg/foreign_keys.hpp"
#include "pg/name_holders.hpp"
#include "pg/settings.hpp"
#include "pg/table_statistics.hpp"

namespace kdb::flow {

namespace {

/// For locks that reading needs: nobody should have to wait for a plan.
constexpr std::chrono::milliseconds patience(1'000);

void judge_hazards(const Context& context, Session& session, const LiveSchema& live,
                   std::vector<Change>& changes) {
  const std::string& schema = context.profile.database.schema;
  std::vector<ObjectName> tables;
  for (const std::string& table : concerned_tables(changes)) tables.push_back(parse_name(table, schema));
  std::map<std::string, Estimate> estimates;
  for (const auto& [name, estimate] : pg::read_estimates(*session.connection, tables, patience))
    estimates[to_text(name, schema)] = estimate;
  // What is compressed is in tables of TimescaleDB's own: chunks that look empty are full.
  for (const auto& hypertable : live.of<Hypertable>())
    if (hypertable.facts.compressed > 0) estimates.erase(to_text(hypertable.value.name, schema));
  settle_hazards(changes, estimates);
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

bool Planned::is_empty() const {
  return migrations.empty() && objects.changes.empty() && objects.undecided.empty() &&
         objects.problems.empty() &&
         std::none_of(objects.undeclared.begin(), objects.undeclared.end(),
                      [](const Undeclared& one) { return one.drift; });
}

namespace {

/// Puts the server's form of declared definitions in their place. What it refuses, or cannot say, is noted
/// and not compared; what an extension of the plan may bring is left as it is declared.
template <class T>
void settle(std::vector<Declared<T>>& desired, std::vector<pg::Canonical<T>>& answers,
            std::string_view schema, DiffOptions& options, Differences& found) {
  for (size_t i = 0; i < desired.size(); ++i) {
    Declared<T>& one = desired[i];
    pg::Canonical<T>& answer = answers[i];
    if (one.absent || answer.table_missing) continue;
    if (answer.value) {
      one.value = std::move(*answer.value);
      continue;
    }
    if (answer.names_unknown && !options.extensions.empty()) {
      options.unseen.insert(one.value.name);
      continue;
    }
    one.undecided = true;
    if (answer.refused)
      found.problems.push_back(*answer.refused);
    else
      found.undecided.push_back({.message = fmt::format("{} {} is undecided: {}", T::word,
                                                        to_text(one.value.name, schema), answer.undecided),
                                 .where = one.where});
  }
}

/// How much is in the tables that are to become hypertables.
std::map<ObjectName, Estimate> read_sizes(pg::Connection& connection, const DesiredSchema& desired,
                                          const LiveSchema& live) {
  std::set<ObjectName> there;
  for (const auto& hypertable : live.of<Hypertable>()) there.insert(hypertable.value.name);
  std::vector<ObjectName> tables;
  for (const auto& hypertable : desired.of<Hypertable>())
    if (there.count(hypertable.value.name) == 0) tables.push_back(hypertable.value.name);
  return pg::read_estimates(connection, tables, patience);
}

/// The continuous aggregates that the plan makes.
std::set<ObjectName> coming_aggregates(const DesiredSchema& desired, const LiveSchema& live) {
  std::set<ObjectName> coming;
  for (const auto& one : desired.of<ContinuousAggregate>())
    if (!one.absent) coming.insert(one.value.name);
  for (const auto& one : live.of<ContinuousAggregate>()) coming.erase(one.value.name);
  return coming;
}

bool reads_any(const ContinuousAggregate& aggregate, const std::set<ObjectName>& others) {
  return std::any_of(others.begin(), others.end(), [&](const ObjectName& other) {
    return other != aggregate.name && reads(aggregate, other);
  });
}

/// Where no migration is pending, what an aggregate reads and is not there never will be, unless it is
/// another aggregate of the plan, which the server has not seen by all its names.
void refuse_unknown_sources(const DesiredSchema& desired, const LiveSchema& live, DiffOptions& options,
                            pg::CanonicalSchema& answers) {
  std::set<ObjectName> there;
  for (const auto& one : live.of<ContinuousAggregate>()) there.insert(one.value.name);
  for (size_t i = 0; i < answers.of<ContinuousAggregate>().size(); ++i) {
    const auto& one = desired.of<ContinuousAggregate>()[i];
    auto& answer = answers.of<ContinuousAggregate>()[i];
    if (!answer.table_missing) continue;
    if (there.count(one.value.name) > 0) {
      answer.table_missing = false;  // which leaves it undecided
    } else if (reads_any(one.value, options.aggregates)) {
      options.unseen.insert(one.value.name);
    } else if (options.coming_tables.empty()) {
      answer.table_missing = false;
      answer.refused = Problem{.message = fmt::format("[{}.{}] query: {}", ContinuousAggregate::section,
                                                      one.key, answer.undecided),
                               .where = one.where_of("query"),
                               .hint = {}};
    }
  }
}

/// What the rules of `kdb lint` say of the indexes that are to be made, and of hypertables; with the server,
/// they know what is in the tables. What is certain to fail there is a problem.
void review(pg::Connection& connection, const files::Profile& profile, DesiredSchema desired,
            const LiveSchema& live, const ServerFacts& facts, Differences& found) {
  std::set<ObjectName> tables;
  std::set<ObjectName> repaired;
  for (const Change& change : found.changes) {
    if (change.kind != Index::word) continue;
    if (change.action == Action::create || change.action == Action::replace)
      tables.insert(parse_name(change.table, facts.schema));
    else if (change.action == Action::repair)
      repaired.insert(parse_name(change.table, facts.schema));
  }
  repaired.insert(tables.begin(), tables.end());
  for (const auto& hypertable : desired.of<Hypertable>())
    if (!hypertable.absent && hypertable.value.columnstore) repaired.insert(hypertable.value.name);
  const auto statistics = pg::read_table_statistics(connection, {repaired.begin(), repaired.end()});
  const auto columnstores = live.of<Hypertable>().empty() ? decltype(pg::read_columnstores(connection))()
                                                          : pg::read_columnstores(connection);
  estimate_builds(found.changes, desired.of<Index>(), statistics, facts.schema);
  std::erase_if(desired.of<Index>(), [&](const auto& index) { return tables.count(index.value.table) == 0; });
  for (Finding& finding : lint::check({.desired = &desired,
                          .schema = facts.schema,
                          .queries = &profile.queries,
                          .settings = &profile.server.settings,
                          .commented = &profile.commented,
                          .live = &live,
                          .statistics = &statistics,
                          .columnstores = &columnstores})
                              .findings) {
    // Errors are about hypertables.
    if (finding.level == Finding::Level::error && facts.timescale)
      found.problems.push_back(std::move(finding.problem));
    else
      found.findings.push_back(std::move(finding));
  }
}

}  // namespace

std::vector<MigrationPlan> pending_migrations(const Context& context, const Session& session,
                                              const Picture& picture) {
  std::vector<Problem> problems = history_problems(picture.rows, picture.folder, picture.history, false);
  problems.insert(problems.begin(), picture.changed.begin(), picture.changed.end());
  if (!problems.empty()) throw Error(Exit::history, std::move(problems));
  std::vector<MigrationPlan> plans = plan_rows(context, picture, select_up(picture.rows, {}), Direction::up);
  note_hazards_now(session, plans);
  return plans;
}

DiffOptions options_after(const std::vector<MigrationPlan>& migrations, const files::Profile& profile) {
  DiffOptions options;
  options.migrations_pending = !migrations.empty();
  options.coming_tables = coming_tables(migrations, profile.database.schema);
  options.going_tables = going_tables(migrations, profile.database.schema);
  options.coming_roles = coming_roles(migrations, profile.desired);
  options.extensions = coming_extensions(migrations);
  return options;
}

namespace {

/// Names that the plan would give may be those of relations that no kind reads: the server is asked for them,
/// until it knows of no further ones. An index of a table that is read has come since, and counts as little
/// as whatever else did.
Differences diff_beside_others(pg::Connection& connection, const DesiredSchema& desired,
                               const LiveSchema& live, const ServerFacts& facts, DiffOptions& options) {
  const auto has_come_since = [&](const auto& holder) {
    const auto& tables = live.of<TableProperties>();
    return std::any_of(tables.begin(), tables.end(),
                       [&](const auto& table) { return table.value.name == holder.second.indexed; });
  };
  for (;;) {
    Differences found = diff(desired, live, facts, options);
    NameHolders holders = pg::read_name_holders(connection, found.names, facts.schema);
    std::erase_if(holders, has_come_since);
    const size_t known = options.held.size();
    options.held.merge(holders);
    if (options.held.size() == known) return found;
  }
}

/// Takes changes out that drop an index which a foreign key needs: the server refuses that at their very end.
void refuse_while_referenced(pg::Connection& connection, std::string_view schema, Differences& found) {
  const auto drops = [](const Change& change) {
    return change.kind == Index::word && (change.action == Action::drop || change.action == Action::replace);
  };
  std::set<ObjectName> indexes;
  for (const Change& change : found.changes)
    if (drops(change)) indexes.insert(parse_name(change.object, schema));
  const auto keys = pg::read_foreign_keys(connection, indexes, schema);
  const auto key_of = [&](const Change& change) { return keys.find(parse_name(change.object, schema)); };
  for (const Change& change : found.changes)
    if (drops(change) && key_of(change) != keys.end())
      found.problems.push_back(
          {.message =
               fmt::format("index {}: it cannot be {} while a foreign key needs it: {}", change.object,
                           change.action == Action::drop ? "dropped" : "replaced", key_of(change)->second),
           .where = change.where,
           .hint = "a migration can drop the key, and make it again on another index"});
  // And what would take its name.
  std::erase_if(found.changes, [&](const Change& change) {
    return change.kind == Index::word && key_of(change) != keys.end();
  });
}

}  // namespace

Differences compare_objects(const Context& context, Session& session, DiffOptions options) {
  const files::Profile& profile = context.profile;
  pg::Connection& connection = *session.connection;
  ServerFacts facts = pg::read_facts(connection, profile.database.schema, profile.database.history_schema);
  facts.role = profile.database.role;
  facts.with_roles = !profile.desired.of<Role>().empty();
  facts.with_databases = !profile.desired.of<DatabaseSettings>().empty();
  LiveSchema live = pg::read_catalog(connection, facts, patience);
  DesiredSchema desired = profile.desired;
  tell_apart(live, desired);
  const std::vector<Extension> declared = coming_extensions(desired, live);
  options.extensions.insert(options.extensions.begin(), declared.begin(), declared.end());
  const ServerFacts then = facts_with(connection, facts, options.extensions);
  pg::CanonicalSchema answers = pg::canonicalise(connection, facts, desired, live, patience);
  if (then.timescale) options.aggregates = coming_aggregates(desired, live);
  refuse_unknown_sources(desired, live, options, answers);
  Differences noted;
  noted.problems = pg::complete_columns(connection, desired, live, facts.schema);
  append(noted.problems, pg::complete_settings(connection, desired));
  settle(desired.of<Index>(), answers.of<Index>(), facts.schema, options, noted);
  settle(desired.of<Statistics>(), answers.of<Statistics>(), facts.schema, options, noted);
  settle(desired.of<ContinuousAggregate>(), answers.of<ContinuousAggregate>(), facts.schema, options, noted);
  if (!facts.timescale)  // whose functions their queries need
    for (const auto& one : desired.of<ContinuousAggregate>()) options.unseen.insert(one.value.name);
  options.sizes = read_sizes(connection, desired, live);
  Differences found = diff_beside_others(connection, desired, live, then, options);
  if (!options.migrations_pending) refuse_while_referenced(connection, facts.schema, found);
  append(found.problems, noted.problems);
  append(found.undecided, noted.undecided);
  sort_by_position(found.undecided);
  judge_hazards(context, session, live, found.changes);
  review(connection, profile, std::move(desired), live, then, found);
  sort_by_position(found.problems);
  return found;
}

Differences compare_objects(const Context& context, const DiffOptions& options) {
  return read_again(context, [&] {
    Session session = open_session(context);
    return compare_objects(context, session, options);
  });
}

Compared compare(const Context& context, Session& session, const PlanOptions& options,
                 DiffOptions diff_options) {
  Compared compared;
  if (options.profile) compared.objects = compare_objects(context, session, std::move(diff_options));
  if (!options.settings) return compared;
  Compared settings = compare_settings(context, session);
  append(compared.objects.changes, settings.objects.changes);
  append(compared.objects.problems, settings.objects.problems);
  append(compared.objects.undecided, settings.objects.undecided);
  append(compared.objects.findings, settings.objects.findings);
  compared.waiting = std::move(settings.waiting);
  return compared;
}

namespace {

PlanOrigin origin_of(const Context& context, Session& session, const PlanOptions& options) {
  PlanOrigin origin{.kdb_version = KDB_VERSION,
                    .system_identifier = pg::read_system_identifier(*session.connection),
                    .database = session.facts.database,
                    .role = session.facts.user,
                    .prune = options.prune};
  if (options.migrations) origin.parts.emplace_back("migrations");
  if (options.profile) origin.parts.emplace_back("profile");
  if (options.settings) origin.parts.emplace_back("settings");
  origin.profiles = context.profile.files;
  return origin;
}

Planned plan_once(const Context& context, const PlanOptions& options) {
  Planned planned;
  DiffOptions diff_options;
  std::optional<Session> session;
  if (options.migrations) {
    View view = open_and_look(context);
    const std::vector<MigrationPlan> plans = pending_migrations(context, view.session, view.picture);
    for (const MigrationPlan& one : plans)
      planned.migrations.push_back(to_change(one, context.profile.migrations.refuse_hazards));
    for (const MigrationStatus& row : view.picture.rows)
      if (row.file || row.applied) planned.known.push_back(title(row.version, row.name));
    diff_options = options_after(plans, context.profile);
    session = std::move(view.session);
  } else {
    session = open_session(context);
  }
  diff_options.prune = options.prune;
  planned.target = session->facts.target;
  planned.standby = session->facts.in_recovery;
  planned.server_version = session->facts.version;
  planned.origin = origin_of(context, *session, options);
  Compared compared = compare(context, *session, options, std::move(diff_options));
  planned.objects = std::move(compared.objects);
  planned.waiting = std::move(compared.waiting);
  if (options.profile && !options.settings) planned.settings = context.profile.server.settings;
  if (!planned.migrations.empty() || !planned.objects.changes.empty())
    planned.replicas = pg::count_replicas(*session->connection);
  return planned;
}

}  // namespace

Planned plan(const Context& context, const PlanOptions& options) {
  return read_again(context, [&] { return plan_once(context, options); });
}

}  // namespace kdb::flow
