#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kdb::sql {

/// Why `fragment` is not a piece of SQL that can stand inside of parentheses without reaching out of them: a
/// semicolon, a comment, parentheses that do not match, a quote that does not end, nothing at all, and with
/// `one_of_list` a comma of the list itself. Nothing where all is well. That it means something is for the
/// server to say.
std::optional<std::string> fragment_problem(std::string_view fragment, bool one_of_list);

}  // namespace kdb::sql
