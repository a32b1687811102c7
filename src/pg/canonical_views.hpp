#pragma once

#include <string_view>
#include <vector>

#include "pg/canonical.hpp"

namespace kdb::pg {

/// The same as for indexes of continuous aggregates, whose queries the server prints of temporary views over
/// the tables themselves. `settings` as for a Rehearsal. Parallel to the declared ones; a server without
/// continuous aggregates is not asked, and their queries stay as they are.
std::vector<Canonical<ContinuousAggregate>> canonical_aggregates(
    Connection& connection, const ServerFacts& facts,
    const std::vector<Declared<ContinuousAggregate>>& desired,
    const std::vector<Live<ContinuousAggregate>>& live, std::string_view settings);

}  // namespace kdb::pg
