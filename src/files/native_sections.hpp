#pragma once

#include <string_view>

#include "files/layouts.hpp"

namespace kdb::files {

/// Whether a line is `-- migrate:up` or `-- migrate:down`.
bool has_native_directive(std::string_view contents);

/// Takes a file with `-- migrate:up` and `-- migrate:down` sections apart, options on those lines included.
void parse_native(const ParseInput& input, Migration& migration);

/// Reads the options that follow `migrate:up`; each wrong one is a problem at `where`.
SectionOptions parse_section_options(std::string_view text, const Source& where,
                                     std::vector<Problem>& problems);

}  // namespace kdb::files
