#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/statement.hpp"

namespace kdb::sql {

/// The tables, indexes and sequences that a run of statements makes itself: nobody reads them yet, and they
/// hold nothing. To forget one is always safe, so whatever may give a name another meaning makes it
/// forgotten.
class NewRelations {
 public:
  NewRelations() = default;

  /// `existing` are those relations, of whatever schema, that the database has, of all that the statements
  /// name. What is in none of its schemas holds nothing either, whoever makes it.
  explicit NewRelations(std::optional<std::set<std::string>> existing) : existing_(std::move(existing)) {}

  /// The hazards of the next statement, which is `what`, without those on what is new. The statement counts
  /// as done then.
  std::vector<StatementHazard> hazards_of(std::string_view statement, const Classified& what);

  /// The next statement, which is `what`, counts as done; for those who do not ask for its hazards.
  void run(std::string_view statement, const Classified& what);

  /// Whether what the hazard is about is new, so that it does not matter.
  bool is_new(const StatementHazard& hazard) const;

  /// Whether a relation, as written, is new, or was made unless it was there (IF NOT EXISTS): enough to know
  /// where only somebody's time is at stake.
  bool is_most_likely_new(std::string_view relation) const;

  /// The transaction ends: ON COMMIT DROP and SET LOCAL take effect.
  void end_transaction();

 private:
  struct Name {
    std::string schema;  // empty where none is written
    std::string name;
    auto operator<=>(const Name&) const = default;
  };
  enum class Kind {
    maybe,  // IF NOT EXISTS
    made,
    temporary,
  };

  static Name parse(std::string_view written);
  bool is_absent(std::string_view written) const;
  bool is_made(std::string_view written) const;
  void read(std::string_view statement, const Classified& what);
  void read_create(std::string_view statement, const Classified& what);
  void read_drop(std::string_view statement, const Classified& what);
  void read_alter(std::string_view statement, const Classified& what);
  void forget(std::string_view written);
  void may_exist(std::string_view written);
  void doubt();
  void forget_unqualified();

  std::map<Name, Kind> made_;
  bool has_temporary_ = false;                     // since the last end of a transaction
  std::optional<std::set<std::string>> existing_;  // and names that what exists may have come to
  bool doubtful_ = false;                          // what exists may have come to other names, unseen
  bool path_changed_ = false;                      // an unqualified name may be in another schema than before
};

/// The last part of a name, as the server stores it.
std::string relation_name(std::string_view written);

}  // namespace kdb::sql
