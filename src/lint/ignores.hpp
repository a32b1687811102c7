#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lint/input.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

/// A comment that keeps rules quiet: `-- kdb:ignore RULE[,RULE]: reason` before a statement or on a line of
/// it, `-- kdb:ignore-file RULE: reason` above the first one, and squawk's `-- squawk-ignore RULE -- reason`.
struct Ignore {
  /// A place counted in lines and columns.
  struct Place {
    int line = 0;
    int column = 0;
    auto operator<=>(const Place&) const = default;
  };
  Source where;                    // of the comment
  std::vector<std::string> rules;  // as written
  std::string reason;
  bool all = false;  // squawk's, when it names no rule
  bool file = false;
  bool foreign = false;  // squawk's
  Place begin = {};      // what it is about: from here
  Place end = {};        // to before here
  bool used = false;

  /// Whether it is about a finding of the file.
  bool covers(const Finding& finding) const;
};

/// All of a migration, in the order of its files.
std::vector<Ignore> read_ignores(const MigrationScripts& migration);

/// Takes out of `found` what is ignored, and adds what is wrong with the comments themselves. Returns how
/// many were taken out.
size_t apply_ignores(std::vector<Ignore> ignores, std::vector<Finding>& found);

}  // namespace kdb::lint
