#include "flow/bench_attribute.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/attribution.hpp"
#include "core/block_order.hpp"
#include "pg/catalog.hpp"
#include "pg/failure.hpp"

namespace kdb::flow {

Attribution::Attribution(const Context& outside, const Design& design, BenchCluster& cluster,
                         std::vector<DeclaredQuery> queries, const AttributionOptions& options)
    : outside_(outside),
      design_(design),
      cluster_(cluster),
      connection_(*cluster.session().connection),
      queries_(std::move(queries)),
      options_(options),
      facts_(pg::read_facts(connection_, cluster.inside().profile.database.schema,
                            cluster.inside().profile.database.history_schema)),
      parts_(parts_of(design, connection_)) {
  for (DesignPart& part : parts_)
    if (part.measures.skipped.empty()) try_out(part);
}

void Attribution::progress(std::string message) const {
  outside_.events({.kind = Event::Kind::progress,
                   .message = fmt::format("{}: {}", design_.name, message),
                   .figures = ""});
}

/// What the server does not let go, an index of a constraint say, stays; of what goes this is the size.
void Attribution::try_out(DesignPart& part) {
  try {
    SizeMeasures before;
    SizeMeasures after;
    measure_sizes(connection_, before);
    const LeftOut left_out(connection_, part.leave_out);
    measure_sizes(connection_, after);
    part.measures.bytes = before.indexes - after.indexes;
  } catch (const pg::ServerError& error) {
    if (error.session_ended) throw;
    part.measures.skipped = pg::describe(error);
  }
}

/// Each query in a transaction of its own, for one that fails ends it.
std::vector<QueryMeasures> Attribution::count(const std::string& leave_out) {
  std::vector<QueryMeasures> counted;
  for (const DeclaredQuery& query : queries_) {
    const LeftOut left_out(connection_, leave_out);
    counted.push_back(count_query(connection_, facts_, query, options_.timeout));
  }
  return counted;
}

std::vector<Attribution::Variant> Attribution::variants_of(size_t query) {
  std::vector<Variant> variants{{.leave_out = "", .query = &whole_[query]}};
  const QueryMeasures& first = cluster_.measures().queries[query];
  for (DesignPart& part : parts_) {
    if (part.measures.queries.empty()) continue;
    QueryMeasures& without = part.measures.queries[query];
    if (without.error.empty() && moves(first, whole_[query], without))
      variants.push_back({.leave_out = part.leave_out, .query = &without});
  }
  return variants;
}

void Attribution::measure_queries() {
  progress("counting");
  whole_ = count("");
  for (DesignPart& part : parts_) {
    if (!part.measures.skipped.empty() || part.measures.standard) continue;
    progress("counting without " + part.measures.name);
    part.measures.queries = count(part.leave_out);
  }
  std::vector<std::vector<Variant>> variants;
  std::vector<std::vector<std::vector<size_t>>> orders;
  for (size_t query = 0; query < queries_.size(); ++query) {
    variants.push_back(variants_of(query));
    orders.push_back(block_orders(variants[query].size(), static_cast<size_t>(options_.blocks),
                                  options_.seed + 2 + query));
  }
  for (size_t block = 0; block < static_cast<size_t>(options_.blocks); ++block)
    for (size_t query = 0; query < queries_.size(); ++query) {
      if (variants[query].size() == 1) continue;
      progress(fmt::format("block {} of {}: {} without its parts", block + 1, options_.blocks,
                           queries_[query].name));
      for (const size_t which : orders[query][block]) {
        QueryMeasures& measures = *variants[query][which].query;
        const LeftOut left_out(connection_, variants[query][which].leave_out);
        if (const auto ms = time_query(connection_, queries_[query], measures))
          measures.block_ms.push_back(*ms);
      }
    }
}

void Attribution::write(const std::string& leave_out, const WriteLoad& load, int block,
                        WriteMeasures& measures) {
  try {
    const LeftOut left_out(connection_, leave_out);
    load.write(connection_, options_.blocks + block, block, measures);
  } catch (const pg::ServerError& error) {
    measures = {.error =
                    pg::describe(error)};  // all else is measured by now, and no session is needed for it
  }
}

void Attribution::measure_writes(const WriteLoad& load) {
  std::vector<std::pair<std::string, WriteMeasures*>> variants{{"", &writes_}};
  for (DesignPart& part : parts_)
    if (part.is_written && part.measures.skipped.empty())
      variants.emplace_back(part.leave_out, &part.measures.writes);
  if (variants.size() == 1) return;
  const auto orders = block_orders(variants.size(), static_cast<size_t>(options_.blocks), options_.seed);
  for (size_t block = 0; block < orders.size(); ++block) {
    progress(fmt::format("block {} of {}: writing without its parts", block + 1, orders.size()));
    // Whoever is the first to change a page after a checkpoint writes all of it to the WAL.
    WriteMeasures unused;
    write("", load, static_cast<int>(block), unused);
    for (const size_t which : orders[block])
      write(variants[which].first, load, static_cast<int>(block), *variants[which].second);
  }
}

AttributionMeasures Attribution::take() {
  AttributionMeasures measures{.whole = std::move(whole_), .writes = std::move(writes_), .parts = {}};
  for (DesignPart& part : parts_) measures.parts.push_back(std::move(part.measures));
  return measures;
}

}  // namespace kdb::flow
