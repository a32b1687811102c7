#pragma once

#include <string>
#include <vector>

#include "kinds/declared.hpp"
#include "model/facts.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// What the server is, and whether the database has TimescaleDB.
ServerFacts read_facts(Connection& connection, std::string schema, std::string history_schema);

/// The search_path under which definitions are printed and declared fragments are read: built-in names and
/// those of the profile's schema need no schema in front.
std::string definition_path_sql(const ServerFacts& facts);

/// All objects of all kinds, in one transaction that sees one state of the catalog. One query for each kind.
LiveSchema read_catalog(Connection& connection, const ServerFacts& facts);

/// Objects that no kind reads: `3 hypertables`.
struct Unmanaged {
  std::string what;  // in the singular
  size_t number = 0;
};

/// What the database has of those, in a fixed order; none with number 0.
std::vector<Unmanaged> read_unmanaged(Connection& connection, const ServerFacts& facts);

/// A row of a result with its columns by name.
class ResultRow : public Row {
 public:
  ResultRow(const Result& result, size_t row) : result_(result), row_(row) {}
  std::optional<std::string_view> value(std::string_view column) const override;

 private:
  const Result& result_;
  size_t row_;
};

}  // namespace kdb::pg
