#include "kinds/statistics.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/definition.hpp"
#include "kinds/difference.hpp"

namespace kdb {

namespace {

// By their letters in pg_statistic_ext.stxkind; `e`, of expressions, is not chosen.
constexpr std::array<std::pair<char, std::string_view>, 3> all_kinds = {
    {{'d', "ndistinct"}, {'f', "dependencies"}, {'m', "mcv"}}};

/// In the order of all_kinds; nothing where all are there, or none.
std::vector<std::string> kinds_of(const std::vector<std::string>& letters) {
  std::vector<std::string> kinds;
  for (const auto& [letter, name] : all_kinds)
    if (std::find(letters.begin(), letters.end(), std::string(1, letter)) != letters.end())
      kinds.emplace_back(name);
  if (kinds.size() == all_kinds.size()) kinds.clear();
  return kinds;
}

}  // namespace

std::string Statistics::query_where(std::string_view condition) {
  return fmt::format(R"(
SELECT n.nspname AS schema, s.stxname AS name, tn.nspname AS table_schema, t.relname AS table_name,
       pg_catalog.pg_get_statisticsobjdef_columns(s.oid) AS columns, s.stxkind AS kinds,
       CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget END AS target, d.description AS comment, s.oid
FROM pg_catalog.pg_statistic_ext s
JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
JOIN pg_catalog.pg_class t ON t.oid = s.stxrelid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_description d
  ON d.objoid = s.oid AND d.classoid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass
WHERE {}
ORDER BY n.nspname, s.stxname)",
                     condition);
}

std::string Statistics::catalog_query(const ServerFacts& facts) {
  return query_where(fmt::format(R"(t.relpersistence <> 't'
  AND tn.nspname <> 'information_schema' AND tn.nspname <> {} AND tn.nspname !~ '^(pg_|_timescaledb_)'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.objid = t.oid AND e.deptype = 'e'
                  AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass){})",
                                 quote_literal(facts.history_schema),
                                 is_no_chunk_sql(facts, "tn.nspname", "t.relname")));
}

Statistics Statistics::read(const Row& row) {
  Statistics statistics{.name = {row.text("schema"), row.text("name")},
                        .table = {row.text("table_schema"), row.text("table_name")}};
  statistics.columns = Cutter(row.text("columns")).bare_list();
  statistics.kinds = kinds_of(row.list("kinds"));
  if (row.value("target")) statistics.target = static_cast<int>(row.integer("target"));
  statistics.comment = row.text("comment");
  return statistics;
}

std::vector<std::pair<std::string, std::string>> check(const Statistics& statistics) {
  std::vector<std::pair<std::string, std::string>> problems;
  if (statistics.table.name.empty()) problems.emplace_back("table", "is missing: whose statistics they are");
  if (statistics.columns.empty()) problems.emplace_back("columns", "is missing: what they are about");
  for (const std::string& kind : statistics.kinds)
    if (std::none_of(all_kinds.begin(), all_kinds.end(), [&](const auto& one) { return one.second == kind; }))
      problems.emplace_back("kinds",
                            fmt::format("are ndistinct, dependencies and mcv; \"{}\" is none", kind));
  if (statistics.target && (*statistics.target < 0 || *statistics.target > 10'000))
    problems.emplace_back("target", "must be from 0 to 10000");
  return problems;
}

std::string create_sql(const Statistics& statistics, std::string_view name, std::string_view table) {
  const std::string kinds =
      statistics.kinds.empty() ? "" : fmt::format(" ({})", fmt::join(statistics.kinds, ", "));
  return fmt::format("CREATE STATISTICS {}{} ON {} FROM {}", name, kinds, joined(statistics.columns), table);
}

Action action_of(const Statistics&, const std::vector<FieldChange>& fields) {
  const bool in_place = std::all_of(fields.begin(), fields.end(), [](const FieldChange& change) {
    return change.field == "target" || change.field == "comment";
  });
  return in_place ? Action::alter : Action::replace;
}

std::vector<ChangeStep> steps(const Difference<Statistics>& difference, const Surroundings& around) {
  const Statistics& statistics = difference.desired != nullptr ? *difference.desired : difference.live->value;
  const Action action = difference.action;
  const std::string name = to_sql(statistics.name);
  const std::string table = around.text(statistics.table);
  std::vector<ChangeStep> steps;
  const auto add = [&](std::string sql, std::string purpose, LockMode mode) {
    steps.push_back({.sql = std::move(sql), .purpose = std::move(purpose), .lock = {mode, table}});
  };
  if (action == Action::drop || action == Action::replace)
    add("DROP STATISTICS " + to_sql(difference.live->value.name), "drops them",
        LockMode::share_update_exclusive);
  if (action == Action::drop) return steps;
  if (action == Action::rename)
    add(fmt::format("ALTER STATISTICS {} RENAME TO {}", to_sql(difference.live->value.name),
                    quote_ident(statistics.name.name)),
        "the same definition is there under another name", LockMode::none);
  const bool made = action != Action::alter && action != Action::rename;
  if (made)
    add(create_sql(statistics, name, to_sql(statistics.table)), "declares them",
        LockMode::share_update_exclusive);
  const Statistics before = made ? Statistics{} : difference.live->value;
  if (statistics.target != before.target)
    add(fmt::format("ALTER STATISTICS {} SET STATISTICS {}", name, statistics.target.value_or(-1)),
        "sets how many samples ANALYZE keeps", LockMode::none);
  if (statistics.comment != before.comment)
    add(fmt::format("COMMENT ON STATISTICS {} IS {}", name,
                    statistics.comment.empty() ? "NULL" : quote_literal(statistics.comment)),
        "sets their comment", LockMode::none);
  if (made)
    add("ANALYZE " + to_sql(statistics.table), "fills them, from a sample of the rows",
        LockMode::share_update_exclusive);
  return steps;
}

}  // namespace kdb
