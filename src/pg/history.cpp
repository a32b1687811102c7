#include "pg/history.hpp"

#include <fmt/format.h>

#include "base/checksum.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "pg/tidy.hpp"

namespace kdb::pg {

namespace {

constexpr std::string_view lock_lost_message = "kdb no longer holds its lock";
constexpr std::string_view unrecorded_message = "kdb''s history was not written";

/// Format 1. Every later format is one more row here; a row is never changed. A CHECK on `migrations` would
/// be read and planned for every migration that is applied: a tenth of the record's cost.
constexpr std::string_view upgrade_steps[] = {
    R"(
CREATE TABLE {s}.format (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  version integer NOT NULL,
  min_reader integer NOT NULL
);
CREATE TABLE {s}.runs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  command text NOT NULL,
  who text NOT NULL,
  db_user text NOT NULL DEFAULT session_user,
  backend_pid integer NOT NULL DEFAULT pg_catalog.pg_backend_pid(),
  kdb_version text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  finished_at timestamptz,
  outcome text NOT NULL DEFAULT 'running',
  message text
);
CREATE TABLE {s}.migrations (
  key text PRIMARY KEY,
  version text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  state text NOT NULL,
  direction text NOT NULL DEFAULT 'up',
  checksum text NOT NULL DEFAULT '',
  up_text text,
  up_options text NOT NULL DEFAULT '',
  down_text text,
  down_options text NOT NULL DEFAULT '',
  run bigint NOT NULL,
  first_run bigint NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  duration_ms bigint
);
-- Compressing a text of some kilobytes takes longer than to apply a small migration; lz4 would not, but a dump
-- that names it cannot be restored on a server without it.
ALTER TABLE {s}.migrations ALTER COLUMN up_text SET STORAGE EXTERNAL, ALTER COLUMN down_text SET STORAGE EXTERNAL;
CREATE TABLE {s}.steps (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run bigint NOT NULL,
  subject text NOT NULL,
  direction text NOT NULL,
  ordinal integer NOT NULL,
  sql text,
  state text NOT NULL CHECK (state IN ('started', 'done', 'failed', 'unknown')),
  note text,
  xid xid8,
  sqlstate text,
  error text,
  started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  finished_at timestamptz
);
CREATE INDEX steps_subject_run_idx ON {s}.steps (subject, run);
CREATE TABLE {s}.events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  run bigint NOT NULL,
  kind text NOT NULL,
  subject text NOT NULL,
  message text NOT NULL
);
)"};

std::string_view direction_name(Direction direction) { return direction == Direction::up ? "up" : "down"; }

/// NULL for an absent text; a NUL byte cannot occur, such files are refused when they are read.
std::string literal_or_null(const std::optional<Section>& section) {
  return section ? quote_literal(trim(section->text)) : "NULL";
}

std::string options_text(const std::optional<Section>& section) {
  return section ? to_string(section->options) : "";
}

std::int64_t derive_lock_key(std::string_view schema) {
  const std::string digest = sha256_hex(fmt::format("kdb history {}.migrations", quote_ident(schema)));
  return static_cast<std::int64_t>(std::stoull(digest.substr(0, 16), nullptr, 16));
}

}  // namespace

std::string key_of(const MigrationPlan& plan) {
  if (plan.object) return plan.object->name;
  const MigrationFile& file = plan.migration.file;
  return history_key(file.kind, file.version, file.name);
}

HistoryStore::HistoryStore(std::string schema)
    : schema_(std::move(schema)), prefix_(quote_ident(schema_) + "."), lock_key_(derive_lock_key(schema_)) {}

void HistoryStore::upgrade(Connection& connection, int from_format) const {
  // IF NOT EXISTS needs the right to create schemas even where there is one, made for us by somebody who may.
  const bool has_schema = connection
                              .exec(fmt::format("SELECT pg_catalog.to_regnamespace({}) IS NOT NULL",
                                                quote_literal(quote_ident(schema_))))
                              .boolean(0, 0);
  if (!has_schema) connection.exec("CREATE SCHEMA IF NOT EXISTS " + quote_ident(schema_));
  for (int format = from_format; format < history_format; ++format) {
    const std::string ddl =
        fmt::format(fmt::runtime(upgrade_steps[format]), fmt::arg("s", quote_ident(schema_)));
    connection.exec(
        fmt::format("BEGIN; SET LOCAL client_min_messages TO warning; {0} "
                    "INSERT INTO {1}format (version, min_reader) VALUES ({2}, {3}) ON CONFLICT (only_row) DO "
                    "UPDATE SET version = EXCLUDED.version, "
                    "min_reader = EXCLUDED.min_reader; COMMIT",
                    ddl, prefix_, format + 1, history_min_reader));
  }
}

std::int64_t HistoryStore::begin_run(Connection& connection, std::string_view command,
                                     std::string_view who) const {
  // Runs begin under the deployers' lock: one that is still open there has lost its process or its server.
  return connection
      .exec(fmt::format(
          R"(WITH lost AS (UPDATE {0}runs SET outcome = 'lost', finished_at = pg_catalog.clock_timestamp()
                                          WHERE outcome = 'running')
                           INSERT INTO {0}runs (command, who, kdb_version) VALUES ({1}, {2}, {3}) RETURNING id)",
          prefix_, quote_literal(command), quote_literal(who), quote_literal(KDB_VERSION)))
      .integer(0, 0);
}

void HistoryStore::finish_run(Connection& connection, std::int64_t run, std::string_view outcome,
                              std::string_view message) const {
  tidy(connection, fmt::format("UPDATE {}runs SET finished_at = pg_catalog.clock_timestamp(), outcome = {}, "
                               "message = {} WHERE id = {}",
                               prefix_, quote_literal(outcome), quote_literal(message), run));
}

std::string HistoryStore::guard_sql() const { return guard_sql("false"); }

std::string HistoryStore::guard_sql(const std::string& is_unrecorded) const {
  // The lock is held twice: giving one back succeeds only if it is held, and taking it again cannot fail
  // then. A look into pg_locks says the same and costs ten times as much. The failing casts are no constants
  // that the planner would evaluate: format() is stable.
  return fmt::format(
      R"(SELECT CASE WHEN {2} THEN CAST(pg_catalog.format('{3}') AS boolean)
                               WHEN pg_catalog.pg_advisory_unlock({0}) THEN pg_catalog.pg_try_advisory_lock({0})
                               ELSE CAST(pg_catalog.format('{1}') AS boolean) END; )",
      lock_key_, lock_lost_message, is_unrecorded, unrecorded_message);
}

std::string HistoryStore::complete_sql(std::int64_t run, const MigrationPlan& plan,
                                       std::chrono::milliseconds took) const {
  if (plan.object)
    return event_sql(run, plan.object->done, plan.object->name,
                     fmt::format("{} in {} ms", plan.object->name, took.count())) +
           guard_sql();
  const MigrationFile& file = plan.migration.file;
  const std::string key = quote_literal(key_of(plan));
  const bool up = plan.direction == Direction::up;
  // To plan ON CONFLICT takes the server as long as the rest of a small migration's record. Where there can
  // be no row yet, one that is there all the same is an error, and rolls the migration back.
  const bool first_time = up && plan.one_transaction && file.kind != MigrationKind::repeatable;
  constexpr std::string_view on_conflict =
      R"( ON CONFLICT (key) DO UPDATE SET version = EXCLUDED.version, name = EXCLUDED.name, state = 'applied',
             direction = 'up', checksum = EXCLUDED.checksum, up_text = EXCLUDED.up_text,
             up_options = EXCLUDED.up_options, down_text = EXCLUDED.down_text, down_options = EXCLUDED.down_options,
             run = EXCLUDED.run, applied_at = pg_catalog.clock_timestamp(), duration_ms = EXCLUDED.duration_ms)";
  std::string migration;
  if (up) {
    migration = fmt::format(
        R"(INSERT INTO {0}migrations (key, version, name, kind, state, direction, checksum, up_text, up_options,
                                      down_text, down_options, run, first_run, duration_ms)
           VALUES ({1}, {2}, {3}, '{4}', 'applied', 'up', '{5}', {6}, {7}, {8}, {9}, {10}, {10}, {11}){12})",
        prefix_, key, quote_literal(file.version.text), quote_literal(file.name), to_string(file.kind),
        file.checksum, literal_or_null(plan.migration.up), quote_literal(options_text(plan.migration.up)),
        literal_or_null(plan.migration.down), quote_literal(options_text(plan.migration.down)), run,
        took.count(), first_time ? "" : on_conflict);
  } else {
    migration = fmt::format("DELETE FROM {}migrations WHERE key = {}", prefix_, key);
  }
  // The look, because triggers and rules on kdb's own tables may do anything with what was inserted. What
  // INSERT returns and the session's counters of changed rows say is no proof: a trigger on another table, or
  // a migration before this one, may have moved these.
  return migration + "; " +
         event_sql(run, up ? "applied" : "undone", key_of(plan),
                   fmt::format("{} {} in {} ms", file.version.text, file.name, took.count())) +
         guard_sql(fmt::format("{} EXISTS (SELECT FROM {}migrations WHERE key = {} AND state = 'applied')",
                               up ? "NOT" : "", prefix_, key));
}

std::string HistoryStore::partial_sql(std::int64_t run, const MigrationPlan& plan) const {
  if (plan.object) return {};  // the catalog says what is left of it
  const MigrationFile& file = plan.migration.file;
  const std::string key = quote_literal(key_of(plan));
  if (plan.direction == Direction::down)
    return fmt::format(
        "UPDATE {}migrations SET state = 'partial', direction = 'down', first_run = {} WHERE key = {} AND "
        "NOT "
        "(state = 'partial' AND direction = 'down'); ",
        prefix_, run, key);
  return fmt::format(
      "INSERT INTO {0}migrations (key, version, name, kind, state, direction, checksum, run, first_run) "
      "VALUES ({1}, "
      "{2}, {3}, '{4}', 'partial', 'up', '{5}', {6}, {6}) ON CONFLICT (key) DO UPDATE SET state = 'partial', "
      "direction = 'up', first_run = EXCLUDED.first_run WHERE migrations.state <> 'partial'; ",
      prefix_, key, quote_literal(file.version.text), quote_literal(file.name), to_string(file.kind),
      file.checksum, run);
}

std::string HistoryStore::step_started_sql(std::int64_t run, const MigrationPlan& plan, const Step& step,
                                           std::string_view note) const {
  return fmt::format(
      "INSERT INTO {}steps (run, subject, direction, ordinal, sql, state, note) VALUES ({}, {}, '{}', {}, "
      "{}, "
      "'started', {}); ",
      prefix_, run, quote_literal(key_of(plan)), direction_name(plan.direction), step.ordinal,
      quote_literal(step.sql), quote_literal(note));
}

std::string HistoryStore::step_finished_sql(std::int64_t run, const MigrationPlan& plan, const Step& step,
                                            std::string_view state, std::string_view sqlstate,
                                            std::string_view error) const {
  const bool started = !step.in_transaction;
  if (started)
    return fmt::format(
        "UPDATE {0}steps SET state = '{1}', sqlstate = {2}, error = {3}, finished_at = "
        "pg_catalog.clock_timestamp() "
        "WHERE id = (SELECT max(id) FROM {0}steps WHERE subject = {4} AND direction = '{5}' AND ordinal = "
        "{6}); ",
        prefix_, state, quote_literal(sqlstate), quote_literal(error), quote_literal(key_of(plan)),
        direction_name(plan.direction), step.ordinal);
  return fmt::format(
      "INSERT INTO {}steps (run, subject, direction, ordinal, sql, state, xid, sqlstate, error, finished_at) "
      "VALUES "
      "({}, {}, '{}', {}, {}, '{}', pg_catalog.pg_current_xact_id(), {}, {}, pg_catalog.clock_timestamp()); ",
      prefix_, run, quote_literal(key_of(plan)), direction_name(plan.direction), step.ordinal,
      quote_literal(step.sql), state, quote_literal(sqlstate), quote_literal(error));
}

std::string HistoryStore::accept_sql(std::int64_t run, const MigrationPlan& plan) const {
  const MigrationFile& file = plan.migration.file;
  return fmt::format(
      "UPDATE {}migrations SET version = {}, name = {}, checksum = '{}', up_text = {}, up_options = {}, "
      "down_text = {}, "
      "down_options = {}, run = {} WHERE key = {}; ",
      prefix_, quote_literal(file.version.text), quote_literal(file.name), file.checksum,
      literal_or_null(plan.migration.up), quote_literal(options_text(plan.migration.up)),
      literal_or_null(plan.migration.down), quote_literal(options_text(plan.migration.down)), run,
      quote_literal(key_of(plan)));
}

std::string HistoryStore::decide_step_sql(std::string_view key, int ordinal, bool done) const {
  return fmt::format(
      "UPDATE {0}steps SET state = '{1}', note = {2}, finished_at = pg_catalog.clock_timestamp() WHERE id = "
      "(SELECT max(id) FROM {0}steps WHERE subject = {3} AND ordinal = {4}); ",
      prefix_, done ? "done" : "failed", done ? "note" : "'again'", quote_literal(key), ordinal);
}

std::string HistoryStore::forget_sql(std::string_view key) const {
  return fmt::format("DELETE FROM {}migrations WHERE key = {}; ", prefix_, quote_literal(key));
}

std::string HistoryStore::baseline_sql(std::int64_t run, const Version& version) const {
  return fmt::format(
      "INSERT INTO {0}migrations (key, version, name, kind, state, run, first_run) VALUES ({1}, {2}, "
      "'baseline', "
      "'baseline', 'applied', {3}, {3}); ",
      prefix_, quote_literal("B:" + version.key_text()), quote_literal(version.text), run);
}

std::string HistoryStore::event_sql(std::int64_t run, std::string_view kind, std::string_view subject,
                                    std::string_view message) const {
  return fmt::format("INSERT INTO {}events (run, kind, subject, message) VALUES ({}, {}, {}, {}); ", prefix_,
                     run, quote_literal(kind), quote_literal(subject), quote_literal(message));
}

bool is_lock_lost(const ServerError& error) {
  return error.sqlstate == "22P02" && error.message.find(lock_lost_message) != std::string::npos;
}

bool is_unrecorded(const ServerError& error) {
  return error.sqlstate == "22P02" &&
         error.message.find("kdb's history was not written") != std::string::npos;
}

}  // namespace kdb::pg
