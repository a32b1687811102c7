#include "pg/recovery.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/sql.hpp"
#include "base/sql_words.hpp"
#include "base/text.hpp"

namespace kdb::pg {

namespace {

using sql::Recovery;

/// A statement that was begun, and what its recovery needs.
struct Begun {
  Connection& connection;
  const Step& step;
  const JournalRow& journal;
  std::chrono::milliseconds lock_timeout{0};
  const EventSink& events;
};

struct IndexRow {
  std::string name;  // quoted and qualified
  bool valid = false;
  bool being_built = false;
  bool concurrent_drop = true;  // a partitioned table's or hypertable's index has no concurrent form
};

bool is_reindex(const Step& step) { return step.what.command == "REINDEX"; }

/// The last part of a name as the catalog has it: `"My Idx"` is My Idx, `public.Foo` is foo.
std::string bare(std::string_view name) {
  std::string part;
  bool quoted = false;
  bool was_quoted = false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '"') {
      if (quoted && i + 1 < name.size() && name[i + 1] == '"')
        part += name[++i];
      else
        quoted = !quoted;
      was_quoted = true;
    } else if (c == '.' && !quoted) {
      part.clear();
      was_quoted = false;
    } else {
      part += c;
    }
  }
  return was_quoted ? part : to_lower(trim(part));
}

/// As a value of type name, which cuts it where the server does.
std::string bare_literal(std::string_view name) { return quote_literal(bare(name)) + "::pg_catalog.name"; }

std::string regclass(std::string_view name) {
  return fmt::format("pg_catalog.to_regclass({})", quote_literal(name));
}

/// The indexes that CREATE INDEX may have made. Without a name of its own: neither a constraint's nor those
/// that somebody's REINDEX CONCURRENTLY is building.
std::string made_by_create_index(const Step& step) {
  const std::string on_table = "i.indrelid = " + regclass(step.what.table);
  if (!step.what.object.empty())
    return fmt::format("{} AND c.relname = {}", on_table, bare_literal(step.what.object));
  return on_table +
         " AND c.relname !~ '_cc(new|old)[0-9]*$' AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k "
         "WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))";
}

/// REINDEX CONCURRENTLY builds beside the old index and swaps; what is left of a broken one is called _ccnew
/// or _ccold, in the scope of the statement and on the TOAST tables there.
std::string left_by_reindex(const Step& step) {
  const std::string broken = "NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'";
  const sql::Words words(step.sql);
  const size_t kind = words.skip_parentheses(1);
  if (words.is(kind, "database") || words.is(kind, "system")) return broken;
  if (words.is(kind, "schema"))
    return fmt::format("{} AND s.nspname = {}", broken, bare_literal(step.what.object));
  return fmt::format(
      R"({0} AND t.oid IN (SELECT COALESCE(x.indrelid, m.relid)
           FROM (SELECT {1}::pg_catalog.oid AS relid UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree({1})) m
           LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = m.relid))",
      broken, regclass(step.what.object));
}

/// Selects from indexes; t is the table, that of a TOAST table where the index is on one.
std::string from_indexes(const Step& step) {
  return fmt::format(
      R"(FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_class h ON h.reltoastrelid = i.indrelid
         JOIN pg_catalog.pg_class t ON t.oid = COALESCE(h.oid, i.indrelid)
         JOIN pg_catalog.pg_namespace s ON s.oid = t.relnamespace
         WHERE {})",
      is_reindex(step) ? left_by_reindex(step) : made_by_create_index(step));
}

/// Those that were not there when the statement started, by oid and by name: somebody's REINDEX CONCURRENTLY
/// gives an index another oid. A build holds its lock to its end: CREATE INDEX that on the table, where
/// VACUUM has it too, REINDEX also that on the index.
std::vector<IndexRow> look_at_new_indexes(const Begun& begun) {
  const Result result = begun.connection.exec(fmt::format(
      R"(SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), i.indisvalid,
                EXISTS (SELECT FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_progress_create_index b ON b.pid = l.pid
                        WHERE l.relation = {1} AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
                          AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                            WHERE d.datname = pg_catalog.current_database())),
                c.relkind = 'i' AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits p WHERE p.inhparent = i.indrelid)
         {0} AND NOT {2}::pg_catalog.text[] && ARRAY[c.oid::pg_catalog.text,
                                                     pg_catalog.format('%I.%I', n.nspname, c.relname)]
         ORDER BY c.oid)",
      from_indexes(begun.step), is_reindex(begun.step) ? "c.oid" : "i.indrelid",
      quote_literal(begun.journal.note)));
  std::vector<IndexRow> rows;
  for (size_t row = 0; row < result.size(); ++row)
    rows.push_back({.name = result.text(row, 0),
                    .valid = result.boolean(row, 1),
                    .being_built = result.boolean(row, 2),
                    .concurrent_drop = result.boolean(row, 3)});
  return rows;
}

/// The end of a build may fall between what one query sees of an index and of its lock: what is idle has been
/// looked at again.
std::vector<IndexRow> new_indexes(const Begun& begun) {
  const std::vector<IndexRow> before = look_at_new_indexes(begun);
  std::vector<IndexRow> rows = look_at_new_indexes(begun);
  for (IndexRow& row : rows)
    row.being_built |= std::none_of(before.begin(), before.end(), [&](const IndexRow& seen) {
      return seen.name == row.name && !seen.being_built;
    });
  return rows;
}

void drop(const Begun& begun, const IndexRow& index) {
  begun.events(
      {.kind = Event::Kind::info,
       .message = fmt::format("dropping the invalid index {} that the broken build left", index.name)});
  // Without CONCURRENTLY it waits for ACCESS EXCLUSIVE, and readers wait behind it.
  begun.connection.exec(index.concurrent_drop ? "DROP INDEX CONCURRENTLY " + index.name
                                              : fmt::format("SET LOCAL lock_timeout TO {}; DROP INDEX {}",
                                                            begun.lock_timeout.count(), index.name));
}

Verdict recover_create_index(const Begun& begun) {
  std::vector<IndexRow> ours = new_indexes(begun);
  const auto built_by_another = [&] {
    return ours.size() == 1 && !ours.front().valid && ours.front().being_built;
  };
  if (built_by_another())
    begun.events({.kind = Event::Kind::info,
                  .message = fmt::format("waiting for another session that builds {}", ours.front().name)});
  for (; built_by_another(); ours = new_indexes(begun))
    begun.connection.exec("SELECT pg_catalog.pg_sleep(0.1)");
  if (ours.empty()) return Verdict::run;
  if (ours.size() > 1) return Verdict::unknown;  // unnamed, and somebody else built one meanwhile
  if (ours.front().valid) return Verdict::done;
  drop(begun, ours.front());
  return Verdict::run;
}

Verdict recover_reindex(const Begun& begun) {
  for (const IndexRow& row : new_indexes(begun))
    if (!row.being_built) drop(begun, row);
  return Verdict::run;
}

/// By what was there when the statement started, and what has its name now.
Verdict recover_drop(const Begun& begun, const std::string& oid_now) {
  const Result result = begun.connection.exec(
      fmt::format("SELECT ({})::pg_catalog.text, note[1] FROM (SELECT {}::pg_catalog.text[] AS note) AS j",
                  oid_now, quote_literal(begun.journal.note)));
  const bool was_there = !result.is_null(0, 1);
  if (result.is_null(0, 0)) return was_there ? Verdict::done : Verdict::run;
  // Another one of that name: somebody made it, or rebuilt ours with REINDEX CONCURRENTLY.
  return was_there && result.text(0, 0) == result.text(0, 1) ? Verdict::run : Verdict::unknown;
}

Verdict recover_detach(const Begun& begun) {
  const Step& step = begun.step;
  const sql::Words words(step.sql);
  const std::string partition = words.name(words.find("detach partition", 3) + 2);
  const Result result = begun.connection.exec(fmt::format(
      "SELECT inhdetachpending FROM pg_catalog.pg_inherits WHERE inhparent = {} AND inhrelid = {}",
      regclass(step.what.object), regclass(partition)));
  if (result.empty()) return begun.journal.state == "failed" ? Verdict::run : Verdict::done;
  if (!result.boolean(0, 0)) return Verdict::run;
  begun.connection.exec(
      fmt::format("ALTER TABLE {} DETACH PARTITION {} FINALIZE", step.what.object, partition));
  return Verdict::done;
}

std::string database_oid(const Step& step) {
  return "SELECT oid FROM pg_catalog.pg_database WHERE datname = " + bare_literal(step.what.object);
}

Verdict recover_create_database(const Begun& begun) {
  const Result made =
      begun.connection.exec(fmt::format("{} AND oid::pg_catalog.text <> ALL ({}::pg_catalog.text[])",
                                        database_oid(begun.step), quote_literal(begun.journal.note)));
  return made.empty() ? Verdict::run : Verdict::done;
}

/// A statement that nobody heard of again.
Verdict recover_started(const Begun& begun) {
  switch (begun.step.what.recovery) {
    case Recovery::repeat:
      return is_reindex(begun.step) ? recover_reindex(begun) : Verdict::run;
    case Recovery::create_index:
      return recover_create_index(begun);
    case Recovery::drop_index:
      return recover_drop(begun, fmt::format("pg_catalog.to_regclass(COALESCE(note[2], {}))::pg_catalog.oid",
                                             quote_literal(begun.step.what.object)));
    case Recovery::detach_partition:
      return recover_detach(begun);
    case Recovery::create_database:
      return recover_create_database(begun);
    case Recovery::drop_database:
      return recover_drop(begun, database_oid(begun.step));
    case Recovery::none:  // the server refused it in a transaction
    case Recovery::unknown:
      return Verdict::unknown;
  }
  return Verdict::unknown;
}

/// The server refused it: what it left is in the way, and nothing of it is done. A CALL or DO commits in its
/// middle, so that even one that failed may have done a part.
Verdict recover_failed(const Begun& begun) {
  const sql::Classified& what = begun.step.what;
  if (what.command == "CALL" || what.command == "DO")
    return what.recovery == Recovery::repeat ? Verdict::run : Verdict::unknown;
  if (what.recovery == Recovery::detach_partition) return recover_detach(begun);
  if (what.recovery == Recovery::create_index) recover_create_index(begun);
  if (is_reindex(begun.step)) recover_reindex(begun);
  return Verdict::run;
}

}  // namespace

std::string catalog_note(Connection& connection, const Step& step) {
  std::string there;
  if (step.what.recovery == Recovery::create_index || is_reindex(step))
    there = "SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) " + from_indexes(step);
  else if (step.what.recovery == Recovery::drop_index)
    there =
        "SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN "
        "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = " +
        regclass(step.what.object);
  else if (step.what.recovery == Recovery::create_database || step.what.recovery == Recovery::drop_database)
    there = "SELECT d.oid, '' FROM (" + database_oid(step) + ") AS d";
  else
    return "{}";
  return connection
      .exec(fmt::format("SELECT COALESCE(pg_catalog.array_agg(oid::pg_catalog.text) || "
                        "pg_catalog.array_agg(name::pg_catalog.text), '{{}}') FROM ({}) AS there (oid, name)",
                        there))
      .text(0, 0);
}

Verdict recover(Connection& connection, const Step& step, const JournalRow& journal,
                std::chrono::milliseconds lock_timeout, const EventSink& events) {
  if (!journal.outside || journal.note == "again") return Verdict::run;
  const Begun begun{connection, step, journal, lock_timeout, events};
  Verdict verdict = Verdict::run;
  if (journal.state != "failed") {
    verdict = recover_started(begun);
  } else if (sql::equal_tokens(journal.sql, step.sql)) {
    verdict = recover_failed(begun);
  } else {  // mended since: what the old one left is in the way, and the new one has not run
    Step old;
    old.sql = journal.sql;
    old.what = sql::classify(old.sql);
    if (old.what.recovery != Recovery::detach_partition)
      verdict = recover_failed({connection, old, journal, lock_timeout, events});
  }
  return verdict == Verdict::unknown && step.rerunnable ? Verdict::run : verdict;
}

std::string invalid_index_found(Connection& connection, const Step& step) {
  if (step.what.recovery != Recovery::create_index || step.what.object.empty()) return {};
  const Result result = connection.exec("SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) " +
                                        from_indexes(step) + " AND NOT i.indisvalid");
  return result.empty() ? "" : result.text(0, 0);
}

}  // namespace kdb::pg
