#pragma once

#include <optional>
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
  bool shared = false;           // of a profile that others extend: what it is about may be gone there
  std::string_view mark = "--";  // with which a comment begins

  /// What it stands before: of SQL a statement, of a profile a table.
  std::string_view unit() const { return mark == "--" ? "statement" : "table or key"; }

  /// Whether it is about a finding of the file.
  bool covers(const Finding& finding) const;
};

/// What the text of a comment says, if it is of this kind; nothing of its place.
std::optional<Ignore> read_ignore(std::string_view comment);

/// All of a migration, in the order of its files.
std::vector<Ignore> read_ignores(const MigrationScripts& migration);

/// All of a profile: `# kdb:ignore RULE: reason` before a `[table]`, for all of it, before a key, for that,
/// or behind code, for its line; `# kdb:ignore-file` above all of them.
std::vector<Ignore> read_ignores(const SourceText& profile);

/// Takes out of `found` what is ignored, and adds what is wrong with the comments themselves; of one that is
/// about rules which need a server, and were not checked, only if `all_checked`. Returns how many were taken
/// out.
size_t apply_ignores(std::vector<Ignore> ignores, std::vector<Finding>& found, bool all_checked = true);

}  // namespace kdb::lint
