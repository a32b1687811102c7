#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/facts.hpp"
#include "model/query.hpp"
#include "model/query_plan.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

struct ExplainOptions {
  bool analyze = false;                       // runs the query
  std::chrono::milliseconds timeout{30'000};  // of planning and running it; 0: none
  std::chrono::milliseconds lock_timeout{1'000};
  std::string schema = "public";  // where names without one are looked for before the session's search_path
  std::vector<std::pair<std::string, std::string>> settings;  // to plan with, over the session's
};

/// The plan of one query, in a transaction of its own that only reads and is rolled back; within an open one,
/// whose changes it sees, in a subtransaction. Parameters are
/// bound by the extended protocol, where the server knows their values while it plans: as it does when an
/// application runs a statement for the first time (PG docs, plan_cache_mode: a custom plan). Throws
/// ServerError, with the place in the query's own text; what a function writes is refused by the server
/// (25006).
QueryPlan explain(Connection& connection, const DeclaredQuery& query, const ExplainOptions& options);

/// Reads what EXPLAIN (FORMAT JSON) printed. Nodes and keys that it does not know are kept; throws
/// Error(failed) for what is no plan.
QueryPlan parse_plan_json(std::string_view text);

/// Which tables the relations of the plans are parts of, how many parts these have, and which indexes those
/// of parts belong to. In two queries, or three with TimescaleDB. `indexes` are as a profile names them.
PlanFacts read_plan_facts(Connection& connection, const ServerFacts& server,
                          const std::vector<const QueryPlan*>& plans, const std::vector<ObjectName>& indexes);

}  // namespace kdb::pg
