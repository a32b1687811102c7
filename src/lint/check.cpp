#include "lint/check.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "lint/ignores.hpp"

namespace kdb::lint {

namespace {

/// Tables that are filled when they are made: nobody waits for them, though they hold something.
bool makes_filled_table(const Step& step) {
  return step.what.command == "CREATE TABLE AS" || step.what.command == "SELECT INTO" ||
         step.what.command == "CREATE MATERIALIZED VIEW";
}

/// Shows the statements of one migration to the rules.
class Reader {
 public:
  Reader(KnownTables& tables, Findings& findings) : tables_(tables), findings_(findings) {}

  void read(const MigrationScripts& migration, const Script& script) {
    const bool down = script.plan.direction == Direction::down;
    sql::NewRelations made;
    filled_.clear();
    for (const Step& step : script.plan.steps) {
      if (step.block.empty()) read(script, step, made);
      for (const Step& inner : step.block) read(script, inner, made);
      if (!script.plan.one_transaction) made.end_transaction();
    }
    for (const Rule& rule : rules()) {
      if (rule.script == nullptr || (down && !rule.in_down)) continue;
      findings_.of(rule);
      rule.script(migration, script, findings_);
    }
  }

 private:
  void read(const Script& script, const Step& step, sql::NewRelations& made) {
    Statement statement(script, step, tables_, made);
    const bool down = script.plan.direction == Direction::down;
    statement.on_new |= !filled_.empty() && filled_.count(tables_.name_of(statement.table())) > 0;
    for (const Rule& rule : rules()) {
      if (rule.statement == nullptr || (down && !rule.in_down)) continue;
      findings_.of(rule);
      rule.statement(statement, findings_);
    }
    made.run(step.sql, step.what);
    if (makes_filled_table(step)) filled_.insert(tables_.name_of(step.what.object));
    if (!down) tables_.read(statement);
  }

  KnownTables& tables_;
  Findings& findings_;
  std::set<ObjectName> filled_;  // by the script
};

/// By place within each file; files stay in the order in which they came.
void sort(std::vector<Finding>& found) {
  std::map<std::string, size_t> order;
  for (const Finding& finding : found) order.try_emplace(finding.problem.where.file, order.size());
  std::stable_sort(found.begin(), found.end(), [&](const Finding& a, const Finding& b) {
    const Source& x = a.problem.where;
    const Source& y = b.problem.where;
    return std::tuple(order.at(x.file), x.line, x.column) < std::tuple(order.at(y.file), y.line, y.column);
  });
}

bool has_input(const Rule& rule, const Input& input) {
  return rule.needs == Need::files || (input.live != nullptr && input.statistics != nullptr);
}

/// As apply_ignores, by the comments of profiles. With a server there are no migrations to judge by, and what
/// a comment keeps quiet may be found without one only: none is called useless there.
size_t apply_profile_ignores(const Input& input, std::vector<Finding>& found) {
  if (input.commented == nullptr) return 0;
  std::vector<Ignore> ignores;
  for (const SourceText& profile : *input.commented)
    for (Ignore& ignore : read_ignores(profile)) {
      ignore.shared = profile.file != input.profile;
      ignores.push_back(std::move(ignore));
    }
  if (input.live == nullptr) return apply_ignores(std::move(ignores), found, false);
  return std::erase_if(found, [&](const Finding& finding) {
    return std::any_of(ignores.begin(), ignores.end(),
                       [&](const Ignore& ignore) { return ignore.covers(finding); });
  });
}

}  // namespace

Judgement check(const Input& input) {
  Judgement judgement;
  KnownTables tables(input.schema);
  for (const MigrationScripts& migration : input.migrations) {
    Findings findings;
    Reader reader(tables, findings);
    if (migration.up) reader.read(migration, *migration.up);
    if (migration.down) reader.read(migration, *migration.down);
    std::vector<Finding> found = findings.take();
    judgement.suppressed += apply_ignores(read_ignores(migration), found);
    for (Finding& finding : found) judgement.findings.push_back(std::move(finding));
  }
  Findings findings;
  for (const Rule& rule : rules()) {
    if (!has_input(rule, input)) {
      judgement.not_checked.push_back(rule.name);
    } else if (rule.whole != nullptr) {
      findings.of(rule);
      rule.whole(input, tables, findings);
    }
  }
  std::vector<Finding> found = findings.take();
  judgement.suppressed += apply_profile_ignores(input, found);
  for (Finding& finding : found) judgement.findings.push_back(std::move(finding));
  sort(judgement.findings);
  return judgement;
}

}  // namespace kdb::lint
