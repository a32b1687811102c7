#include "flow/at_stake.hpp"

#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/hazards.hpp"
#include "pg/failure.hpp"

namespace kdb::flow {

namespace {

/// What the database has of the relations in question, and whether users have any. What an extension brought
/// is not theirs, and neither is kdb's history.
pg::Result ask(const Session& session, const HazardScope& scope) {
  std::string names = "''";
  for (const std::string& name : scope.relations) names += ", " + quote_literal(name);
  return session.connection->exec(fmt::format(
      R"(SELECT DISTINCT relname::text, false AS theirs FROM pg_catalog.pg_class WHERE relname IN ({})
UNION ALL (
  SELECT '', true FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm', 'f', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema', {})
    AND n.nspname !~ '^pg_(toast|temp_)' AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
  LIMIT 1)
ORDER BY 1)",
      names, quote_literal(session.store.schema())));
}

}  // namespace

bool note_hazards_now(const Session& session, std::vector<MigrationPlan>& plans) {
  note_hazards(plans);
  const HazardScope scope = hazard_scope(plans);
  if (!scope.any) return false;
  std::set<std::string> existing;
  bool theirs = false;
  try {
    const pg::Result rows = ask(session, scope);
    for (size_t row = 0; row < rows.size(); ++row) {
      theirs |= rows.text(row, 1) == "t";
      existing.insert(rows.text(row, 0));
    }
  } catch (const pg::ServerError&) {
    return true;  // a lost connection is made again by what comes next; till then every hazard counts
  }
  if (!theirs) return scope.other_databases;  // and what is noted is what the files say
  note_hazards(plans, std::move(existing));
  return hazard_scope(plans).any;
}

}  // namespace kdb::flow
