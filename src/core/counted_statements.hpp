#pragma once

#include <vector>

#include "core/judged_query.hpp"
#include "model/report.hpp"

namespace kdb {

/// When a counted statement is frequent, and when it is slow and repetitive.
inline constexpr double repeated_calls = 10;    // at least: of a frequent one with
inline constexpr double frequent_share = 0.01;  // of all calls or of all time; of a slow one with
inline constexpr double slow_mean_ms = 1000;    // on average, or
inline constexpr double large_share = 0.2;      // of all time, however short each is

/// The part of add_statistics that is about statements. A declared query is known by its fingerprint:
/// constants and parameters are one to that.
void add_statements(const std::vector<JudgedQuery>& judged, const QueryReportInput& input, Report& report);

}  // namespace kdb
