#include "flow/rehearse.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/statement.hpp"
#include "base/text.hpp"
#include "core/plan_report.hpp"
#include "core/setting_changes.hpp"
#include "core/to_report.hpp"
#include "flow/inspect.hpp"
#include "flow/migrate_dump.hpp"
#include "flow/sandbox_database.hpp"
#include "pg/connect.hpp"
#include "pg/failure.hpp"
#include "pg/trial_run.hpp"

namespace kdb::flow {

namespace {

/// What the sandbox has to be like, as the live database tells.
struct Original {
  int major = 0;
  std::string database;
  std::vector<pg::WantedExtension> extensions;
  std::vector<std::string> roles;  // of its server
  std::string inspected;
  std::string dump;
  bool has_hypertables = false;
};

/// Why a plan is not rehearsed: no failure of its own, and no pass.
struct NotRehearsed {
  std::string why;
  std::string hint = {};
};

void look_at_timescale(pg::Connection& connection, Original& original) {
  const pg::Result found = connection.exec(
      "SELECT EXISTS (SELECT FROM timescaledb_information.hypertables), "
      "EXISTS (SELECT FROM timescaledb_information.continuous_aggregates)");
  original.has_hypertables = found.boolean(0, 0);
  if (found.boolean(0, 1))
    throw NotRehearsed{"the database has continuous aggregates, which pg_dump does not write as such"};
}

/// What cannot be dumped (no pg_dump for the server, no right to read a table) is still worth its plan.
std::string dump_of(const Context& context) {
  try {
    return dump(context);
  } catch (const Error& error) {
    if (error.exit() != Exit::failed) throw;
    throw NotRehearsed{error.what(), error.problems().front().hint};
  }
}

Original read_original(const Context& context) {
  Original original;
  {
    const Session session = open_session(context);
    original.major = session.connection->server_version() / 10000;
    original.database = session.facts.database;
    const pg::Result rows = session.connection->exec(
        "SELECT e.extname, n.nspname FROM pg_catalog.pg_extension e "
        "JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql' ORDER BY 1");
    for (size_t row = 0; row < rows.size(); ++row)
      original.extensions.push_back({.name = rows.text(row, 0), .schema = rows.text(row, 1)});
    const pg::Result roles = session.connection->exec(
        "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' ORDER BY 1");
    for (size_t row = 0; row < roles.size(); ++row) original.roles.push_back(roles.text(row, 0));
    const bool timescale = std::any_of(original.extensions.begin(), original.extensions.end(),
                                       [](const auto& one) { return one.name == "timescaledb"; });
    if (timescale) look_at_timescale(*session.connection, original);
  }
  original.inspected = inspect(context, {});
  original.dump = dump_of(context);
  return original;
}

/// What pg_dump wrote, for a database that has the extensions, and their schemas, already. They are not its
/// owner's.
std::string for_restore(std::string_view dump) {
  constexpr std::string_view create_schema = "CREATE SCHEMA ";
  std::string text;
  for (const std::string_view line : split(dump, '\n')) {
    if (line.starts_with("COMMENT ON EXTENSION ")) continue;
    if (line.starts_with("SET transaction_timeout")) continue;  // a newer pg_dump's, and no older server's
    if (line.starts_with(create_schema))
      text += fmt::format("CREATE SCHEMA IF NOT EXISTS {}\n", line.substr(create_schema.size()));
    else
      text += fmt::format("{}\n", line);
  }
  return text;
}

std::unique_ptr<pg::Connection> connect_inside(const SandboxDatabase& sandbox) {
  const Context& inside = sandbox.inside();
  auto connection =
      pg::connect_with_retry(inside.connect, inside.watchdog, inside.profile.connection.retry, inside.events);
  const std::string& role = inside.profile.database.role;
  if (!role.empty()) connection->exec("SET ROLE " + quote_ident(role));
  return connection;
}

void refuse_missing_extensions(const SandboxDatabase& sandbox, const Original& original) {
  if (sandbox.trusts()) return;  // the dump makes them
  const std::vector<std::string>& made = sandbox.extensions();
  std::vector<std::string> missing;
  for (const pg::WantedExtension& one : original.extensions)
    if (std::find(made.begin(), made.end(), one.name) == made.end()) missing.push_back(one.name);
  if (!missing.empty())
    throw NotRehearsed{
        fmt::format("the sandbox lacks what the database has: extension {} (--trust makes all that the "
                    "server has)",
                    fmt::join(missing, ", "))};
}

/// pg_dump writes hypertables as tables: what they have beside is declared by the original's inspection.
void rebuild_hypertables(const SandboxDatabase& sandbox, const Original& original) {
  files::Profile profile = sandbox.inside().profile;
  profile.desired = files::parse_profile(original.inspected, "kdb inspect", [](const std::string&) {
                      return std::nullopt;
                    }).desired;
  const auto connection = connect_inside(sandbox);
  connection->exec("SET search_path TO " + quote_ident(profile.database.schema));
  for (const Change& change : compare_objects(sandbox.inside().with(profile), {}).changes)
    for (const pg::TrialStep& step : pg::try_steps(*connection, change.steps, profile.database.schema))
      if (step.error)
        throw NotRehearsed{fmt::format("{} {} cannot be made again: {}", change.kind, change.object,
                                       pg::describe(*step.error))};
}

void copy_schema(SandboxDatabase& sandbox, const Original& original) {
  refuse_missing_extensions(sandbox, original);
  const std::string text = for_restore(original.dump);
  try {
    sandbox.with_roles([&] {
      try {
        connect_inside(sandbox)->exec(text);  // all of it, or nothing
      } catch (const pg::ServerError& error) {
        throw Error(Exit::failed, pg::describe(error));
      }
    });
  } catch (const Error& error) {
    if (error.exit() != Exit::failed) throw;
    throw NotRehearsed{fmt::format("the schema cannot be copied: {}", error.what())};
  }
  if (original.has_hypertables) rebuild_hypertables(sandbox, original);
  if (inspect(sandbox.inside(), {}) != original.inspected)
    throw NotRehearsed{"`kdb inspect` says something else of the copy than of the database"};
}

/// Runs the statements of changes on the copy, and notes what became of them.
class Trial {
 public:
  Trial(SandboxDatabase& sandbox, Planned& planned) : sandbox_(sandbox), planned_(planned) {}

  /// False when one has failed.
  bool run(const std::vector<Change>& changes) {
    return std::all_of(changes.begin(), changes.end(), [&](const Change& change) { return run(change); });
  }
  size_t statements() const { return planned_.rehearsal->statements.size(); }

 private:
  bool run(const Change& change) {
    const auto connection = connect_inside(sandbox_);
    const std::string& schema = sandbox_.inside().profile.database.schema;
    if (change.action != Action::run && change.kind != Extension::word)
      connection->exec("SET search_path TO " + quote_ident(schema));
    const std::string name = fmt::format("{} {}", change.kind, change.object);
    for (pg::TrialStep& step : pg::try_steps(*connection, change.steps, schema)) {
      planned_.rehearsal->statements.push_back({.change = name,
                                                .sql = step.sql,
                                                .command = sql::classify(step.sql).command,
                                                .locks = std::move(step.locks),
                                                .error = step.error ? pg::describe(*step.error) : ""});
      if (!step.error) continue;
      planned_.objects.problems.push_back(
          {.message = fmt::format("{} failed when it was rehearsed: {}", name, pg::describe(*step.error)),
           .where = change.where,
           .hint = {},
           .details = step.sql});
      return false;
    }
    return true;
  }

  SandboxDatabase& sandbox_;
  Planned& planned_;
};

/// Roles, databases and settings are the server's: the copy has none of them.
bool is_of_database(const Change& change) {
  return change.kind != Role::word && change.kind != DatabaseSettings::word && !is_of_server(change);
}

/// What has to be done on the copy.
std::vector<Change> compare_copy(const SandboxDatabase& sandbox, const Planned& planned) {
  files::Profile profile = sandbox.inside().profile;
  profile.desired.of<Role>().clear();
  profile.desired.of<DatabaseSettings>().clear();
  return compare_objects(sandbox.inside().with(profile), {.prune = planned.origin.prune}).changes;
}

/// What is still not as declared, when all has run.
void note_rest(const SandboxDatabase& sandbox, Planned& planned) {
  for (const Change& change : compare_copy(sandbox, planned))
    planned.objects.problems.push_back(
        {.message = fmt::format("{} {} was not as declared after the rehearsal", change.kind, change.object),
         .where = change.where});
}

/// The plan's changes, as they are on the copy: what stands on tables that a migration makes is certain only
/// now, and there are none of the chunks that the plan of a hypertable names.
std::vector<Change> changes_on_copy(const SandboxDatabase& sandbox, const Planned& planned,
                                    const Original& original) {
  std::vector<Change> planned_here = planned.objects.changes;
  std::erase_if(planned_here, [](const Change& change) { return !is_of_database(change); });
  if (planned.migrations.empty() && !original.has_hypertables) return planned_here;
  std::vector<Change> changes = compare_copy(sandbox, planned);
  if (!planned.migrations.empty()) return changes;
  for (const Change& change : planned_here)
    if (std::none_of(changes.begin(), changes.end(), [&](const Change& one) {
          return one.kind == change.kind && one.object == change.object;
        }))
      throw NotRehearsed{
          fmt::format("{} {} is about chunks, of which the copy has none", change.kind, change.object)};
  return changes;
}

bool mentions(const std::vector<Change>& changes, const std::string& name) {
  return std::any_of(changes.begin(), changes.end(), [&](const Change& change) {
    return std::any_of(change.steps.begin(), change.steps.end(),
                       [&](const ChangeStep& step) { return step.sql.find(name) != std::string::npos; });
  });
}

void rehearse(SandboxDatabase& sandbox, Planned& planned, const Original& original, bool profile) {
  // The copy's server has no roles but those that the dump needs.
  for (const std::string& role : original.roles)
    if (mentions(planned.migrations, role)) sandbox.make_role(role);
  // A migration that makes one where it is missing may not.
  if (!sandbox.trusts()) sandbox.make_declared_roles();
  Trial trial(sandbox, planned);
  const size_t problems = planned.objects.problems.size();
  bool done = trial.run(planned.migrations);
  if (done && profile) {
    done = trial.run(changes_on_copy(sandbox, planned, original));
    if (done) note_rest(sandbox, planned);
  }
  planned.rehearsal->verdict = fmt::format("{} on a copy of the schema without rows, on PostgreSQL {}",
                                           !done ? fmt::format("statement {} failed", trial.statements())
                                           : planned.objects.problems.size() > problems
                                               ? "the database was not as declared afterwards"
                                               : count(trial.statements(), "statement") + " ran",
                                           open_session(sandbox.inside()).facts.version);
}

}  // namespace

Planned plan_and_rehearse(const Context& context, const SandboxPlanOptions& options) {
  Planned planned = plan(context, options.plan);
  planned.rehearsal.emplace();
  const auto& changes = planned.objects.changes;
  if (planned.migrations.empty() && std::none_of(changes.begin(), changes.end(), is_of_database)) {
    planned.rehearsal->verdict = "nothing to rehearse";
    return planned;
  }
  try {
    const Original original = read_again(context, [&] { return read_original(context); });
    SandboxDatabase sandbox(context, {.name = original.database,
                                      .pg_bin = options.pg_bin,
                                      .trust = options.trust,
                                      .extensions = original.extensions});
    const int major = connect_inside(sandbox)->server_version() / 10000;
    if (major != original.major)
      throw NotRehearsed{fmt::format("the sandbox is PostgreSQL {}, the database {}: --pg-bin names another",
                                     major, original.major)};
    copy_schema(sandbox, original);
    rehearse(sandbox, planned, original, options.plan.profile);
  } catch (const NotRehearsed& reason) {
    planned.rehearsal->verdict = "not rehearsed: " + reason.why;
    planned.objects.problems.push_back(
        {.message = "the plan was not rehearsed: " + reason.why, .where = {}, .hint = reason.hint});
  }
  return planned;
}

}  // namespace kdb::flow
