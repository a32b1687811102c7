#pragma once

#include <string>

namespace kdb::host {

/// Who runs this program and where, for the history: `deploy@ci-7`.
std::string who_and_where();

/// Columns of the terminal behind a file descriptor; 0 if it is none.
int terminal_width(int descriptor);

}  // namespace kdb::host
