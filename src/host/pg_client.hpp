#pragma once

#include <string>
#include <vector>

namespace kdb::host {

/// What pg_dump of at least the given major version writes. `url` is handed over in the environment, so that no password
/// stands in the list of processes. Throws Error(failed) with pg_dump's own words, or naming where it was looked for.
std::string pg_dump(int server_major, const std::string& url, const std::vector<std::string>& arguments);

}  // namespace kdb::host
