#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "kinds/declared.hpp"
#include "model/facts.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// The identifier of the server's data (PG docs, pg_control_system); empty where this role may not ask.
std::string read_system_identifier(Connection& connection);

/// What the server is, and whether the database has TimescaleDB.
ServerFacts read_facts(Connection& connection, std::string schema, std::string history_schema);

/// The TimescaleDB that `CREATE EXTENSION` would make of it as declared; nothing where the server would
/// refuse. Its licence is what the server's settings say of it, or its description; else it is assumed.
std::optional<TimescaleFacts> read_coming_timescale(Connection& connection, const Extension& declared);

/// The settings under which definitions are printed and declared fragments are read, whatever the role and
/// the database set: built-in names and those of the profile's schema need no schema in front.
std::string definition_settings_sql(const ServerFacts& facts);

/// All objects of all kinds, in one transaction that sees one state of the catalog. One query for each kind.
/// The server locks a table to print its expressions: Error(lock) where that is not had within
/// `lock_timeout`.
LiveSchema read_catalog(Connection& connection, const ServerFacts& facts,
                        std::chrono::milliseconds lock_timeout);

/// Objects that no kind reads: `hypertables: 3`.
struct Unmanaged {
  std::string what;  // in the plural
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
  mutable size_t next_ = 0;  // where the next column is looked for first: mostly they are read in their order
};

}  // namespace kdb::pg
