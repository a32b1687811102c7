#pragma once

#include <optional>

#include "files/profile.hpp"
#include "flow/session.hpp"
#include "flow/tune.hpp"
#include "pg/tuning_facts.hpp"

namespace kdb::flow {

/// What the command line and the profile say of the machine.
TuningFacts given_facts(const files::Profile& profile, const TuneOptions& options);

/// Adds what is not given: what the server says of itself, and of its machine what can be proved to be its.
/// Warns of `context` where that cannot be.
void add_found_facts(const Context& context, pg::Connection& connection, const pg::ServerTuning& server,
                     TuningFacts& facts);

}  // namespace kdb::flow
