#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/reference_data.hpp"
#include "flow/session.hpp"
#include "model/report.hpp"

namespace kdb::flow {

struct BenchDataOptions {
  ReferenceData data;
  std::vector<ReferenceTable> only;  // empty: all
};

/// What was loaded into one table.
struct LoadedTable {
  ReferenceTable table = ReferenceTable::events;
  std::int64_t rows = 0;
  std::chrono::milliseconds time{0};
};

/// Copies the reference data into the tables of the profile's schema, which must be there and empty, and has
/// them analysed. All rows come in one transaction: what ends it, a signal too, leaves nothing of them.
/// Throws Error: refused where tables are missing or hold rows, lock where somebody else writes to them,
/// failed with table and row where the server does not take one.
std::vector<LoadedTable> load_reference_data(const Context& context, Session& session,
                                             const BenchDataOptions& options);

/// `kdb bench data`: the same on a session of its own, after saying where to.
Report bench_data(const Context& context, const BenchDataOptions& options);

/// The same rows, without a server: what psql reads, piece by piece, in one transaction as well.
void print_reference_data(const BenchDataOptions& options, std::string_view schema,
                          const std::function<void(const std::string&)>& print);

}  // namespace kdb::flow
