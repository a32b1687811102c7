#pragma once

#include <optional>
#include <string_view>

#include "files/layouts.hpp"

namespace kdb::files {

/// The entry of a numbered file (see is_numbered_file), its version from the leading digits.
Entry numbered_entry(std::string_view path);

/// A refused entry.
Entry refused(std::string_view reason);

/// A program in the place of a migration: there is no other name that would make it one.
Entry refused_program(std::string_view language);

/// Refuses such a program, `0002_fix.go`, but no test of one.
std::optional<Entry> refuse_program(std::string_view path);

/// Refuses a `.sql` file of the folder itself, with the reason why it is no numbered one.
std::optional<Entry> refuse_unnumbered_sql(std::string_view path);

}  // namespace kdb::files
