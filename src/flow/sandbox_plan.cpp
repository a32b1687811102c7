#include "flow/sandbox_plan.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/sql_words.hpp"
#include "base/text.hpp"
#include "core/plan_report.hpp"
#include "core/steps.hpp"
#include "core/to_report.hpp"
#include "files/migrations.hpp"
#include "flow/migrate.hpp"
#include "flow/sandbox_database.hpp"

namespace kdb::flow {

namespace {

/// What the migrations and the profile count on, read from the files.
class WantedExtensions {
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
         .schema = schema == sql::npos ? "" : sql::folded(words.text(schema + 1)),
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
  static std::string name_of(const Step& step) { return sql::folded(step.what.object); }

  std::vector<pg::WantedExtension> wanted_;
  std::vector<std::string> made_;
  std::set<std::string> schemas_;
};

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

/// How many migrations the history has.
size_t count_applied(const Context& context) {
  return open_session(context).read_history().migrations.size();
}

}  // namespace

std::vector<pg::WantedExtension> wanted_extensions(const files::Profile& profile, bool replay) {
  WantedExtensions wanted;
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

void replay(SandboxDatabase& sandbox, const Context& inside) {
  try {
    sandbox.with_roles([&] { up(inside, {}); });
  } catch (const Error& error) {
    if (sandbox.trusts()) throw;
    throw with_ways_out(error);
  }
}

Planned plan_in_sandbox(const Context& context, const SandboxPlanOptions& options) {
  // Migrations may call the database by its name (ALTER DATABASE shop SET …).
  const std::string& expected = context.profile.database.expect_name;
  SandboxDatabase sandbox(context, {.name = expected.empty() ? "kdb" : expected,
                                    .pg_bin = options.pg_bin,
                                    .trust = options.trust,
                                    .extensions = wanted_extensions(context.profile, options.replay)});
  // The owner may make none: a migration that makes one where it is missing finds it. A superuser's may.
  if (!options.trust) sandbox.make_declared_roles();
  if (options.replay) replay(sandbox, sandbox.inside());
  if (options.trust) sandbox.make_declared_roles();
  files::Profile profile = sandbox.inside().profile;
  const auto databases = std::exchange(profile.desired.of<DatabaseSettings>(), {});
  Planned planned = plan(sandbox.inside().with(profile), options.plan);
  for (const auto& database : databases)
    planned.objects.skipped.push_back(
        {.message = fmt::format("database {}: a sandbox has none of a server's databases: not looked at",
                                to_text(database.value.name, "")),
         .where = database.where});
  planned.target = fmt::format("a sandbox of PostgreSQL {} with {} replayed", planned.server_version,
                               count(options.replay ? count_applied(sandbox.inside()) : 0, "migration"));
  for (const std::string& extension : sandbox.extensions())
    planned.beforehand.push_back("extension " + extension);
  for (const std::string& role : sandbox.roles()) planned.beforehand.push_back("role " + role);
  planned.origin.sandbox = true;
  // No two of them have the same, and none is worth knowing.
  planned.origin.system_identifier = "sandbox";
  return planned;
}

}  // namespace kdb::flow
