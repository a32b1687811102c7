#pragma once

#include <string_view>

namespace kdb::cli {

/// Makes the standard streams safe to use: /dev/null stands in for one that is closed, so that no file of
/// ours becomes it, and a reader that goes away is an error code and not the end of the process.
void prepare_streams();

/// To stdout, all of it. A reader that has gone away (`| head`) is none; throws Error(failed) for whatever
/// else keeps it from being written.
void write_result(std::string_view text);

/// To stderr. Where it cannot be written nobody reads it, and that changes nothing.
void write_message(std::string_view text) noexcept;

}  // namespace kdb::cli
