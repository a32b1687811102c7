#include "pg/session_sql.hpp"

#include <fmt/format.h>

namespace kdb::pg {

using std::chrono::milliseconds;

std::string session_sql(int server_version, milliseconds statement_timeout) {
  std::string sql = fmt::format(
      "SET statement_timeout TO {}; SET lock_timeout TO 0; SET idle_in_transaction_session_timeout TO 0; ",
      statement_timeout.count());
  if (server_version >= 140000) sql += "SET idle_session_timeout TO 0; ";
  if (server_version >= 170000) sql += "SET transaction_timeout TO 0; ";
  return sql;
}

std::string reset_session_sql(int server_version, milliseconds statement_timeout) {
  // DISCARD ALL without what would give up the lock, and without DISCARD PLANS, which nobody can see (PG
  // docs, DISCARD).
  return "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; RESET ROLE; DEALLOCATE ALL; CLOSE ALL; UNLISTEN *; "
         "DISCARD TEMP; DISCARD SEQUENCES; " +
         session_sql(server_version, statement_timeout);
}

std::string_view own_rights_sql() {
  return "SET LOCAL session_authorization TO DEFAULT; SET LOCAL role TO DEFAULT; "
         "SET LOCAL search_path TO pg_catalog, pg_temp; SET LOCAL client_min_messages TO error; ";
}

std::string in_own_transaction(const std::string& sql) {
  return fmt::format("BEGIN READ WRITE; {}SET LOCAL lock_timeout TO 0; {}COMMIT", own_rights_sql(), sql);
}

}  // namespace kdb::pg
