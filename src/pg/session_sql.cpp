#include "pg/session_sql.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace kdb::pg {

using std::chrono::milliseconds;

namespace {

/// The settings of a session of kdb's, by name and value.
std::vector<std::pair<std::string, std::string>> session_settings(int server_version,
                                                                  milliseconds statement_timeout) {
  std::vector<std::pair<std::string, std::string>> settings = {
      {"statement_timeout", fmt::format("{}", statement_timeout.count())},
      {"lock_timeout", "0"},
      {"idle_in_transaction_session_timeout", "0"}};
  if (server_version >= 140000) settings.emplace_back("idle_session_timeout", "0");
  if (server_version >= 170000) settings.emplace_back("transaction_timeout", "0");
  return settings;
}

}  // namespace

std::string session_sql(int server_version, milliseconds statement_timeout) {
  std::string sql;
  for (const auto& [name, value] : session_settings(server_version, statement_timeout))
    sql += fmt::format("SET {} TO {}; ", name, value);
  return sql;
}

std::string own_session_columns(int server_version, milliseconds statement_timeout, int announced_pid) {
  std::string columns;
  for (const auto& [name, value] : session_settings(server_version, statement_timeout))
    columns += fmt::format(
        ", CASE pg_catalog.pg_backend_pid() WHEN {} THEN pg_catalog.set_config('{}', '{}', false) END",
        announced_pid, name, value);
  return columns;
}

std::string reset_session_sql(int server_version, milliseconds statement_timeout) {
  // DISCARD ALL without what would give up the lock, and without DISCARD PLANS, which nobody can see (PG
  // docs, DISCARD). What takes time comes behind kdb's settings: a role's timeout would end it.
  std::string sql = "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; " +
                    session_sql(server_version, milliseconds(0)) +
                    "RESET ROLE; DEALLOCATE ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES; ";
  if (statement_timeout > milliseconds(0))
    sql += fmt::format("SET statement_timeout TO {}; ", statement_timeout.count());
  return sql;
}

std::string_view own_rights_sql() {
  return "SET LOCAL session_authorization TO DEFAULT; SET LOCAL role TO DEFAULT; "
         "SET LOCAL search_path TO pg_catalog, pg_temp; SET LOCAL client_min_messages TO error; ";
}

std::string in_own_transaction(const std::string& sql) {
  return fmt::format("BEGIN READ WRITE; {}SET LOCAL lock_timeout TO 0; {}COMMIT", own_rights_sql(), sql);
}

}  // namespace kdb::pg
