#include "flow/sandbox_plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/sql_words.hpp"
#include "base/text.hpp"
#include "core/plan_report.hpp"
#include "core/steps.hpp"
#include "core/to_report.hpp"
#include "files/migrations.hpp"
#include "flow/migrate.hpp"
#include "host/sandbox.hpp"
#include "pg/connect.hpp"
#include "pg/owned_database.hpp"

namespace kdb::flow {

namespace {

/// The name at a word of a statement, as the catalog would have it.
std::string name_at(const sql::Words& words, size_t at) {
  const std::string written = words.name(at);
  try {
    return parse_name(written.starts_with('"') ? written : to_lower(written), "").name;
  } catch (const Error&) {
    return {};
  }
}

/// What the migrations and the profile count on, read from the files.
class Wanted {
 public:
  void add(const Step& step) {
    if (step.what.command == "CREATE SCHEMA") schemas_.insert(name_of(step));
    if (step.what.command != "CREATE EXTENSION") return;
    const sql::Words words(step.sql);
    const size_t at = words.skip(0, "CREATE EXTENSION IF NOT EXISTS");
    const std::string name = name_of(step);
    // Without IF NOT EXISTS it would fail for what is there.
    if (at == 0) return made_.push_back(name);
    const size_t schema = words.find("SCHEMA", at);
    add({.name = name,
         .schema = schema == sql::npos ? "" : name_at(words, schema + 1),
         .in_migration = true});
  }
  void add(pg::WantedExtension extension) {
    if (std::none_of(wanted_.begin(), wanted_.end(),
                     [&](const auto& one) { return one.name == extension.name; }))
      wanted_.push_back(std::move(extension));
  }
  std::vector<pg::WantedExtension> take() {
    std::erase_if(wanted_, [&](const auto& one) {
      return std::find(made_.begin(), made_.end(), one.name) != made_.end();
    });
    for (pg::WantedExtension& one : wanted_)
      if (schemas_.count(one.schema) > 0) one.schema.clear();  // which a migration is to make
    return std::move(wanted_);
  }

 private:
  static std::string name_of(const Step& step) {
    const sql::Words words(step.what.object);
    return name_at(words, 0);
  }

  std::vector<pg::WantedExtension> wanted_;
  std::vector<std::string> made_;
  std::set<std::string> schemas_;
};

/// Throws what is wrong with the folder, before there is a server.
std::vector<pg::WantedExtension> wanted_extensions(const files::Profile& profile, bool replay) {
  Wanted wanted;
  if (replay) {
    const MigrationFolder folder = files::list_migrations(profile.migrations.source);
    std::vector<Problem> ignored;  // `up` reports them
    for (const MigrationFile& file : folder.files) {
      const Migration migration = files::read_migration(profile.migrations.source, folder.layout, file);
      if (!migration.up) continue;
      for (const Step& step : plan_migration(migration, Direction::up, ignored).steps) wanted.add(step);
    }
  }
  for (const auto& declared : profile.desired.of<Extension>())
    if (!declared.absent) wanted.add({.name = declared.value.name.name, .schema = declared.value.schema});
  return wanted.take();
}

/// What a replay may not do has ways around it, of which the server knows nothing.
Error with_ways_out(const Error& error) {
  std::vector<Problem> problems = error.problems();
  for (Problem& problem : problems)
    if (problem.message.find("(42501)") != std::string::npos)
      problem.hint =
          problem.message.find("to create extension") != std::string::npos
              ? "CREATE EXTENSION IF NOT EXISTS lets kdb make harmless ones beforehand; --trust replays as "
                "superuser, for migrations that you trust"
              : "the replay has the rights of a database's owner, and no others; --trust replays as "
                "superuser, "
                "for migrations that you trust";
  return {error.exit(), std::move(problems)};
}

std::unique_ptr<pg::Connection> connect_as_superuser(const Context& context, const host::Sandbox& sandbox,
                                                     const std::string& database) {
  pg::ConnectSettings settings = context.connect;
  settings.url = sandbox.url_for("postgres", database);
  return pg::connect_with_retry(settings, context.watchdog, context.profile.connection.retry, context.events);
}

/// The role whose absence an error is about.
std::optional<std::string> missing_role(const Error& error) {
  constexpr std::string_view before = "role \"";
  constexpr std::string_view behind = "\" does not exist (42704)";
  const std::string_view message = error.what();
  const size_t end = message.rfind(behind);
  const size_t begin = message.find(before);
  if (begin == std::string_view::npos || end == std::string_view::npos || begin + before.size() > end)
    return std::nullopt;
  return std::string(message.substr(begin + before.size(), end - begin - before.size()));
}

/// How many migrations the history has.
size_t count_applied(const Context& context) {
  return open_session(context).read_history().migrations.size();
}

/// Runs all migrations. Roles belong to a server and not to a database: those that the migrations count on
/// are made as they are missed, with a warning. Adds them to `beforehand`.
void replay(const Context& context, const pg::OwnedDatabase& database,
            const std::function<std::unique_ptr<pg::Connection>()>& superuser,
            std::vector<std::string>& beforehand) {
  constexpr int most_roles = 100;  // a script can complain of as many as it likes
  for (int roles = 0;; ++roles) {
    try {
      up(context, {});
      return;
    } catch (const Error& error) {
      const std::optional<std::string> role = missing_role(error);
      if (role && roles < most_roles && make_powerless_role(*superuser(), database, *role)) {
        context.events(
            {.kind = Event::Kind::warning,
             .message = fmt::format("role \"{}\" is made for the replay, without any rights", *role)});
        beforehand.push_back("role " + *role);
        continue;
      }
      if (database.login.empty()) throw;
      throw with_ways_out(error);
    }
  }
}

}  // namespace

Planned plan_in_sandbox(const Context& context, const SandboxPlanOptions& options) {
  files::Profile profile = context.profile;
  profile.database.expect_system_identifier.clear();
  profile.migrations.refuse_hazards = false;  // nobody has anything to lose here
  const std::vector<pg::WantedExtension> wanted = wanted_extensions(profile, options.replay);
  // Migrations may call the database by its name (ALTER DATABASE shop SET …).
  const std::string& expected = profile.database.expect_name;
  const pg::OwnedDatabase database{.name = expected.empty() ? "kdb" : expected,
                                   .role = profile.database.role,
                                   .login = options.trust ? "" : "kdb_sandbox"};

  host::forget_libpq_variables();
  const host::Sandbox sandbox({.pg_bin = options.pg_bin});
  make_owned_database(*connect_as_superuser(context, sandbox, "postgres"), database);
  const std::vector<std::string> made =
      furnish(*connect_as_superuser(context, sandbox, database.name), database, wanted);
  // From here on the database may hold anything, a function of any name too: no superuser enters it again.
  Context inside{.profile = profile,
                 .connect = context.connect,
                 .watchdog = context.watchdog,
                 .events = context.events,
                 .random = context.random,
                 .command = context.command,
                 .who = context.who};
  inside.connect.url = sandbox.url_for(options.trust ? "postgres" : database.login, database.name);
  std::vector<std::string> beforehand;
  for (const std::string& extension : made) beforehand.push_back("extension " + extension);
  if (options.replay)
    // Not in this database, where that would run what the migrations have made.
    replay(
        inside, database, [&] { return connect_as_superuser(context, sandbox, "postgres"); }, beforehand);
  Planned planned = plan(inside, options.plan);
  planned.target = fmt::format("a sandbox of PostgreSQL {} with {} replayed", planned.server_version,
                               count(options.replay ? count_applied(inside) : 0, "migration"));
  planned.beforehand = std::move(beforehand);
  planned.origin.sandbox = true;
  // No two of them have the same, and none is worth knowing.
  planned.origin.system_identifier = "sandbox";
  return planned;
}

}  // namespace kdb::flow
