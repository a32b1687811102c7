#pragma once

#include <functional>
#include <vector>

#include "core/query_report.hpp"
#include "flow/session.hpp"
#include "pg/explain.hpp"

namespace kdb::flow {

/// Explains the queries on the session, with further settings.
using Explain = std::function<std::vector<ExplainedQuery>(
    const std::vector<std::pair<std::string, std::string>>& settings)>;
/// What the catalog says of their plans.
using ReadFacts = std::function<PlanFacts(const std::vector<ExplainedQuery>&)>;

/// The queries with the indexes that a plan of the profile would build, by HypoPG where the database has it,
/// and with the settings that it would make. What nobody can look at beforehand is named. Only reads. Throws
/// Error(refused) where a pooler may lend the session's backend to others.
PlannedQueries explain_planned(const Context& context, Session& session, const Explain& explain,
                               const ReadFacts& read_facts);

}  // namespace kdb::flow
