#pragma once

#include <string>

#include "flow/session.hpp"

namespace kdb::flow {

/// The schema as SQL, the same bytes for the same schema: pg_dump's without its random key and version lines,
/// kdb's own history left out, hypertables rebuilt through TimescaleDB's functions. Throws Error(failed) if
/// there is no pg_dump of the server's major version or newer.
std::string dump(const Context& context);

}  // namespace kdb::flow
