#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kinds/row.hpp"

namespace kdb::lint {

/// A fragment by its tokens, unquoted words in lower case: what compares equal means the same.
std::string normalised(std::string_view fragment);
std::vector<std::string> normalised(const std::vector<Fragment>& fragments);

/// The column that an index's key names, as the catalog has it, whatever stands behind it; empty for an
/// expression.
std::string column_of(std::string_view key);

/// The columns whose value a condition fixes: `kind` in `kind = 'a' AND value > 5`. None where an OR or a
/// negation may undo it.
std::vector<std::string> constant_columns(std::string_view condition);

/// The relations that a query names behind FROM and JOIN, as they are written.
std::vector<std::string> sources_of(std::string_view query);

}  // namespace kdb::lint
