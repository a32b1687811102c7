#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "model/facts.hpp"

namespace kdb {

/// Whether all of T are of one kind, const or not.
template <class Kind, class... T>
constexpr bool all_are = (std::is_same_v<std::remove_const_t<T>, Kind> && ...);

/// Storage parameters and the like, by name: fillfactor = 70. In the order in which they were given, which
/// the server keeps and prints, and which makes no difference.
class Options {
 public:
  using Option = std::pair<std::string, std::string>;

  Options() = default;
  Options(std::initializer_list<Option> options) : options_(options) {}

  /// The value of `name`, added at the end where there is none.
  std::string& operator[](std::string_view name);
  /// Null where there is none.
  const std::string* find(std::string_view name) const;
  bool empty() const { return options_.empty(); }
  auto begin() const { return options_.begin(); }
  auto end() const { return options_.end(); }

  bool operator==(const Options& other) const;

 private:
  std::vector<Option> options_;
};

/// A piece of SQL: an expression, a key column with its opclass and order, a condition. As the server prints
/// it, or as somebody wrote it until the server was asked.
struct Fragment {
  std::string sql;

  bool operator==(const Fragment&) const = default;
};

/// A row of a catalog query, its columns by name. pg fills it; kinds know no driver.
class Row {
 public:
  virtual ~Row() = default;
  /// NULL is nothing; a column that the query does not have throws std::out_of_range.
  virtual std::optional<std::string_view> value(std::string_view column) const = 0;

  /// NULL is "".
  std::string text(std::string_view column) const { return std::string(value(column).value_or("")); }
  bool boolean(std::string_view column) const { return value(column) == "t"; }
  /// NULL is 0.
  std::int64_t integer(std::string_view column) const;
  /// A text[] of PostgreSQL; NULL is empty, a NULL element "".
  std::vector<std::string> list(std::string_view column) const;
  /// A text[] of `name=value`, as reloptions are.
  Options options(std::string_view column) const;
  /// The same from two arrays of the same length: names, and their values.
  Options options(std::string_view names, std::string_view values) const;
};

/// A condition ` AND …` that leaves out TimescaleDB's chunks, in whatever schema they are; empty without it.
std::string is_no_chunk_sql(const ServerFacts& facts, std::string_view schema, std::string_view table);

/// The elements of an array as PostgreSQL prints it: {a,"b c",NULL}. One dimension.
std::vector<std::string> read_array(std::string_view printed);

}  // namespace kdb
