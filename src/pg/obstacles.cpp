#include "pg/obstacles.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::pg {

namespace {

/// The modes that conflict with `mode`, as pg_locks names them (PG docs, table 13.2).
std::string_view conflicts_of(LockMode mode) {
  switch (mode) {
    case LockMode::none:
      return "";
    case LockMode::access_share:
      return "AccessExclusiveLock";
    case LockMode::row_share:
      return "ExclusiveLock,AccessExclusiveLock";
    case LockMode::row_exclusive:
      return "ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock";
    case LockMode::share_update_exclusive:
      return "ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock";
    case LockMode::share:
      return "RowExclusiveLock,ShareUpdateExclusiveLock,ShareRowExclusiveLock,ExclusiveLock,"
             "AccessExclusiveLock";
    case LockMode::share_row_exclusive:
      return "RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,ExclusiveLock,"
             "AccessExclusiveLock";
    case LockMode::exclusive:
      return "RowShareLock,RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,"
             "ExclusiveLock,AccessExclusiveLock";
    case LockMode::access_exclusive:
      return "AccessShareLock,RowShareLock,RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,"
             "ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock";
  }
  return "";
}

// The locks of a prepared transaction have no pid; its own number is one of them. A VACUUM's snapshot is one
// that builds do not wait for.
constexpr std::string_view in_the_way_sql = R"(
WITH RECURSIVE wanted AS (
  SELECT c.oid, w.label, w.conflicts
  FROM (VALUES {0}) AS w (schema, name, label, conflicts)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  UNION
  SELECT i.inhrelid, w.label, w.conflicts
  FROM wanted w JOIN pg_catalog.pg_inherits i ON i.inhparent = w.oid
), held AS (
  SELECT l.pid, l.virtualtransaction, pg_catalog.string_agg(DISTINCT w.label, ', ') AS tables
  FROM pg_catalog.pg_locks l
  JOIN wanted w ON w.oid = l.relation AND l.mode = ANY (pg_catalog.string_to_array(w.conflicts, ','))
  WHERE l.granted AND l.database = (SELECT oid FROM pg_catalog.pg_database
                                    WHERE datname = pg_catalog.current_database())
  GROUP BY l.pid, l.virtualtransaction
)
SELECT a.pid::pg_catalog.text AS id, false AS prepared,
       a.query LIKE 'autovacuum:%(to prevent wraparound)' AS wraparound,
       pg_catalog.concat_ws(', ', coalesce(nullif(a.application_name, ''), a.backend_type), a.usename, a.state) AS who,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::double precision AS age,
       nullif(pg_catalog."left"(pg_catalog.regexp_replace(a.query, '\s+', ' ', 'g'), 100),
              '<insufficient privilege>') AS query, h.tables
FROM pg_catalog.pg_stat_activity a LEFT JOIN held h ON h.pid = a.pid
WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
  AND (a.backend_type IS DISTINCT FROM 'autovacuum worker' OR a.query LIKE 'autovacuum:%(to prevent wraparound)')
  AND (h.tables IS NOT NULL OR ({1} AND a.backend_xmin IS NOT NULL AND a.query !~* '^\s*vacuum'
                                AND a.backend_type NOT IN ('walsender', 'autovacuum worker')))
  AND coalesce(a.xact_start < pg_catalog.clock_timestamp() - interval '{2} milliseconds', h.tables IS NOT NULL)
UNION ALL
SELECT p.gid, true, false, p.owner, extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::double precision,
       NULL, h.tables
FROM pg_catalog.pg_prepared_xacts p
JOIN pg_catalog.pg_locks x ON x.locktype = 'transactionid' AND x.transactionid = p.transaction AND x.granted
JOIN held h ON h.pid IS NULL AND h.virtualtransaction = x.virtualtransaction
WHERE p.database = pg_catalog.current_database()
ORDER BY prepared, age DESC NULLS LAST, id)";

Event described(const Result& rows, size_t row) {
  const std::string id = rows.text(row, 0);
  const std::string age =
      rows.is_null(row, 4) ? "an unknown time" : human_duration(std::stod(rows.text(row, 4)));
  const bool holds = !rows.is_null(row, 6);
  const std::string waits =
      holds ? fmt::format("holds a lock on {}, whose changes may have to wait for it", rows.text(row, 6))
            : "is one that building an index concurrently waits for";
  Event event{.kind = Event::Kind::warning, .message = {}};
  if (rows.boolean(row, 1)) {
    event.message = fmt::format("prepared transaction {} of {}, open for {}, {}", quote_literal(id),
                                rows.text(row, 3), age, waits);
  } else if (rows.boolean(row, 2)) {
    event.message = fmt::format("pid {}, an autovacuum against wraparound for {}, {}: it does not give way",
                                id, age, waits);
  } else {
    event.message =
        fmt::format("pid {} ({}), its transaction open for {}, {}", id, rows.text(row, 3), age, waits);
    if (!rows.is_null(row, 5)) event.message += ": " + rows.text(row, 5);
  }
  return event;
}

}  // namespace

std::vector<Event> read_obstacles(Connection& connection, const std::set<Intent>& intents, bool builds,
                                  std::chrono::milliseconds patience, std::string_view default_schema) {
  if (intents.empty()) return {};
  std::string values;
  for (const Intent& intent : intents)
    values +=
        fmt::format("{}({}, {}, {}, {})", values.empty() ? "" : ", ", quote_literal(intent.table.schema),
                    quote_literal(intent.table.name), quote_literal(to_text(intent.table, default_schema)),
                    quote_literal(conflicts_of(intent.mode)));
  const Result rows = connection.exec(fmt::format(in_the_way_sql, values, builds, patience.count()));
  std::vector<Event> events;
  for (size_t row = 0; row < rows.size(); ++row) events.push_back(described(rows, row));
  return events;
}

}  // namespace kdb::pg
