#pragma once

#include <map>
#include <string>

namespace kdb::pg {

/// A URL or conninfo as the environment variables of libpq (PGHOST, PGPASSWORD …), for PostgreSQL's own
/// programs: a password on their command line would stand in the list of processes. Throws Error(usage) for a
/// malformed URL.
std::map<std::string, std::string> client_environment(const std::string& url);

}  // namespace kdb::pg
