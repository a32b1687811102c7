#pragma once

#include <map>
#include <string>
#include <vector>

namespace kdb::host {

/// What pg_dump of at least the given major version writes. How it connects stands in `environment`, libpq's
/// variables, so that no password stands in the list of processes. Throws Error(failed) with pg_dump's own
/// words, or naming where it was looked for.
std::string pg_dump(int server_major, const std::vector<std::string>& arguments,
                    const std::map<std::string, std::string>& environment);

}  // namespace kdb::host
