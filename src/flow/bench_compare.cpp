#include "flow/bench_compare.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/bench_report.hpp"
#include "core/block_order.hpp"
#include "core/paired_ratio.hpp"
#include "flow/bench_attribute.hpp"
#include "flow/bench_measure.hpp"
#include "host/machine.hpp"
#include "pg/catalog.hpp"

namespace kdb::flow {

namespace {

const DeclaredQuery* find_query(const std::vector<DeclaredQuery>& queries, const std::string& name) {
  const auto found = std::find_if(queries.begin(), queries.end(),
                                  [&](const DeclaredQuery& one) { return one.name == name; });
  return found == queries.end() ? nullptr : &*found;
}

/// A design's own words for a query, or those of all.
const DeclaredQuery& words_of(const Design& design, const DeclaredQuery& query) {
  const DeclaredQuery* own = find_query(design.profile.queries, query.name);
  return own == nullptr ? query : *own;
}

class Comparison {
 public:
  Comparison(const Context& context, const BenchCompareOptions& options)
      : context_(context), options_(options), queries_(context.profile.queries) {
    if (queries_.empty())
      throw Error(Exit::usage, "the profile declares no queries: there is nothing to compare by",
                  "[queries.NAME] declares one; profiles/queries.toml has the dashboard's");
    for (const DeclaredQuery& query : queries_)
      measures_.queries.push_back({.name = query.name,
                                   .weight = query.weight,
                                   .max_latency = query.max_latency,
                                   .where = query.where});
    measures_.again_ms.resize(queries_.size());
    measures_.events = options.data.events;
    measures_.seed = options.data.seed;
    measures_.blocks = options.blocks;
    measures_.cpus = static_cast<std::int64_t>(host::read_machine().cpus);
  }

  Report run() {
    if (options_.blocks < least_blocks)
      context_.events(
          {.kind = Event::Kind::warning,
           .message = fmt::format("no time will be judged: that takes {} blocks at least", least_blocks)});
    for (const Design& design : options_.designs) {
      clusters_.push_back(std::make_unique<BenchCluster>(context_, design, options_.data, options_.server));
      count(design, *clusters_.back());
    }
    time_queries();
    std::optional<Attribution> attribution;
    if (options_.attribute) attribution.emplace(attribution_of_last());
    if (attribution) attribution->measure_queries();
    if (options_.write_rows > 0) {
      const WriteLoad load(options_.data, context_.profile.database.schema, options_.write_rows);
      time_writes(load);
      if (attribution && clusters_.back()->measures().writes.error.empty()) attribution->measure_writes(load);
    }
    if (attribution) clusters_.back()->measures().attribution = attribution->take();
    for (const auto& cluster : clusters_) measures_.designs.push_back(std::move(cluster->measures()));
    return report_comparison(measures_, comparison_rules);
  }

 private:
  Attribution attribution_of_last() {
    const Design& design = options_.designs.back();
    std::vector<DeclaredQuery> words;
    for (const DeclaredQuery& query : queries_) words.push_back(words_of(design, query));
    return Attribution(context_, design, *clusters_.back(), std::move(words),
                       {.blocks = options_.blocks, .seed = options_.data.seed, .timeout = options_.timeout});
  }

  pg::Connection& connection(size_t design) { return *clusters_[design]->session().connection; }

  void progress(std::string message, std::string figures) {
    context_.events(
        {.kind = Event::Kind::progress, .message = std::move(message), .figures = std::move(figures)});
  }

  /// Before times are measured: nothing that is counted depends on them, and the caches are warm then.
  void count(const Design& design, BenchCluster& cluster) {
    pg::Connection& session = *cluster.session().connection;
    const std::string& schema = cluster.inside().profile.database.schema;
    begin_measuring(session, schema, options_.timeout);
    const ServerFacts facts =
        pg::read_facts(session, schema, cluster.inside().profile.database.history_schema);
    for (const DeclaredQuery& query : queries_) {
      progress(fmt::format("{}: {}", design.name, query.name), "");
      const DeclaredQuery& words = words_of(design, query);
      QueryMeasures counted = count_query(session, facts, words, options_.timeout);
      counted.reworded = words.sql != query.sql;
      cluster.measures().queries.push_back(std::move(counted));
    }
  }

  /// A query that fails once is not timed again.
  void time(size_t design, size_t query, std::vector<double>& times) {
    const DeclaredQuery& words = words_of(options_.designs[design], queries_[query]);
    QueryMeasures& measures = clusters_[design]->measures().queries[query];
    if (const auto ms = time_query(connection(design), words, measures)) times.push_back(*ms);
  }

  /// A query on all designs in turn, in an order of chance, and then the next one: what disturbs the machine
  /// for a while disturbs all designs alike. The first design stands twice in it, to be compared with itself.
  void time_queries() {
    const size_t designs = clusters_.size();
    const auto orders = block_orders(designs + 1, static_cast<size_t>(options_.blocks), options_.data.seed);
    for (size_t block = 0; block < orders.size(); ++block)
      for (size_t query = 0; query < queries_.size(); ++query) {
        progress(fmt::format("block {} of {}: {}", block + 1, orders.size(), queries_[query].name), "");
        for (const size_t which : orders[block]) {
          if (which == designs)
            time(0, query, measures_.again_ms[query]);
          else
            time(which, query, clusters_[which]->measures().queries[query].block_ms);
        }
      }
  }

  void time_writes(const WriteLoad& load) {
    for (size_t design = 0; design < clusters_.size(); ++design) begin_writing(connection(design));
    std::vector<std::vector<WalRange>> written(clusters_.size());
    const auto orders =
        block_orders(clusters_.size(), static_cast<size_t>(options_.blocks), options_.data.seed + 1);
    for (size_t block = 0; block < orders.size(); ++block) {
      progress(fmt::format("block {} of {}: writing", block + 1, orders.size()), "");
      for (const size_t which : orders[block]) {
        const int at = static_cast<int>(block);
        if (const auto wal = load.write(connection(which), at, at, clusters_[which]->measures().writes))
          written[which].push_back(*wal);
      }
    }
    for (size_t design = 0; design < clusters_.size(); ++design) {
      WriteMeasures& writes = clusters_[design]->measures().writes;
      if (writes.error.empty()) writes.full_page_bytes = clusters_[design]->full_page_bytes(written[design]);
    }
  }

  const Context& context_;
  const BenchCompareOptions& options_;
  const std::vector<DeclaredQuery>& queries_;
  std::vector<std::unique_ptr<BenchCluster>> clusters_;
  ComparisonMeasures measures_;
};

}  // namespace

Report bench_compare(const Context& context, const BenchCompareOptions& options) {
  return Comparison(context, options).run();
}

}  // namespace kdb::flow
