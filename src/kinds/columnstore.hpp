#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kinds/policy.hpp"
#include "kinds/row.hpp"
#include "kinds/span.hpp"

namespace kdb {

/// One column of an order: `timestamp DESC`.
struct OrderColumn {
  std::string column;
  bool descending = false;
  bool nulls_first = false;

  bool operator==(const OrderColumn&) const = default;
};

/// Reads `timestamp`, `value DESC NULLS LAST`, `"My Column" ASC`. The name is as in the catalog: nothing is
/// folded. Nothing for other texts.
std::optional<OrderColumn> parse_order_column(std::string_view text);
/// As a profile writes it.
std::string to_text(const OrderColumn& order);

/// How chunks are kept by column, and after which time. What is not set is the server's choice.
struct Columnstore {
  std::optional<std::vector<std::string>> segment_by;
  std::optional<std::vector<OrderColumn>> order_by;
  Span chunk_interval;  // up to which chunks are merged when they are compressed
  Span compress_after;
  Span compress_created_before;
  Schedule schedule;

  bool operator==(const Columnstore&) const = default;
};

template <class Visitor, class... C>
requires all_are<Columnstore, C...>
void fields(Visitor&& visit, C&... columnstore) {
  visit("segment_by", columnstore.segment_by...);
  visit("order_by", columnstore.order_by...);
  visit("chunk_interval", columnstore.chunk_interval...);
  visit("compress_after", columnstore.compress_after...);
  visit("compress_created_before", columnstore.compress_created_before...);
  schedule_fields(visit, columnstore.schedule...);
}

/// Its columns in a catalog query, each followed by a comma, and the joins that they need, by expressions for
/// oid, name and schema of the hypertable.
std::string columnstore_columns_sql(const ServerFacts& facts);
std::string columnstore_join_sql(const ServerFacts& facts, std::string_view schema, std::string_view name,
                                 std::string_view oid);
/// Nothing where it is off.
std::optional<Columnstore> read_columnstore(const Row& row);

void check(const Columnstore& columnstore, const std::string& field, FieldProblems& problems);

/// `ALTER TABLE … SET (timescaledb.compress, …)`. What `wanted` leaves open is as `live` has it.
std::string set_columnstore_sql(std::string_view alter, const Columnstore& wanted, const Columnstore* live);

/// As the server keeps the order: with the time column at its end.
void complete_order(Columnstore& columnstore, const std::string& time_column);

}  // namespace kdb
