#pragma once

#include <vector>

#include "core/judged_query.hpp"
#include "model/report.hpp"

namespace kdb {

/// Holds the declared queries and indexes against what the server has counted: indexes that nothing has used,
/// frequent statements that are not declared, declared ones that were never run, and those that are slow and
/// repetitive. Of named queries: only how often they ran. What was not looked at is a warning.
/// `input.statistics` is there.
void add_statistics(const std::vector<JudgedQuery>& judged, const QueryReportInput& input, Report& report);

}  // namespace kdb
