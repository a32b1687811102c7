#include "core/bench_report.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/attribution_report.hpp"
#include "core/bench_tables.hpp"
#include "core/counted_change.hpp"
#include "core/measured_text.hpp"

namespace kdb {

namespace {

/// Nothing of a query that fails on the first design or on this one.
std::vector<QueryBlocks> blocks_of(const ComparisonMeasures& measures, const DesignMeasures& design,
                                   const std::vector<std::vector<double>>& others, bool weighted) {
  std::vector<QueryBlocks> blocks;
  for (size_t query = 0; query < measures.queries.size(); ++query) {
    const QueryMeasures& first = measures.designs.front().queries[query];
    QueryBlocks& one = blocks.emplace_back();
    if (weighted) one.weight = measures.queries[query].weight;
    if (first.error.empty() && design.queries[query].error.empty())
      one.blocks = paired_blocks(first.block_ms, others[query]);
  }
  return blocks;
}

std::vector<std::vector<double>> times_of(const DesignMeasures& design) {
  std::vector<std::vector<double>> times;
  for (const QueryMeasures& query : design.queries) times.push_back(query.block_ms);
  return times;
}

/// Pages are never fewer than one, so that a query that reads none has a logarithm.
void judge_buffers(const DesignMeasures& first, const DesignMeasures& design, JudgedDesign& judged) {
  double sum = 0;
  for (size_t query = 0; query < first.queries.size(); ++query) {
    const auto& before = first.queries[query].buffers;
    const auto& after = design.queries[query].buffers;
    if (!before || !after) continue;
    sum += std::log(static_cast<double>(std::max<std::int64_t>(*after, 1)) /
                    static_cast<double>(std::max<std::int64_t>(*before, 1)));
    ++judged.counted;
  }
  if (judged.counted > 0) judged.buffers = std::exp(sum / static_cast<double>(judged.counted));
}

/// Where the first design's own series stands would be a 1 in each row.
RatioPlot times_plot(const ComparisonMeasures& measures, const JudgedComparison& judged) {
  const std::string& first = measures.designs.front().name;
  RatioPlot plot{
      .title = "Time of each query",
      .caption = fmt::format("held against {}, with 95 % intervals: further left is faster", first),
      .rows = {}};
  for (size_t query = 0; query < measures.queries.size(); ++query) {
    RatioPlot::Row& row = plot.rows.emplace_back();
    row.label = measures.queries[query].name;
    const double before = median_of(measures.designs.front().queries[query].block_ms);
    for (size_t design = 1; design < measures.designs.size(); ++design) {
      const QueryMeasures& one = measures.designs[design].queries[query];
      const QueryVerdict& verdict = judged.designs[design].verdicts[query];
      if (!one.error.empty() || verdict.ratio.blocks == 0) continue;
      row.points.push_back({.series = measures.designs[design].name,
                            .ratio = verdict.ratio.ratio,
                            .low = verdict.ratio.low,
                            .high = verdict.ratio.high,
                            .word = std::string(short_name(verdict.verdict)),
                            .detail = fmt::format("{} where it was {}", time_text(median_of(one.block_ms)),
                                                  time_text(before))});
    }
  }
  return plot;
}

RatioPlot buffers_plot(const ComparisonMeasures& measures) {
  RatioPlot plot{.title = "Buffers of each query",
                 .caption = "pages that it looks at: the same on every machine",
                 .rows = {}};
  const DesignMeasures& first = measures.designs.front();
  for (size_t query = 0; query < measures.queries.size(); ++query) {
    RatioPlot::Row& row = plot.rows.emplace_back();
    row.label = measures.queries[query].name;
    const auto& before = first.queries[query].buffers;
    for (size_t design = 1; design < measures.designs.size(); ++design) {
      const auto& after = measures.designs[design].queries[query].buffers;
      if (!before || !after || *before <= 0) continue;
      const double ratio =
          static_cast<double>(std::max<std::int64_t>(*after, 1)) / static_cast<double>(*before);
      row.points.push_back(
          {.series = measures.designs[design].name,
           .ratio = ratio,
           .low = ratio,
           .high = ratio,
           .word = "",
           .detail = counted_change({.what = "buffers", .before = before, .after = after}).text});
    }
  }
  return plot;
}

/// Who asks for too few blocks asks for no verdict; who asks for one and gets none may not take it for a good
/// one.
void add_fitness(const ComparisonMeasures& measures, const MachineFitness& fitness, Report& report) {
  if (fitness.fit) return;
  const bool too_few = measures.blocks < least_blocks;
  (too_few ? report.warnings : report.problems)
      .push_back({.message = "no verdict on times: " + fitness.reason,
                  .where = {},
                  .hint = fmt::format("{}; what is counted holds all the same",
                                      too_few ? fmt::format("--blocks {} or more have one", least_blocks)
                                              : "let nothing else run meanwhile, or take more blocks")});
}

void add_write_problems(const DesignMeasures& design, Report& report) {
  const auto add = [&](const std::string& what, const std::string& error) {
    if (!error.empty())
      report.problems.push_back(
          {.message = fmt::format("{}{}: writing fails: {}", design.name, what, error), .where = {}});
  };
  add("", design.writes.error);
  if (!design.attribution) return;
  add("", design.attribution->writes.error);
  for (const PartMeasures& part : design.attribution->parts)
    add(fmt::format(" without {} {}", part.kind, part.name), part.writes.error);
}

void add_problems(const ComparisonMeasures& measures, const JudgedComparison& judged, Report& report) {
  const DesignMeasures& first = measures.designs.front();
  for (size_t at = 0; at < measures.designs.size(); ++at)
    for (size_t query = 0; query < measures.queries.size(); ++query) {
      const ComparisonMeasures::Query& declared = measures.queries[query];
      const QueryMeasures& one = measures.designs[at].queries[query];
      const QueryVerdict& verdict = judged.designs[at].verdicts[query];
      const double before = median_of(first.queries[query].block_ms);
      const double after = median_of(one.block_ms);
      const auto add = [&](std::string what, std::string hint) {
        report.problems.push_back(
            {.message = fmt::format("{}: {} {}", measures.designs[at].name, declared.name, what),
             .where = declared.where,
             .hint = std::move(hint)});
      };
      if (!one.error.empty()) {
        add("fails: " + one.error, "");
        continue;
      }
      if (at == 0) continue;  // it is what the others are held against, good or bad
      if (verdict.verdict == TimeVerdict::worse)
        add(fmt::format("takes {} times as long, {} where it was {}", ratio_text(verdict.ratio.ratio),
                        time_text(after), time_text(before)),
            "`kdb explain` shows how it is answered");
      if (declared.max_latency && after > static_cast<double>(declared.max_latency->count()))
        add(fmt::format("takes {}, and the profile allows {} ms", time_text(after),
                        declared.max_latency->count()),
            "");
      if (!answers_alike(first.queries[query], one))
        add("does not have the answer that it has with " + first.name,
            one.reworded
                ? "the design has its own words for it: they ask something else"
                : "it may leave open which rows come (LIMIT without a full ORDER BY), or their order "
                  "within an aggregate");
    }
}

std::string failing_text(const DesignMeasures& first, const DesignMeasures& design) {
  size_t here = 0;
  size_t there = 0;
  for (size_t query = 0; query < design.queries.size(); ++query) {
    if (!design.queries[query].error.empty())
      ++here;
    else if (!first.queries[query].error.empty())
      ++there;
  }
  return (here > 0 ? fmt::format(", {} failing", here) : "") +
         (there > 0 ? fmt::format(", {} failing on {}", there, first.name) : "");
}

std::string summary_of(const ComparisonMeasures& measures, const JudgedComparison& judged) {
  std::string text;
  for (size_t at = 1; at < measures.designs.size(); ++at) {
    const JudgedDesign& one = judged.designs[at];
    const auto is = [&](TimeVerdict word) {
      return std::count_if(one.verdicts.begin(), one.verdicts.end(), [&](const QueryVerdict& verdict) {
        return verdict.ratio.blocks > 0 && verdict.verdict == word;
      });
    };
    text += fmt::format(
        "{}{}: {} of the time{}, {} better, {} worse, {} undecided{}", text.empty() ? "" : "; ",
        measures.designs[at].name, one.timed > 0 ? ratio_text(one.time.ratio) : "-",
        over_text(one.timed, measures.queries.size()), is(TimeVerdict::better), is(TimeVerdict::worse),
        is(TimeVerdict::inconclusive), failing_text(measures.designs.front(), measures.designs[at]));
  }
  return text;
}

/// Designs with and without an extension are on different ones.
std::string servers_of(const ComparisonMeasures& measures) {
  std::vector<std::string> servers;
  for (const DesignMeasures& design : measures.designs)
    if (std::find(servers.begin(), servers.end(), design.server) == servers.end())
      servers.push_back(design.server);
  return fmt::format("{}", fmt::join(servers, "; "));
}

/// What there is to say of a verdict beside the times.
void explain_verdict(const DesignMeasures& first, const DesignMeasures& design, size_t query,
                     const MachineFitness& fitness, QueryVerdict& verdict) {
  if (!design.queries[query].error.empty()) {
    verdict.reason = "it fails";
  } else if (!first.queries[query].error.empty()) {
    verdict.reason = "it fails on " + first.name;
  } else if (!fitness.fit) {
    verdict.verdict = TimeVerdict::inconclusive;
    verdict.reason = "the machine is unfit: " + fitness.reason;
  }
}

JudgedDesign judge_design(const ComparisonMeasures& measures, const DesignMeasures& design,
                          const MachineFitness& fitness, const VerdictRules& rules) {
  JudgedDesign one;
  const DesignMeasures& first = measures.designs.front();
  const std::vector<std::vector<double>> times = times_of(design);
  const std::vector<QueryBlocks> blocks = blocks_of(measures, design, times, false);
  one.verdicts = judge_times(blocks, rules);
  for (size_t query = 0; query < one.verdicts.size(); ++query) {
    if (one.verdicts[query].ratio.blocks > 0) ++one.timed;
    explain_verdict(first, design, query, fitness, one.verdicts[query]);
  }
  one.time = overall_ratio(blocks);
  one.weighted = overall_ratio(blocks_of(measures, design, times, true));
  judge_buffers(first, design, one);
  one.copy = paired_ratio(paired_blocks(first.writes.copy_us, design.writes.copy_us));
  one.insert = paired_ratio(paired_blocks(first.writes.insert_us, design.writes.insert_us));
  return one;
}

}  // namespace

JudgedComparison judge(const ComparisonMeasures& measures, const VerdictRules& rules) {
  JudgedComparison judged;
  const DesignMeasures& first = measures.designs.front();
  judged.fitness =
      machine_fitness(judge_times(blocks_of(measures, first, measures.again_ms, false), rules), rules);
  for (const DesignMeasures& design : measures.designs)
    judged.designs.push_back(judge_design(measures, design, judged.fitness, rules));
  return judged;
}

Report report_comparison(const ComparisonMeasures& measures, const VerdictRules& rules) {
  const JudgedComparison judged = judge(measures, rules);
  Report report{.command = "bench compare"};
  report.fields = {{.key = "events", .label = "events", .value = measures.events},
                   {.key = "seed", .label = "", .value = std::to_string(measures.seed)},
                   {.key = "blocks", .label = "blocks", .value = std::int64_t{measures.blocks}},
                   {.key = "cpus", .label = "", .value = measures.cpus},
                   {.key = "", .label = "server", .value = servers_of(measures)},
                   {.key = "fit", .label = "", .value = judged.fitness.fit},
                   {.key = "fitness", .label = "machine", .value = judged.fitness.reason},
                   {.key = "delta", .label = "", .value = rules.delta}};
  report.tables = comparison_tables(measures, judged);
  report.plots = {times_plot(measures, judged), buffers_plot(measures)};
  if (std::any_of(measures.designs.begin(), measures.designs.end(), [](const DesignMeasures& design) {
        return std::any_of(design.queries.begin(), design.queries.end(),
                           [](const QueryMeasures& query) { return query.reworded; });
      }))
    report.text = "* asked in the design's own words\n";
  for (const DesignMeasures& design : measures.designs)
    add_attribution(measures, design, judged.fitness, rules, report);
  add_fitness(measures, judged.fitness, report);
  add_problems(measures, judged, report);
  for (const DesignMeasures& design : measures.designs) add_write_problems(design, report);
  report.summary = summary_of(measures, judged);
  return report;
}

}  // namespace kdb
