#include "core/counted_statements.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/sql_fingerprint.hpp"
#include "base/text.hpp"
#include "core/counted_text.hpp"

namespace kdb {

namespace {

constexpr size_t most_statements = 20;  // that are shown
constexpr size_t most_slow = 5;         // undeclared ones that are warned of

std::string since(const std::string& date) { return date.empty() ? "" : " since " + date; }

/// A statement on one line of at most `width` columns.
std::string short_text(std::string text, size_t width) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  const std::string shown = printable_line(text);
  std::string line;
  for (const std::string_view word : split(shown, ' ')) {
    if (word.empty()) continue;
    line += (line.empty() ? "" : " ") + std::string(word);
    if (columns_of(line) > width) break;
  }
  if (columns_of(line) <= width) return line;
  size_t end = 0;
  for (size_t columns = 0; end < line.size() && columns + 1 < width; ++columns) {
    ++end;
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) ++end;
  }
  return line.substr(0, end) + "…";
}

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

/// A counted statement and the declared queries that it is.
struct Matched {
  const CountedStatement* counted = nullptr;
  CountedText text;
  std::vector<std::string> queries;
  double calls_share = 0;
  double time_share = 0;
  bool comparable = true;

  bool frequent() const {
    return counted->calls >= repeated_calls &&
           (calls_share >= frequent_share || time_share >= frequent_share);
  }
  bool slow() const {
    return counted->calls >= repeated_calls &&
           (counted->mean_ms() > slow_mean_ms || time_share >= large_share);
  }
  /// Nobody can tell of a text that is not understood.
  bool undeclared() const {
    return queries.empty() && text.rows && comparable && !text.catalog && frequent();
  }
  /// Worth a line to those who ask about no query in particular.
  bool remarkable() const { return !text.catalog && (slow() || (frequent() && text.rows)); }
  std::string name() const {
    return queries.empty() ? fmt::format("\"{}\"", short_text(text.shown, 60))
                           : fmt::format("{}", fmt::join(queries, ", "));
  }
};

class StatementMatcher {
 public:
  StatementMatcher(const std::vector<JudgedQuery>& judged, const std::vector<CountedStatement>& counted)
      : counted_(counted) {
    for (const JudgedQuery& one : judged) {
      const DeclaredQuery& query = one.explained->query;
      if (const auto print = sql::fingerprint(query.sql))
        declared_[*print].push_back(query.name);
      else
        incomparable_queries.push_back(query.name);
    }
  }

  std::vector<Matched> take() {
    double calls = 0;
    double time = 0;
    std::vector<Matched> all;
    for (const CountedStatement& one : counted_) {
      CountedText text = read_counted_text(one);
      if (text.explain) continue;
      calls += one.calls;
      time += one.total_ms;
      all.push_back({.counted = &one, .text = std::move(text), .queries = {}});
    }
    for (Matched& matched : all) {
      matched.calls_share = calls > 0 ? matched.counted->calls / calls : 0;
      matched.time_share = time > 0 ? matched.counted->total_ms / time : 0;
      match(matched);
    }
    return all;
  }

  size_t incomparable = 0;  // reads whose text says nothing to this kdb
  std::vector<std::string> incomparable_queries;

 private:
  void match(Matched& matched) {
    if (!matched.text.reads) return;
    const auto print = matched.counted->cut ? std::nullopt : sql::fingerprint(matched.counted->text);
    matched.comparable = print.has_value();
    if (!print && !matched.text.catalog) ++incomparable;
    if (!print) return;
    if (const auto found = declared_.find(*print); found != declared_.end()) matched.queries = found->second;
  }

  const std::vector<CountedStatement>& counted_;
  std::map<std::string, std::vector<std::string>> declared_;  // by their fingerprint
};

Table statement_table(const std::vector<Matched>& shown) {
  Table table{.key = "statements",
              .columns = {{"queries", "declared as"},
                          {"calls", "calls", true},
                          {"", "mean ms", true},
                          {"", "% time", true},
                          {"", "statement"},
                          {"mean_ms", ""},
                          {"time_percent", ""},
                          {"calls_percent", ""},
                          {"remarks", ""},
                          {"queryid", ""},
                          {"statement", ""}},
              .rows = {}};
  for (const Matched& one : shown) {
    std::vector<std::string> remarks;
    if (one.undeclared()) remarks.emplace_back("not declared");
    if (one.slow()) remarks.emplace_back("slow and repetitive");
    table.rows.push_back(
        {one.queries.empty() ? Value() : Value(one.queries), static_cast<std::int64_t>(one.counted->calls),
         fmt::format("{:.1f}", one.counted->mean_ms()), fmt::format("{:.0f}", 100 * one.time_share),
         short_text(one.text.shown, 32), one.counted->mean_ms(), 100 * one.time_share, 100 * one.calls_share,
         remarks, one.counted->id, one.text.shown});
  }
  return table;
}

void warn_of_undeclared(const std::vector<Matched>& all, Report& report) {
  std::vector<const Matched*> undeclared;
  double share = 0;
  for (const Matched& one : all) {
    if (!one.undeclared()) continue;
    undeclared.push_back(&one);
    share += one.time_share;
  }
  if (undeclared.empty()) return;
  report.warnings.push_back(
      {.message =
           fmt::format("{} of the time is of {} that no query declares, most of it of {}", percent(share),
                       undeclared.size() == 1 ? std::string("a frequent statement")
                                              : fmt::format("{} frequent statements", undeclared.size()),
                       undeclared.front()->name()),
       .where = {},
       .hint = "[queries.NAME] declares one; --format json has their texts"});
}

void warn_of_slow(const std::vector<Matched>& all, Report& report) {
  size_t undeclared = 0;
  for (const Matched& one : all) {
    if (!one.slow() || (one.queries.empty() && one.text.catalog)) continue;
    if (one.queries.empty() && ++undeclared > most_slow) continue;
    report.warnings.push_back(
        {.message = fmt::format("slow and repetitive: {}: {:.0f} calls of {} on average, {} of the time",
                                one.name(), one.counted->calls, human_duration(one.counted->mean_ms() / 1000),
                                percent(one.time_share)),
         .where = {},
         .hint = {}});
  }
  if (undeclared > most_slow)
    report.warnings.push_back(
        {.message = fmt::format("slow and repetitive: and {} more", undeclared - most_slow),
         .where = {},
         .hint = {}});
}

void warn_of_never_run(const std::vector<JudgedQuery>& judged, const std::vector<Matched>& all,
                       const StatementMatcher& matcher, const QueryStatistics& statistics, Report& report) {
  std::vector<std::string> never;
  for (const JudgedQuery& one : judged) {
    const std::string& name = one.explained->query.name;
    const auto has_name = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (has_name(matcher.incomparable_queries) ||
        std::any_of(all.begin(), all.end(),
                    [&](const Matched& matched) { return has_name(matched.queries); }))
      continue;
    never.push_back(name);
  }
  if (never.empty()) return;
  std::vector<std::string> doubts;
  if (statistics.forgotten > 0)
    doubts.push_back(
        fmt::format("statements were thrown out {} times for want of room "
                    "(pg_stat_statements.max)",
                    statistics.forgotten));
  if (statistics.hidden > 0) doubts.emplace_back("some texts are hidden");
  if (matcher.incomparable + static_cast<size_t>(statistics.textless) > 0)
    doubts.emplace_back("some texts could not be compared");
  if (statistics.replicas > 0) doubts.emplace_back("replicas count for themselves");
  report.warnings.push_back(
      {.message = fmt::format("declared, and not among the counted statements{}: {}",
                              since(statistics.statements_since), fmt::join(never, ", ")),
       .where = {},
       .hint = doubts.empty() ? std::string("is the sql that of the application? Constants, parameters and "
                                            "white space may differ, names and aliases may not")
                              : fmt::format("they may have run: {}", fmt::join(doubts, "; "))});
}

void warn_of_unseen(const StatementMatcher& matcher, const QueryStatistics& statistics, Report& report) {
  const auto warn = [&](std::int64_t number, std::string_view why, std::string hint) {
    if (number > 0)
      report.warnings.push_back(
          {.message = fmt::format("{} counted statements were not looked at: {}", number, why),
           .where = {},
           .hint = std::move(hint)});
  };
  warn(statistics.hidden, "they are other roles', and this one may not see their texts",
       "GRANT pg_read_all_stats to the role");
  warn(statistics.textless, "the server has lost their texts", "");
  warn(static_cast<std::int64_t>(matcher.incomparable),
       "their texts are longer or newer than kdb's grammar takes", "");
  if (!matcher.incomparable_queries.empty())
    report.warnings.push_back({.message = fmt::format("not compared with the counted statements: {}",
                                                      fmt::join(matcher.incomparable_queries, ", ")),
                               .where = {},
                               .hint = {}});
}

}  // namespace

void add_statements(const std::vector<JudgedQuery>& judged, const QueryReportInput& input, Report& report) {
  const QueryStatistics& statistics = *input.statistics;
  if (!statistics.statements) {
    report.warnings.push_back(
        {.message = "counted statements were not looked at: " + statistics.why_no_statements,
         .where = {},
         .hint = statistics.statements_hint});
    return;
  }
  StatementMatcher matcher(judged, *statistics.statements);
  const std::vector<Matched> all = matcher.take();
  std::vector<Matched> shown;
  for (const Matched& one : all) {
    const bool worth = !one.queries.empty() || (!input.chosen && one.remarkable());
    if (worth && (shown.size() < most_statements || !one.queries.empty())) shown.push_back(one);
  }
  report.tables.push_back(statement_table(shown));
  warn_of_unseen(matcher, statistics, report);
  warn_of_never_run(judged, all, matcher, statistics, report);
  if (input.chosen) return;
  warn_of_undeclared(all, report);
  warn_of_slow(all, report);
}

}  // namespace kdb
