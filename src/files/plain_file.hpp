#pragma once

#include "files/layouts.hpp"

namespace kdb::files {

/// Takes a whole file as up. Atlas' `-- atlas:txmode none` at its head means no transaction; a file of a
/// format that has both directions in one file, which kdb does not read, is a problem.
void parse_plain(const ParseInput& input, Migration& migration);

}  // namespace kdb::files
