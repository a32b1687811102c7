#include "kinds/columnstore.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {

constexpr int settings_in_arrays = 21400;
constexpr int has_sparse_indexes = 22200;

/// A name in quotes at the front of `text`, or a word without any.
std::optional<std::string> take_name(std::string_view& text) {
  if (!text.starts_with('"')) {
    const size_t end = std::min(text.find_first_of(" \t"), text.size());
    std::string name(text.substr(0, end));
    text.remove_prefix(end);
    if (name.empty() || name.find_first_of("\"',()") != std::string::npos) return std::nullopt;
    return name;
  }
  std::string name;
  for (size_t at = 1; at < text.size(); ++at) {
    if (text[at] != '"') {
      name += text[at];
    } else if (text.substr(at + 1).starts_with('"')) {
      name += text[at++];
    } else {
      text.remove_prefix(at + 1);
      return name.empty() ? std::nullopt : std::optional(name);
    }
  }
  return std::nullopt;
}

/// Whether a name can stand in an order without quotes.
bool is_plain(std::string_view name) { return name.find_first_of(" \t\"',()") == std::string_view::npos; }

std::string order_sql(const std::vector<OrderColumn>& order) {
  std::string sql;
  for (const OrderColumn& one : order)
    sql += fmt::format("{}{}{} NULLS {}", sql.empty() ? "" : ", ", quote_ident(one.column),
                       one.descending ? " DESC" : "", one.nulls_first ? "FIRST" : "LAST");
  return sql;
}

std::string names_sql(const std::vector<std::string>& names) {
  std::string sql;
  for (const std::string& name : names) sql += (sql.empty() ? "" : ", ") + quote_ident(name);
  return sql;
}

}  // namespace

std::optional<OrderColumn> parse_order_column(std::string_view text) {
  text = trim(text);
  const auto name = take_name(text);
  if (!name) return std::nullopt;
  OrderColumn order{.column = *name};
  std::vector<std::string> words;
  const std::string lower = to_lower(text);
  for (const std::string_view word : split(lower, ' '))
    if (!trim(word).empty()) words.emplace_back(trim(word));
  size_t at = 0;
  if (at < words.size() && (words[at] == "asc" || words[at] == "desc"))
    order.descending = words[at++] == "desc";
  order.nulls_first = order.descending;
  if (at + 1 < words.size() && words[at] == "nulls" &&
      (words[at + 1] == "first" || words[at + 1] == "last")) {
    order.nulls_first = words[at + 1] == "first";
    at += 2;
  }
  return at == words.size() ? std::optional(order) : std::nullopt;
}

std::string to_text(const OrderColumn& order) {
  std::string text = is_plain(order.column) ? order.column : quote_ident(order.column);
  if (order.descending) text += " DESC";
  if (order.nulls_first != order.descending) text += order.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  return text;
}

std::string columnstore_columns_sql(const ServerFacts& facts) {
  const bool sparse = facts.timescale && facts.timescale->number >= has_sparse_indexes;
  return fmt::format(R"(
       cs.segmentby AS segment_by, cs.orderby AS order_by, cs.orderby_desc AS order_desc,
       cs.orderby_nullsfirst AS order_nulls_first, {} AS sparse_indexes,)",
                     sparse ? "cs.index @> '[{\"source\": \"config\"}]'" : "false");
}

std::string columnstore_join_sql(const ServerFacts& facts, std::string_view schema, std::string_view name,
                                 std::string_view oid) {
  if (facts.timescale && facts.timescale->number >= settings_in_arrays)
    return fmt::format("\nLEFT JOIN _timescaledb_catalog.compression_settings cs ON cs.relid = {}", oid);
  return fmt::format(R"(
LEFT JOIN (
  SELECT hypertable_schema, hypertable_name,
         coalesce(pg_catalog.array_agg(attname::text ORDER BY segmentby_column_index)
                    FILTER (WHERE segmentby_column_index IS NOT NULL), '{{}}') AS segmentby,
         pg_catalog.array_agg(attname::text ORDER BY orderby_column_index)
           FILTER (WHERE orderby_column_index IS NOT NULL) AS orderby,
         pg_catalog.array_agg(NOT orderby_asc ORDER BY orderby_column_index)
           FILTER (WHERE orderby_column_index IS NOT NULL) AS orderby_desc,
         pg_catalog.array_agg(orderby_nullsfirst ORDER BY orderby_column_index)
           FILTER (WHERE orderby_column_index IS NOT NULL) AS orderby_nullsfirst
  FROM timescaledb_information.compression_settings
  GROUP BY hypertable_schema, hypertable_name) cs
  ON cs.hypertable_schema = {} AND cs.hypertable_name = {})",
                     schema, name);
}

std::optional<Columnstore> read_columnstore(const Row& row) {
  if (!row.boolean("columnstore")) return std::nullopt;
  Columnstore columnstore;
  if (row.value("segment_by")) columnstore.segment_by = row.list("segment_by");
  if (row.value("order_by")) {
    const std::vector<std::string> columns = row.list("order_by");
    const std::vector<std::string> descending = row.list("order_desc");
    const std::vector<std::string> nulls_first = row.list("order_nulls_first");
    auto& order = columnstore.order_by.emplace();
    for (size_t i = 0; i < std::min({columns.size(), descending.size(), nulls_first.size()}); ++i)
      order.push_back(
          {.column = columns[i], .descending = descending[i] == "t", .nulls_first = nulls_first[i] == "t"});
  }
  if (row.value("compress_interval"))
    columnstore.chunk_interval = read_span(row.text("compress_interval"), row.boolean("integer_time"));
  columnstore.compress_after = read_span(row, "compression", "compress_after");
  columnstore.compress_created_before = read_span(row, "compression", "compress_created_before");
  columnstore.schedule = read_schedule(row, "compression");
  return columnstore;
}

void check(const Columnstore& columnstore, const std::string& field, FieldProblems& problems) {
  const auto problem = [&](std::string_view key, std::string message) {
    problems.emplace_back(fmt::format("{}.{}", field, key), std::move(message));
  };
  if (columnstore.order_by && columnstore.order_by->empty())
    problem("order_by", "is empty: leave it out, and the server chooses");
  if (columnstore.segment_by && columnstore.order_by)
    for (const OrderColumn& one : *columnstore.order_by)
      if (std::count(columnstore.segment_by->begin(), columnstore.segment_by->end(), one.column) > 0)
        problem("order_by", fmt::format("has a column that segment_by has too: {}", one.column));
  check_span(columnstore.chunk_interval, field + ".chunk_interval", problems);
  check_span(columnstore.compress_after, field + ".compress_after", problems);
  check_span(columnstore.compress_created_before, field + ".compress_created_before", problems);
  if (!columnstore.compress_after.empty() && !columnstore.compress_created_before.empty())
    problem("compress_created_before", "cannot be beside compress_after");
  const bool policy = !columnstore.compress_after.empty() || !columnstore.compress_created_before.empty();
  if (!policy && columnstore.schedule != Schedule{})
    problem("compress_after", "is missing: a schedule is of a policy");
  check_schedule(columnstore.schedule, field, problems);
}

std::string set_columnstore_sql(std::string_view alter, const Columnstore& wanted, const Columnstore* live) {
  const auto segment_by = wanted.segment_by || live == nullptr ? wanted.segment_by : live->segment_by;
  const auto order_by = wanted.order_by || live == nullptr ? wanted.order_by : live->order_by;
  std::string options = "timescaledb.compress";
  if (segment_by)
    options += fmt::format(", timescaledb.compress_segmentby = {}", quote_literal(names_sql(*segment_by)));
  if (order_by)
    options += fmt::format(", timescaledb.compress_orderby = {}", quote_literal(order_sql(*order_by)));
  if (!wanted.chunk_interval.empty())
    options += fmt::format(", timescaledb.compress_chunk_time_interval = {}",
                           quote_literal(wanted.chunk_interval.text));
  return fmt::format("{} SET ({})", alter, options);
}

void complete_order(Columnstore& columnstore, const std::string& time_column) {
  if (!columnstore.order_by) return;
  const bool ordered = std::any_of(columnstore.order_by->begin(), columnstore.order_by->end(),
                                   [&](const OrderColumn& one) { return one.column == time_column; });
  const bool segmented = columnstore.segment_by && std::count(columnstore.segment_by->begin(),
                                                              columnstore.segment_by->end(), time_column) > 0;
  if (!ordered && !segmented)
    columnstore.order_by->push_back({.column = time_column, .descending = true, .nulls_first = true});
}

}  // namespace kdb
