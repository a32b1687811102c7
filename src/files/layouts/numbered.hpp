#pragma once

#include <optional>
#include <string_view>

#include "files/layouts.hpp"

namespace kdb::files {

/// The entry of a numbered file (see is_numbered_file), its version from the leading digits.
Entry numbered_entry(std::string_view path);

/// A refused entry.
Entry refused(std::string_view reason);

/// Refuses a program in the place of a migration: `0002_fix.go`.
std::optional<Entry> refuse_program(std::string_view path);

/// Refuses a `.sql` file of the folder itself, with the reason why it is no numbered one.
std::optional<Entry> refuse_unnumbered_sql(std::string_view path);

}  // namespace kdb::files
