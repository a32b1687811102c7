#pragma once

#include <vector>

#include "core/judged_query.hpp"
#include "model/report.hpp"

namespace kdb {

/// Warns of a query that reads a large table without any index.
void add_unserved(const JudgedQuery& judged, const QueryReportInput& input, Report& report);

/// Warns of a query that looks for few rows in every part of a table: its partitioning is by something else.
void add_lookups_everywhere(const JudgedQuery& judged, const QueryReportInput& input, Report& report);

/// The profile's indexes with the queries that use them; warns of those that none does. Empty where only some
/// of its queries were looked at.
Table index_table(const std::vector<JudgedQuery>& judged, const QueryReportInput& input, Report& report);

}  // namespace kdb
