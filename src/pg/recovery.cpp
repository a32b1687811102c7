#include "pg/recovery.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/sql.hpp"
#include "base/text.hpp"

namespace kdb::pg {

namespace {

using sql::Recovery;

struct IndexRow {
  std::string oid;
  std::string name;  // quoted and qualified
  std::string bare_name;
  bool valid = false;
  bool concurrent_drop = true;  // a partitioned table's or hypertable's index has no concurrent form
};

std::vector<IndexRow> indexes(Connection& connection, const std::string& condition) {
  const Result result = connection.exec(fmt::format(
      R"(SELECT i.indexrelid::text, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relname, i.indisvalid,
                c.relkind = 'i' AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = i.indrelid)
         FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE {} ORDER BY i.indexrelid)",
      condition));
  std::vector<IndexRow> rows;
  for (size_t row = 0; row < result.rows.size(); ++row)
    rows.push_back({.oid = result.text(row, 0),
                    .name = result.text(row, 1),
                    .bare_name = result.text(row, 2),
                    .valid = result.boolean(row, 3),
                    .concurrent_drop = result.boolean(row, 4)});
  return rows;
}

std::string on_table(const Step& step) {
  return fmt::format("i.indrelid = pg_catalog.to_regclass({})", quote_literal(step.what.table));
}

/// Those that were not there when the statement started.
std::vector<IndexRow> new_ones(std::vector<IndexRow> rows, const std::string& note) {
  const std::vector<std::string_view> before = split(note, ',');
  std::erase_if(rows, [&](const IndexRow& row) {
    return std::find(before.begin(), before.end(), row.oid) != before.end();
  });
  return rows;
}

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

void drop(Connection& connection, const IndexRow& index, const EventSink& events) {
  events(
      {.kind = Event::Kind::info,
       .message = fmt::format("dropping the invalid index {} that the interrupted build left", index.name)});
  connection.exec(fmt::format("DROP INDEX {}{}", index.concurrent_drop ? "CONCURRENTLY " : "", index.name));
}

Verdict recover_create_index(Connection& connection, const Step& step, const JournalRow& journal,
                             const EventSink& events) {
  std::vector<IndexRow> ours = new_ones(indexes(connection, on_table(step)), journal.note);
  if (!step.what.object.empty()) {
    const std::string name = bare(step.what.object);
    std::erase_if(ours, [&](const IndexRow& row) { return row.bare_name != name; });
  }
  if (ours.empty()) return Verdict::run;
  if (ours.size() > 1) return Verdict::unknown;  // unnamed, and somebody else built one meanwhile
  if (ours.front().valid) return Verdict::done;
  drop(connection, ours.front(), events);
  return Verdict::run;
}

/// REINDEX CONCURRENTLY builds beside the old index and swaps; what is left of a broken one is called _ccnew
/// or _ccold.
Verdict recover_reindex(Connection& connection, const JournalRow& journal, const EventSink& events) {
  for (const IndexRow& row :
       new_ones(indexes(connection, R"(NOT i.indisvalid AND c.relname ~ '_cc(new|old)\d*$')"), journal.note))
    drop(connection, row, events);
  return Verdict::run;
}

/// The name between DETACH PARTITION and CONCURRENTLY, as written.
std::string detached_partition(const Step& step) {
  std::string_view previous;
  const sql::Token* first = nullptr;
  const std::vector<sql::Token> tokens = sql::scan(step.sql);
  for (const sql::Token& token : tokens) {
    if (token.kind == sql::Token::Kind::comment) continue;
    const std::string_view word = std::string_view(step.sql).substr(token.begin, token.end - token.begin);
    if (first != nullptr && equals_ignore_case(word, "concurrently"))
      return std::string(trim(std::string_view(step.sql).substr(first->begin, token.begin - first->begin)));
    if (first == nullptr && equals_ignore_case(previous, "partition")) first = &token;
    previous = word;
  }
  return {};
}

Verdict recover_detach(Connection& connection, const Step& step) {
  const std::string partition = detached_partition(step);
  const Result result = connection.exec(fmt::format(
      "SELECT inhdetachpending FROM pg_catalog.pg_inherits WHERE inhparent = pg_catalog.to_regclass({}) AND "
      "inhrelid = pg_catalog.to_regclass({})",
      quote_literal(step.what.object), quote_literal(partition)));
  if (result.empty()) return Verdict::done;
  if (!result.boolean(0, 0)) return Verdict::run;
  connection.exec(fmt::format("ALTER TABLE {} DETACH PARTITION {} FINALIZE", step.what.object, partition));
  return Verdict::done;
}

bool exists(Connection& connection, const std::string& condition) {
  return connection.exec("SELECT EXISTS (SELECT FROM " + condition + ")").boolean(0, 0);
}

/// A CALL or DO commits in its middle, so that even one that failed may have done a part.
bool commits_inside(const Step& step) { return step.what.command == "CALL" || step.what.command == "DO"; }

}  // namespace

std::string catalog_note(Connection& connection, const Step& step) {
  std::string condition;
  if (step.what.recovery == Recovery::create_index)
    condition = on_table(step);
  else if (step.what.command == "REINDEX")
    condition = "NOT i.indisvalid";
  else
    return {};
  std::string note;
  for (const IndexRow& row : indexes(connection, condition)) note += (note.empty() ? "" : ",") + row.oid;
  return note;
}

Verdict recover(Connection& connection, const Step& step, const JournalRow& journal,
                const EventSink& events) {
  if (step.rerunnable || journal.note == "again") return Verdict::run;
  const std::string name = quote_literal(bare(step.what.object));
  switch (step.what.recovery) {
    case Recovery::none:
      return Verdict::run;
    case Recovery::repeat:
      return step.what.command == "REINDEX" ? recover_reindex(connection, journal, events) : Verdict::run;
    case Recovery::create_index:
      return recover_create_index(connection, step, journal, events);
    case Recovery::drop_index:
      return exists(connection, fmt::format("pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass({})",
                                            quote_literal(step.what.object)))
                 ? Verdict::run
                 : Verdict::done;
    case Recovery::detach_partition:
      return recover_detach(connection, step);
    case Recovery::create_database:
      return exists(connection, "pg_catalog.pg_database WHERE datname = " + name) ? Verdict::done
                                                                                  : Verdict::run;
    case Recovery::drop_database:
      return exists(connection, "pg_catalog.pg_database WHERE datname = " + name) ? Verdict::run
                                                                                  : Verdict::done;
    case Recovery::unknown:
      return journal.state == "failed" && !commits_inside(step) ? Verdict::run : Verdict::unknown;
  }
  return Verdict::unknown;
}

std::string invalid_index_found(Connection& connection, const Step& step) {
  if (step.what.recovery != Recovery::create_index || step.what.object.empty()) return {};
  const std::string name = bare(step.what.object);
  for (const IndexRow& row : indexes(connection, on_table(step)))
    if (row.bare_name == name && !row.valid) return row.name;
  return {};
}

}  // namespace kdb::pg
