#pragma once

#include <map>
#include <optional>
#include <string>

#include "kinds/index.hpp"
#include "model/facts.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// HypoPG as a database has it.
struct HypoPg {
  std::string schema;
  std::string version;  // "1.3.1"
  bool usable = true;   // the session's role may look into its schema
};

/// Nothing where the extension is not installed in the database of the session.
std::optional<HypoPg> find_hypopg(Connection& connection);

/// Indexes that only plans know: HypoPG's, of one backend alone, gone with this object. Nothing is written,
/// nothing is locked, and a server that only reads has them too. Runs with ANALYZE do not use them.
class HypotheticalIndexes {
 public:
  HypotheticalIndexes(Connection& connection, HypoPg hypopg, const ServerFacts& facts);
  ~HypotheticalIndexes();
  HypotheticalIndexes(const HypotheticalIndexes&) = delete;
  HypotheticalIndexes& operator=(const HypotheticalIndexes&) = delete;

  /// Adds one, of a hypertable and of a table that others inherit from on each of its parts: those of the
  /// root say nothing of them. Returns why it is not to be had, and then has none of it: HypoPG knows btree,
  /// hash, brin and bloom, and no view. Throws ServerError only where the session ends.
  std::optional<std::string> add(const Index& index);

  /// The names that plans have them by to those of the declared indexes. No two of a backend have the same,
  /// and a part may be in another schema than its index.
  const std::map<std::string, ObjectName>& names() const { return names_; }

 private:
  std::optional<std::string> refusal_of(const Index& index);
  void forget_half_made();

  Connection& connection_;
  HypoPg hypopg_;
  const ServerFacts& facts_;
  std::map<std::string, ObjectName> names_;
};

}  // namespace kdb::pg
