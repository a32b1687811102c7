#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/object.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// A table that is to be changed, and whether something new comes beside it.
struct Use {
  ObjectName table;
  bool creates = false;  // an index, a statistics object
};

/// What the role may not do, one problem for each right that it lacks: to own the table, to create in its
/// schema (PG docs, CREATE INDEX). `role`: the one that statements run as; empty: the session's. Tables that
/// are not there are left out.
std::vector<Problem> missing_rights(Connection& connection, const std::vector<Use>& uses,
                                    const std::string& role, std::string_view default_schema);

/// The settings of roles, or of databases, that are to be changed, by their names.
using SessionSettings = std::map<std::string, std::set<std::string>>;

/// The same for ALTER ROLE … SET: to administer the role, to be it, or to be superuser; and for what only a
/// superuser sets, to be one or have it granted (PG docs, ALTER ROLE and GRANT ON PARAMETER).
std::vector<Problem> missing_role_rights(Connection& connection, const SessionSettings& settings,
                                         const std::string& role);

/// The same for ALTER DATABASE … SET, by database: to own it, or to be superuser.
std::vector<Problem> missing_database_rights(Connection& connection, const SessionSettings& settings,
                                             const std::string& role);

/// The same for ALTER SYSTEM SET, and for making the server read its files (PG docs, ALTER SYSTEM, 9.28.2).
std::vector<Problem> missing_setting_rights(Connection& connection, const std::set<std::string>& settings,
                                            const std::string& role);

}  // namespace kdb::pg
