// What the history is asked; history.cpp is what is written into it.

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pg/history.hpp"

namespace kdb::pg {

namespace {

MigrationKind kind_of(std::string_view name) {
  if (name == "repeatable") return MigrationKind::repeatable;
  return name == "baseline" ? MigrationKind::baseline : MigrationKind::versioned;
}

void read_format(const Result& result, size_t row, std::string_view schema, History& history) {
  history.format = static_cast<int>(result.integer(row, 0));
  if (result.integer(row, 1) > history_format)
    throw Error(
        Exit::refused,
        fmt::format("the history in schema {} was written by a newer kdb (format {}, this one reads {})",
                    schema, history.format, history_format),
        "deploy with the newer kdb");
}

/// What is so for nearly every row is NULL in it: a thousand rows are sent and read before every deploy.
AppliedMigration read_applied(const Result& result, size_t row, bool with_times) {
  AppliedMigration applied;
  const std::string_view version = result.view(row, 0);
  std::string_view key = result.is_null(row, 1) ? version : result.view(row, 1);
  applied.name = result.view(row, 2);
  if (!result.is_null(row, 3)) applied.kind = kind_of(result.view(row, 3));
  if (!result.is_null(row, 4)) applied.state = AppliedMigration::State::partial;
  if (!result.is_null(row, 5)) applied.direction = Direction::down;
  applied.adopted = !result.is_null(row, 6) && applied.kind != MigrationKind::baseline;
  applied.checksum = result.view(row, 7);
  if (with_times) applied.applied_at = result.text(row, 8);
  if (applied.kind == MigrationKind::baseline) key.remove_prefix(2);
  if (applied.kind == MigrationKind::repeatable)
    applied.version.text = version;
  else
    applied.version = version_from_history(std::string(version), key);
  return applied;
}

}  // namespace

History HistoryStore::read(Connection& connection, bool with_times) const {
  // Two selects, not a join: on tables without statistics the estimate of a join is large enough for JIT,
  // which costs more than everything else here together. The order is the caller's business, who compares
  // versions as numbers.
  // Hardly a function: a backend that has just begun looks each of them up in the catalog.
  const Result result = connection.exec(fmt::format(
      R"(SELECT version::pg_catalog.text, min_reader::pg_catalog.text, NULL, NULL, NULL, NULL, NULL, NULL{1} FROM {0}format
         UNION ALL
         SELECT version, NULLIF(key, version), name, NULLIF(kind, 'versioned'), NULLIF(state, 'applied'),
                NULLIF(direction, 'up'), CASE WHEN up_text IS NULL THEN 'adopted' END, checksum{2}
         FROM {0}migrations)",
      prefix_, with_times ? ", NULL" : "",
      with_times ? ", pg_catalog.to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')" : ""));
  History history;
  if (result.empty()) return history;
  history.exists = true;
  history.migrations.reserve(result.size());
  for (size_t row = 0; row < result.size(); ++row) {
    if (result.is_null(row, 2))
      read_format(result, row, schema_, history);
    else
      history.migrations.push_back(read_applied(result, row, with_times));
  }
  return history;
}

bool HistoryStore::has_completed(Connection& connection, std::int64_t run, std::string_view key,
                                 Direction direction) const {
  const std::string row =
      fmt::format("EXISTS (SELECT FROM {}migrations WHERE key = {}{})", prefix_, quote_literal(key),
                  direction == Direction::up ? fmt::format(" AND state = 'applied' AND run = {}", run) : "");
  return connection.exec(fmt::format("SELECT {}{}", direction == Direction::up ? "" : "NOT ", row))
      .boolean(0, 0);
}

std::optional<StoredMigration> HistoryStore::stored(Connection& connection, std::string_view key) const {
  const Result result = connection.exec(
      fmt::format("SELECT up_text, up_options, down_text, down_options FROM {}migrations WHERE key = {}",
                  prefix_, quote_literal(key)));
  if (result.empty() || result.is_null(0, 0)) return std::nullopt;
  StoredMigration stored;
  stored.up_text = result.text(0, 0);
  stored.up_options = result.text(0, 1);
  if (!result.is_null(0, 2)) stored.down_text = result.text(0, 2);
  stored.down_options = result.text(0, 3);
  return stored;
}

std::vector<JournalRow> HistoryStore::journal(Connection& connection, std::string_view key) const {
  const Result result = connection.exec(fmt::format(
      R"(SELECT DISTINCT ON (s.ordinal) s.ordinal, s.sql, s.state, s.note,
                pg_catalog.to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
         FROM {0}migrations m JOIN {0}steps s
           ON s.subject = m.key AND s.direction = m.direction AND s.run >= m.first_run
         WHERE m.key = {1} AND m.state = 'partial'
         ORDER BY s.ordinal, s.id DESC)",
      prefix_, quote_literal(key)));
  std::vector<JournalRow> rows;
  for (size_t row = 0; row < result.size(); ++row)
    rows.push_back({.ordinal = static_cast<int>(result.integer(row, 0)),
                    .sql = result.is_null(row, 1) ? "" : result.text(row, 1),
                    .state = result.text(row, 2),
                    .outside = !result.is_null(row, 3),
                    .note = result.is_null(row, 3) ? "" : result.text(row, 3),
                    .started_at = result.text(row, 4)});
  return rows;
}

}  // namespace kdb::pg
