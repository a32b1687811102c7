#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/query_report.hpp"
#include "flow/session.hpp"

namespace kdb::flow {

struct ExplainOptions {
  std::vector<std::string> queries;           // by name; none: all of the profile
  bool analyze = false;                       // run them
  bool planned = false;                       // beside, with the indexes and settings that a plan would make
  bool statistics = false;                    // hold them against what the server has counted
  std::chrono::milliseconds timeout{30'000};  // of each
};

/// The declared queries of these names; all of them where none is named. Throws Error(usage) for one that is
/// not declared.
std::vector<DeclaredQuery> chosen_queries(const std::vector<DeclaredQuery>& declared,
                                          const std::vector<std::string>& names);

/// How the server answers the profile's queries. It only reads; a query that fails is reported, and the
/// others go on. Throws Error(usage) for a query that the profile does not have.
QueryReport explain_queries(const Context& context, const ExplainOptions& options);

}  // namespace kdb::flow
