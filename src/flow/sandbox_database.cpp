#include "flow/sandbox_database.hpp"

#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/connect.hpp"

namespace kdb::flow {

namespace {

files::Profile without_expectations(files::Profile profile) {
  profile.database.expect_name.clear();
  profile.database.expect_system_identifier.clear();
  profile.migrations.refuse_hazards = false;  // nobody has anything to lose here
  return profile;
}

/// What a host::Sandbox is made from; clears the way to it first.
host::SandboxOptions sandbox_of(const SandboxDatabaseOptions& options) {
  host::forget_libpq_variables();
  return {.pg_bin = options.pg_bin, .settings = options.settings};
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

}  // namespace

SandboxDatabase::SandboxDatabase(const Context& outside, const SandboxDatabaseOptions& options)
    : outside_(outside),
      profile_(without_expectations(outside.profile)),
      database_{
          .name = options.name, .role = profile_.database.role, .login = options.trust ? "" : "kdb_sandbox"},
      sandbox_(sandbox_of(options)),
      inside_(outside.with(profile_)) {
  make_owned_database(*connect_as_superuser("postgres"), database_);
  extensions_ = furnish(*connect_as_superuser(database_.name), database_, options.extensions);
  // From here on the database may hold anything, a function of any name too: no superuser enters it again.
  inside_.connect.url = sandbox_.url_for(options.trust ? "postgres" : database_.login, database_.name);
}

std::unique_ptr<pg::Connection> SandboxDatabase::connect_as_superuser(const std::string& database) const {
  pg::ConnectSettings settings = outside_.connect;
  settings.url = sandbox_.url_for("postgres", database);
  return pg::connect_with_retry(settings, outside_.watchdog, profile_.connection.retry, outside_.events);
}

void SandboxDatabase::with_roles(const std::function<void()>& work) {
  constexpr size_t most_roles = 100;  // a script can complain of as many as it likes
  for (;;) {
    try {
      return work();
    } catch (const Error& error) {
      const std::optional<std::string> role = missing_role(error);
      const size_t before = roles_.size();
      if (role && before < most_roles) make_role(*role);
      if (roles_.size() == before) throw;
    }
  }
}

void SandboxDatabase::make_declared_roles() {
  for (const auto& role : profile_.desired.of<Role>())
    if (!role.absent) make_role(role.value.name.name);
}

void SandboxDatabase::checkpoint() const { connect_as_superuser("postgres")->exec("CHECKPOINT"); }

std::optional<std::int64_t> SandboxDatabase::full_page_bytes(const std::vector<WalRange>& ranges) const {
  try {
    const auto server = connect_as_superuser("postgres");
    server->exec("CREATE EXTENSION IF NOT EXISTS pg_walinspect SCHEMA pg_catalog");
    // It reads what is on the disk, and what no COMMIT was waiting for may not be: this one waits.
    server->exec("SELECT pg_catalog.pg_logical_emit_message(true, 'kdb', '')");
    std::int64_t bytes = 0;
    for (const WalRange& range : ranges)
      bytes += server
                   ->exec(
                       "SELECT COALESCE(pg_catalog.sum(s.fpi_size), 0)::bigint FROM "
                       "pg_catalog.pg_get_wal_stats('0/0'::pg_lsn + $1::numeric, '0/0'::pg_lsn + "
                       "$2::numeric) AS s",
                       {std::to_string(range.from), std::to_string(range.to)})
                   .integer(0, 0);
    return bytes;
  } catch (const pg::ServerError&) {
    return std::nullopt;
  }
}

void SandboxDatabase::make_role(const std::string& name) {
  // Not in this database, where that would run what is in it.
  if (!make_powerless_role(*connect_as_superuser("postgres"), database_, name)) return;
  roles_.push_back(name);
  outside_.events({.kind = Event::Kind::warning,
                   .message = fmt::format("role \"{}\" is made for the sandbox, without any rights",
                                          printable_line(name))});
}

}  // namespace kdb::flow
