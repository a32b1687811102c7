#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "files/migrations.hpp"

namespace kdb::files {

/// Expands Flyway's `${name}` everywhere, literals and comments included, as Flyway does; names in any case.
/// Values are the source's variables, then the environment's FLYWAY_PLACEHOLDERS_NAME. One without a value is
/// a problem.
std::string expand_flyway(std::string_view text, const std::string& file, const MigrationSource& source,
                          std::vector<Problem>& problems);

/// Expands goose's `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME-default}` (`$$` and `\$` are a dollar)
/// from the source's variables, then its environment. As with goose an unset variable is empty text; `line`
/// is that of the text's beginning.
std::string expand_goose(std::string_view text, const std::string& file, int line,
                         const MigrationSource& source, std::vector<Problem>& problems);

}  // namespace kdb::files
