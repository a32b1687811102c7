#include "pg/failure.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::pg {

namespace {

/// Version tables of other runners: migrations written for those sometimes touch them.
constexpr std::string_view foreign_tables[] = {"__diesel_schema_migrations",
                                               "_prisma_migrations",
                                               "_sqlx_migrations",
                                               "alembic_version",
                                               "databasechangelog",
                                               "django_migrations",
                                               "flyway_schema_history",
                                               "goose_db_version",
                                               "knex_migrations",
                                               "schema_migrations"};

}  // namespace

bool needs_own_transaction(const ServerError& error) {
  return error.sqlstate == "25001" || error.sqlstate == "2D000" || error.sqlstate == "55P04";
}

Source place(const Step& step, const ServerError& error) {
  Source where = step.where;
  // What fails at the end was sent by kdb: its position is none of the file's.
  if (error.line <= 0 || error.phase == Phase::committing || !step.block.empty()) return where;
  where.column =
      error.line > 1 || where.column == 0 ? error.column : where.column + std::max(error.column, 1) - 1;
  where.line += error.line - 1;
  return where;
}

std::string_view missing_foreign_table(const ServerError& error) {
  if (error.sqlstate != "42P01") return {};
  for (const std::string_view table : foreign_tables)
    if (error.message.find(table) != std::string::npos) return table;
  return {};
}

std::string describe(const ServerError& error) {
  return error.sqlstate.empty() ? error.message : fmt::format("{} ({})", error.message, error.sqlstate);
}

std::string details_of(const ServerError& error, const std::string& blockers) {
  std::string details;
  const auto add = [&](std::string_view label, std::string_view text) {
    if (!text.empty()) details += fmt::format("{}{}: {}", details.empty() ? "" : "\n", label, text);
  };
  add("detail", error.detail);
  add("server's hint", error.hint);
  for (const std::string_view line : split(blockers, '\n')) add("blocked by", line);
  return details;
}

}  // namespace kdb::pg
