#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "lint/rules.hpp"

namespace kdb::lint {

namespace {

using Kind = TableAction::Kind;

void check_detach(const Statement& statement, Findings& findings) {
  if (statement.on_new) return;
  for (const TableAction& action : statement.actions) {
    if (action.kind != Kind::detach_partition || statement.step.what.outside_transaction) continue;
    if (statement.words.is(action.body, "finalize")) continue;
    findings.add(statement.at(action.first),
                 fmt::format("detaching {} locks {} with all its partitions until the transaction ends",
                             statement.words.name(action.name), statement.table()),
                 "DETACH PARTITION … CONCURRENTLY, in a migration of its own");
  }
}

void check_rewrite(const Statement& statement, Findings& findings) {
  if (!statement.is("VACUUM") && !statement.is("CLUSTER")) return;
  if (statement.on_new || !statement.has_hazard(sql::hazard::table_rewrite)) return;
  const std::string& object = statement.step.what.object;
  findings.add(statement.at(0),
               fmt::format("{} writes {} again, and nobody can read or write it meanwhile",
                           statement.is("VACUUM") ? "VACUUM FULL" : "CLUSTER",
                           object.empty() ? "every table" : object),
               "a plain VACUUM makes the room usable again; pg_repack gives it back beside running writes");
}

void check_domain(const Statement& statement, Findings& findings) {
  if (!statement.is("CREATE DOMAIN")) return;
  for (const std::string_view phrase : {"constraint", "check", "not null"}) {
    const size_t found = statement.words.find(phrase, 2);
    if (found == npos) continue;
    findings.add(statement.at(found),
                 fmt::format("what domain {} demands can later be changed for all its columns at once only",
                             statement.step.what.object),
                 "a CHECK on each table can be added NOT VALID and validated table by table");
    return;
  }
}

void check_domain_constraint(const Statement& statement, Findings& findings) {
  if (!statement.is("ALTER DOMAIN")) return;
  const sql::Words& words = statement.words;
  const size_t change = words.skip_name(statement.object);
  const bool searched = (words.is(change, "add") && words.find("not valid", change) == npos) ||
                        words.match(change, "set not null");
  if (!searched) return;
  findings.add(statement.at(change),
               fmt::format("nobody can write to any table with a column of {} while all of them are checked",
                           statement.step.what.object),
               "ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT when it is quiet");
}

}  // namespace

Rule require_concurrent_partition_detach() {
  return {.name = "require-concurrent-partition-detach",
          .level = Finding::Level::note,
          .summary = "DETACH PARTITION without CONCURRENTLY",
          .why =
              "The lock is held for a moment only, and kdb gives up waiting for it after lock_timeout and "
              "tries again; but beside slow statements in the same file the moment is as long as they are.",
          .lock = "ACCESS EXCLUSIVE on the partitioned table and the partition until the transaction ends",
          .instead =
              "  ALTER TABLE t DETACH PARTITION t_2025 CONCURRENTLY;\n"
              "Not possible beside a default partition.",
          .aliases = {"require-concurrent-detach-partition"},
          .statement = check_detach};
}

Rule prefer_repack() {
  return {.name = "prefer-repack",
          .summary = "VACUUM FULL or CLUSTER of a table in use",
          .why = "The table and its indexes are written again, with twice the room on disk while it lasts.",
          .lock = "ACCESS EXCLUSIVE on the table while it is written: reads and writes wait",
          .instead =
              "A plain VACUUM gives the room to new rows and blocks nobody. Where the disk must have it "
              "back, the extension pg_repack does the same beside running writes.",
          .statement = check_rewrite};
}

Rule ban_create_domain_with_constraint() {
  return {.name = "ban-create-domain-with-constraint",
          .level = Finding::Level::note,
          .summary = "a domain with a constraint",
          .why =
              "A later change of the constraint concerns every column of the domain in every table, and is "
              "checked in all of them at once.",
          .lock = "none now; SHARE on all tables with such a column when it is changed",
          .instead = "Constraints of the tables can be changed one by one, without blocking.",
          .statement = check_domain};
}

Rule ban_alter_domain_with_add_constraint() {
  return {.name = "ban-alter-domain-with-add-constraint",
          .summary = "a constraint that is added to a domain, and checked at once",
          .why = "Every table with a column of the domain is read before the statement ends.",
          .lock = "SHARE on each of these tables: writes wait",
          .instead =
              "  ALTER DOMAIN d ADD CONSTRAINT d_check CHECK (value > 0) NOT VALID;\n"
              "  ALTER DOMAIN d VALIDATE CONSTRAINT d_check; -- reads all of them too: when it is quiet",
          .statement = check_domain_constraint};
}

}  // namespace kdb::lint
