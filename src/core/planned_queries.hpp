#pragma once

#include <vector>

#include "core/judged_query.hpp"
#include "model/report.hpp"

namespace kdb {

/// The queries as they are and with what is planned, by the planner's own costs. `now` and `later` are of the
/// same queries.
Table planned_table(const std::vector<JudgedQuery>& now, const std::vector<JudgedQuery>& later,
                    const QueryReportInput& input);

/// Warns of what the plan has and the queries' plans do not: nobody has looked at it, so the result is not
/// checked.
void add_unseen(const PlannedQueries& planned, QueryReport& result);

}  // namespace kdb
