#include "pg/owned_database.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace kdb::pg {

namespace {

// Read function by function: what they grant to everybody looks at or changes tables of the database alone.
// Left out: dblink, postgres_fdw, file_fdw, adminpack and untrusted languages for what they are;
// postgis_raster, whose drivers open files and URLs; xml2 and pageinspect, which have C code for input that
// nobody checked.
constexpr std::string_view harmless_extensions[] = {
    "amcheck",    "autoinc",     "bloom",   "earthdistance",      "insert_username", "moddatetime",
    "pgrowlocks", "pgstattuple", "postgis", "pg_stat_statements", "timescaledb",     "vector"};

bool exists(Connection& connection, std::string_view catalog, std::string_view column,
            const std::string& name) {
  return connection
      .exec(fmt::format("SELECT EXISTS (SELECT FROM pg_catalog.{} WHERE {} = $1)", catalog, column), {name})
      .boolean(0, 0);
}

bool role_exists(Connection& connection, const std::string& name) {
  return exists(connection, "pg_roles", "rolname", name) || name.starts_with("pg_");
}

void make_role(Connection& connection, const std::string& name, std::string_view attributes) {
  if (role_exists(connection, name))
    throw Error(Exit::refused,
                fmt::format("role \"{}\" is there on every server, and what it may do is not lent", name),
                "name another [database] role; --trust replays as the superuser");
  connection.exec(
      fmt::format("CREATE ROLE {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS {}",
                  quote_ident(name), attributes));
}

/// Who may make an extension, with all that it needs.
enum class Maker { nobody, superuser, owner };

Maker maker_of(Connection& connection, const std::string& extension, int depth = 0) {
  constexpr int deepest = 8;  // of what needs each other
  const Result rows = connection.exec(
      "SELECT v.trusted OR NOT v.superuser, needed.name FROM pg_catalog.pg_available_extensions a "
      "JOIN pg_catalog.pg_available_extension_versions v ON v.name = a.name AND v.version = "
      "a.default_version "
      "LEFT JOIN LATERAL pg_catalog.unnest(v.requires) needed (name) ON true WHERE a.name = $1 ORDER BY 2",
      {extension});
  if (rows.empty() || depth == deepest) return Maker::nobody;
  Maker maker = rows.boolean(0, 0)                 ? Maker::owner
                : is_harmless_extension(extension) ? Maker::superuser
                                                   : Maker::nobody;
  for (size_t row = 0; row < rows.size(); ++row)
    if (!rows.is_null(row, 1)) maker = std::min(maker, maker_of(connection, rows.text(row, 1), depth + 1));
  return maker;
}

}  // namespace

bool is_harmless_extension(std::string_view name) {
  return std::find(std::begin(harmless_extensions), std::end(harmless_extensions), name) !=
         std::end(harmless_extensions);
}

void make_owned_database(Connection& superuser, const OwnedDatabase& database) {
  const bool trusted = database.login.empty();
  if (!database.role.empty() && !(trusted && exists(superuser, "pg_roles", "rolname", database.role)))
    make_role(superuser, database.role, "NOLOGIN");
  if (!trusted)
    make_role(superuser, database.login,
              database.role.empty() ? "LOGIN" : "LOGIN IN ROLE " + quote_ident(database.role));
  if (!exists(superuser, "pg_database", "datname", database.name))
    superuser.exec(fmt::format("CREATE DATABASE {}", quote_ident(database.name)));
  const std::string& owner = database.owner();
  if (!owner.empty())
    superuser.exec(
        fmt::format("ALTER DATABASE {} OWNER TO {}", quote_ident(database.name), quote_ident(owner)));
}

bool make_powerless_role(Connection& superuser, const OwnedDatabase& database, const std::string& name) {
  if (role_exists(superuser, name)) return false;
  make_role(superuser, name, "NOLOGIN");
  if (!database.owner().empty())
    superuser.exec(fmt::format("GRANT {} TO {}", quote_ident(name), quote_ident(database.owner())));
  return true;
}

std::vector<std::string> furnish(Connection& superuser, const OwnedDatabase& database,
                                 const std::vector<WantedExtension>& wanted) {
  const std::string& owner = database.owner();
  const std::string authorization = owner.empty() ? "" : " AUTHORIZATION " + quote_ident(owner);
  // Before PostgreSQL 15 it is the superuser's, and every role may create in it.
  if (!owner.empty()) superuser.exec(fmt::format("ALTER SCHEMA public OWNER TO {}", quote_ident(owner)));
  std::vector<std::string> made;
  for (const WantedExtension& extension : wanted) {
    const Maker maker = maker_of(superuser, extension.name);
    if (maker == Maker::nobody || (maker == Maker::owner && extension.in_migration)) continue;
    std::string sql;
    if (!extension.schema.empty())
      sql = fmt::format("CREATE SCHEMA IF NOT EXISTS {}{}; ", quote_ident(extension.schema), authorization);
    sql += "CREATE EXTENSION IF NOT EXISTS " + quote_ident(extension.name);
    if (!extension.schema.empty()) sql += " SCHEMA " + quote_ident(extension.schema);
    try {
      superuser.exec(sql + " CASCADE");
      made.push_back(extension.name);
      if (!extension.shared.empty() && !owner.empty())
        superuser.exec(fmt::format("GRANT CREATE ON SCHEMA {} TO {}", quote_ident(extension.shared),
                                   quote_ident(owner)));
    } catch (const ServerError& error) {
      if (error.session_ended) throw;
    }
  }
  return made;
}

}  // namespace kdb::pg
