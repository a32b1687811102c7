#pragma once

#include <vector>

#include "core/bench_report.hpp"
#include "model/comparison.hpp"
#include "model/report.hpp"

namespace kdb {

/// Whether two designs answer a query with the same rows, as far as both answer it.
bool answers_alike(const QueryMeasures& first, const QueryMeasures& other);

/// Times, buffers and costs for people; then designs and their queries for programs.
std::vector<Table> comparison_tables(const ComparisonMeasures& measures, const JudgedComparison& judged);

}  // namespace kdb
