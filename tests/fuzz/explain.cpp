// What EXPLAIN printed: whatever the text, it is a plan of which a report can be made, or an Error.
#include "pg/explain.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/query_report.hpp"

namespace {

kdb::DeclaredQuery query() {
  kdb::DeclaredQuery query;
  query.name = "q";
  for (const char* text : {"index:i", "no seq scan on t", "no sort", "no temp files",
                           "rows removed by filter < 5", "buffers < 5", "chunks < 5"})
    if (kdb::parse_expectation(text, "public", query.expects.emplace_back())) std::abort();
  return query;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    kdb::QueryReportInput input;
    input.queries.push_back({.query = query(),
                             .plan = kdb::pg::parse_plan_json({reinterpret_cast<const char*>(data), size}),
                             .failure = {}});
    input.chosen = true;
    const bool executed = input.queries.front().plan->executed;
    const kdb::QueryReport result = kdb::report_queries(input);
    if (result.failed || result.report.tables.front().rows.size() != 1) std::abort();
    // What only a run can tell is never passed without one.
    if (!executed && !result.unchecked) std::abort();
  } catch (const kdb::Error& error) {
    if (error.problems().front().message.empty()) std::abort();
  }
  return 0;
}
