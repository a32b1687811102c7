#pragma once

#include <set>
#include <string_view>
#include <vector>

#include "core/diff.hpp"
#include "model/step.hpp"
#include "pg/connection.hpp"

namespace kdb::flow {

/// The tables that the statements of pending migrations create.
std::set<ObjectName> coming_tables(const std::vector<MigrationPlan>& plans, std::string_view default_schema);

/// Those that they drop.
std::set<ObjectName> going_tables(const std::vector<MigrationPlan>& plans, std::string_view default_schema);

/// The declared roles that they name: where a role is made only if it is not there, that is within a block.
std::set<ObjectName> coming_roles(const std::vector<MigrationPlan>& plans, const DesiredSchema& desired);

/// The extensions that they create, with what they say of them.
std::vector<Extension> coming_extensions(const std::vector<MigrationPlan>& plans);
/// Those that the profile declares and the database does not have.
std::vector<Extension> coming_extensions(const DesiredSchema& desired, const LiveSchema& live);

/// The server as it will be when the extensions are made, for what comes after them.
ServerFacts facts_with(pg::Connection& connection, ServerFacts facts,
                       const std::vector<Extension>& extensions);

}  // namespace kdb::flow
