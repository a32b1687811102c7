#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace kdb::files {

struct TomlMember;

/// A value of a TOML file with the place where it stands. Our own tree, so that toml++ (seconds of compile
/// time) is known to one file only.
struct TomlValue {
  enum class Kind { table, array, string, integer, floating, boolean, date };

  Kind kind = Kind::table;
  Source where;
  std::string string;  // of a string, unexpanded
  std::int64_t integer = 0;
  double floating = 0;
  bool boolean = false;
  std::vector<TomlValue> items;     // of an array
  std::vector<TomlMember> members;  // of a table, in the order of the file
  bool overridden = false;          // a file that extends this one sets the key again (see profile_files)

  /// The member of a table, or nullptr.
  const TomlValue* find(std::string_view key) const;
};

struct TomlMember {
  std::string key;
  Source where;  // of the key
  TomlValue value;
};

/// What a kind is called in messages: `a string`, `a table`.
std::string_view describe(TomlValue::Kind kind);

/// Parses TOML text; `file` is only for positions. Throws Error(usage) with the place of the first syntax
/// error.
TomlValue parse_toml(std::string_view text, const std::string& file);

}  // namespace kdb::files
