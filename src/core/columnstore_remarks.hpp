#pragma once

#include <map>
#include <vector>

#include "core/judged_query.hpp"
#include "model/facts.hpp"
#include "model/report.hpp"

namespace kdb {

/// Counts the rows that ANALYZE does not find, for they are in a columnstore.
void add_columnstores(const std::map<ObjectName, ColumnstoreFacts>& columnstores, PlanFacts& facts);

/// Warns of a columnstore with few rows in a batch, and names the queries that read most of it.
void add_thin_batches(const std::vector<JudgedQuery>& judged, const QueryReportInput& input, Report& report);

/// Warns of a table of which queries have hundreds of chunks or partitions in their plans, and how long
/// planning took.
void add_many_parts(const std::vector<JudgedQuery>& judged, const QueryReportInput& input, Report& report);

/// Warns of queries for which jit compiles hundreds of functions.
void add_compiled(const std::vector<JudgedQuery>& judged, Report& report);

/// How often a table is read from its columnstore.
int columnstore_reads(const TableUse& use);

}  // namespace kdb
