#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/sql_words.hpp"
#include "base/statement.hpp"

namespace kdb::sql {

namespace hazard {
struct Name {
  std::string_view id;
  bool blocks = false;  // needs an allowance where hazards are refused; the others are shown only
};
inline constexpr std::string_view deletes_data = "DELETES_DATA";
inline constexpr std::string_view irreversible = "IRREVERSIBLE";
inline constexpr std::string_view table_rewrite = "TABLE_REWRITE";
inline constexpr std::string_view index_dropped = "INDEX_DROPPED";
inline constexpr std::string_view access_exclusive = "ACQUIRES_ACCESS_EXCLUSIVE_LOCK";
inline constexpr std::string_view restart_required = "RESTART_REQUIRED";
inline constexpr std::string_view disk_space = "DISK_SPACE";
inline constexpr std::string_view share = "ACQUIRES_SHARE_LOCK";
inline constexpr std::string_view index_build = "INDEX_BUILD";
inline constexpr std::string_view long_running = "LONG_RUNNING";
inline constexpr std::string_view impacts_performance = "IMPACTS_PERFORMANCE";
inline constexpr std::string_view dependencies = "HAS_UNTRACKABLE_DEPENDENCIES";

/// Every hazard that there is.
inline constexpr std::array names{
    Name{deletes_data, true},
    Name{irreversible, true},
    Name{table_rewrite, true},
    Name{index_dropped, true},
    Name{access_exclusive, true},
    Name{restart_required, true},
    Name{disk_space, true},
    Name{share},
    Name{index_build},
    Name{long_running},
    Name{impacts_performance},
    Name{dependencies},
};

/// Whether hazards of this name block; an unknown one does.
inline bool blocks(std::string_view id) {
  const auto* name = std::find_if(names.begin(), names.end(), [&](const Name& one) { return one.id == id; });
  return name == names.end() || name->blocks;
}
}  // namespace hazard

/// Why a statement is `unseen`, behind what it does.
inline constexpr std::string_view unseen_code = "code that kdb cannot see into";

/// The hazards of one statement, as they are found.
class HazardList {
 public:
  /// On a relation of that name.
  void add(std::string_view id, std::string_view object, std::string reason) {
    add(id, object, std::move(reason), object);
  }

  /// On `object`, where it is `relation` that must be old; an empty one is: this always matters.
  void add(std::string_view id, std::string_view object, std::string reason, std::string_view relation) {
    add({.id = std::string(id),
         .object = std::string(object),
         .reason = std::move(reason),
         .relation = std::string(relation)});
  }

  /// Says each thing once.
  void add(StatementHazard hazard) {
    if (std::find(found_.begin(), found_.end(), hazard) == found_.end()) found_.push_back(std::move(hazard));
  }

  /// `cause` rewrites the whole of `object`, under a lock against everybody.
  void add_rewrite(std::string_view object, std::string_view cause) {
    const std::string_view table = object.empty() ? "every table" : object;
    add(hazard::table_rewrite, object, fmt::format("rewrites {}: {}", table, cause));
    add_lockout(object, "while it is rewritten");
  }

  /// Nobody can read or write `object` `meanwhile`.
  void add_lockout(std::string_view object, std::string_view meanwhile) {
    const std::string_view table = object.empty() ? "the table" : object;
    add(hazard::access_exclusive, object, fmt::format("nobody can read or write {} {}", table, meanwhile));
  }

  /// What runs is not in the statement.
  void add_unseen(std::string_view object, std::string_view what) {
    add({.id = std::string(hazard::dependencies),
         .object = std::string(object),
         .reason = fmt::format("{}: {}", what, unseen_code),
         .relation = {},
         .unseen = true});
  }

  std::vector<StatementHazard> take() { return std::move(found_); }

 private:
  std::vector<StatementHazard> found_;
};

/// Adds the hazards of the actions of `ALTER TABLE table`, which begin at words[actions].
void add_alter_table_hazards(const Words& words, std::string_view table, size_t actions, HazardList& found);

/// The same of the one action of an ALTER TABLE that is the words [first, last).
void add_action_hazards(const Words& words, std::string_view table, std::pair<size_t, size_t> action,
                        HazardList& found);

/// hazards() of a statement that stands inside of `depth` others.
std::vector<StatementHazard> hazards_inside(std::string_view statement, int depth);

/// Adds the hazards of a DO, read statement by statement as far as it can be read.
void add_do_hazards(const Words& words, int depth, HazardList& found);

/// Adds the hazards of the statement inside of EXPLAIN ANALYZE or PREPARE.
void add_wrapped_hazards(const Words& words, const Command& command, int depth, HazardList& found);

/// Adds the call of a function or procedure that kdb does not know, where it is all that a statement does.
void add_call_hazards(const Words& words, const Command& command, HazardList& found);

}  // namespace kdb::sql
