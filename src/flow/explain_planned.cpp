#include "flow/explain_planned.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/setting_changes.hpp"
#include "core/to_report.hpp"
#include "files/migrations.hpp"
#include "flow/picture.hpp"
#include "flow/plan.hpp"
#include "pg/catalog.hpp"
#include "pg/failure.hpp"
#include "pg/hypothetical.hpp"
#include "pg/tidy.hpp"

namespace kdb::flow {

namespace {

/// What of a plan the planner may be told, and the rest.
struct Coming {
  std::vector<const Declared<Index>*> indexes;
  std::vector<std::pair<std::string, std::string>> settings;
  std::set<ObjectName> going;  // live indexes that are dropped or replaced
};

const Declared<Index>* find_index(const files::Profile& profile, const Change& change) {
  const auto& indexes = profile.desired.of<Index>();
  const auto found = std::find_if(indexes.begin(), indexes.end(), [&](const Declared<Index>& one) {
    return to_text(one.value.name, profile.database.schema) == change.object;
  });
  return found == indexes.end() ? nullptr : &*found;
}

Problem unseen(const Change& change, std::string_view why, std::string hint = {}) {
  return {.message = fmt::format("{} {} is not in these plans: {}", change.kind, change.object, why),
          .where = change.where,
          .hint = std::move(hint)};
}

void note_index(const files::Profile& profile, const Change& change, Coming& coming,
                std::vector<Problem>& not_seen) {
  const Declared<Index>* index = find_index(profile, change);
  switch (change.action) {
    case Action::replace:
      coming.going.insert(parse_name(change.object, profile.database.schema));
      not_seen.push_back({.message = fmt::format(
                              "index {}: the plans have the one that it replaces beside it", change.object),
                          .where = change.where,
                          .hint = {}});
      [[fallthrough]];
    case Action::create:
    case Action::repair:
      if (index != nullptr) coming.indexes.push_back(index);
      break;
    case Action::rename:
      not_seen.push_back(unseen(change, fmt::format("it {}", change.reason)));
      break;
    case Action::drop:
      coming.going.insert(parse_name(change.object, profile.database.schema));
      not_seen.push_back(
          {.message = fmt::format("index {} would be dropped, and these plans may use it", change.object),
           .where = change.where,
           .hint = {}});
      break;
    case Action::alter:  // its storage parameters, its comment
    case Action::run:
      break;
  }
}

/// Which of the settings a plan may depend on, and a session can have before the server has them: not
/// temp_buffers, once it has read a temporary table.
std::set<std::string> of_planner(pg::Connection& connection) {
  const pg::Result rows = connection.exec(
      "SELECT name FROM pg_catalog.pg_settings WHERE context = 'user' AND (category ~ '^Query Tuning' "
      "OR category ~ '^Resource Usage' OR category = 'Customized Options') AND name <> 'temp_buffers' "
      "ORDER BY 1");
  std::set<std::string> names;
  for (size_t row = 0; row < rows.size(); ++row) names.insert(rows.text(row, 0));
  return names;
}

void note_settings(const std::vector<Change>& changes, pg::Connection& connection, Coming& coming) {
  if (changes.empty()) return;
  const std::set<std::string> known = of_planner(connection);
  for (const Change& change : changes)
    if (known.count(change.object) > 0 && !change.fields.empty())
      coming.settings.emplace_back(change.object, change.fields.front().desired);
}

/// The first few, and that there are more.
std::string first_of(const std::vector<std::string>& names) {
  constexpr size_t few = 3;
  std::vector<std::string> first = names;
  first.resize(std::min(few, names.size()));
  return fmt::format("{}{}", fmt::join(first, ", "), names.size() > few ? ", …" : "");
}

/// Everything else that a plan would do may change plans as well.
void note_others(const std::vector<const Change*>& others, std::vector<Problem>& not_seen) {
  if (others.empty()) return;
  std::vector<std::string> names;
  names.reserve(others.size());
  for (const Change* one : others) names.push_back(fmt::format("{} {}", one->kind, one->object));
  not_seen.push_back(
      {.message = fmt::format("the plan has {} more {} of which these plans say nothing: {}", others.size(),
                              others.size() == 1 ? "change" : "changes", first_of(names)),
       .where = {},
       .hint = "`kdb plan` shows them; `kdb bench compare` measures a profile as a whole"});
}

/// The pending migrations change plans as well, and nobody knows how before they have run.
DiffOptions note_migrations(const Context& context, const Session& session, std::vector<Problem>& not_seen) {
  const files::MigrationSource& source = context.profile.migrations.source;
  std::error_code ignored;
  if (!std::filesystem::exists(source.folder, ignored)) return {};  // a profile alone has none
  try {
    files::FolderListing listing(source);
    listing.read();
    const Picture picture = look(context, session, listing.finish());
    const std::vector<MigrationPlan> pending = pending_migrations(context, session, picture);
    std::vector<std::string> names;
    for (const MigrationPlan& one : pending)
      names.push_back(title(one.migration.file.version, one.migration.file.name));
    if (!names.empty())
      not_seen.push_back(
          {.message = fmt::format("{} pending {} not in these plans: {}", names.size(),
                                  names.size() == 1 ? "migration is" : "migrations are", first_of(names)),
           .where = {},
           .hint = "`kdb migrate up` applies them"});
    return options_after(pending, context.profile);
  } catch (const Error& error) {
    if (error.exit() != Exit::usage && error.exit() != Exit::history) throw;
    not_seen.push_back({.message = fmt::format("which migrations are pending is not known: {}", error.what()),
                        .where = error.problems().front().where,
                        .hint = error.problems().front().hint});
  } catch (const pg::ServerError& error) {
    if (error.session_ended) throw;
    not_seen.push_back(
        {.message = fmt::format("which migrations are pending is not known: {}", pg::describe(error)),
         .where = {},
         .hint = error.hint});
  }
  return {};
}

/// Why an index is not in plans, and what to do.
struct Lack {
  std::string why;
  std::string hint;
};

Lack lack_of(const std::optional<pg::HypoPg>& hypopg, const Session& session) {
  if (!hypopg)
    return {"the database has no extension hypopg",
            "CREATE EXTENSION hypopg, whose indexes are in plans without being built"};
  return {fmt::format("the role may not use HypoPG, in the schema {}", hypopg->schema),
          fmt::format("GRANT USAGE ON SCHEMA {} TO {}", quote_ident(hypopg->schema),
                      quote_ident(session.facts.user))};
}

Lack lack_of(const std::optional<std::string>& refusal) {
  if (!refusal) return {};
  return {*refusal, "`kdb bench compare` builds it on a sandbox, and measures it"};
}

/// Whose the hypothetical indexes of a plan are: the catalog knows none of them.
void name_hypothetical(const PlanNode& node, const std::map<std::string, ObjectName>& names,
                       PlanFacts& facts) {
  if (const auto found = names.find(node.index.name); found != names.end())
    facts.indexes[node.index] = found->second;
  for (const PlanNode& child : node.children) name_hypothetical(child, names, facts);
}

/// Leaves out what the session refuses: each query would fail with it.
void leave_out_refused(pg::Connection& connection, PlannedDesign& design) {
  std::erase_if(design.settings, [&](const auto& setting) {
    try {
      connection.exec(fmt::format("BEGIN READ ONLY; SELECT pg_catalog.set_config({}, {}, true); ROLLBACK",
                                  quote_literal(setting.first), quote_literal(setting.second)));
      return false;
    } catch (const pg::ServerError& error) {
      if (error.session_ended) throw;
      pg::tidy(connection, "ROLLBACK");
      design.unseen.push_back({.message = fmt::format("{} = {} is not in these plans: {}", setting.first,
                                                      setting.second, pg::describe(error)),
                               .where = {},
                               .hint = error.hint,
                               .details = error.detail});
      return true;
    }
  });
}

Coming look_at_plan(const Context& context, Session& session, std::vector<Problem>& not_seen) {
  const Compared compared = compare(context, session, {.settings = !context.profile.server.settings.empty()},
                                    note_migrations(context, session, not_seen));
  Coming coming;
  std::vector<const Change*> others;
  std::vector<Change> settings;
  for (const Change& change : compared.objects.changes) {
    if (change.kind == Index::word)
      note_index(context.profile, change, coming, not_seen);
    else if (is_of_server(change))
      settings.push_back(change);
    else
      others.push_back(&change);
  }
  note_settings(settings, *session.connection, coming);
  note_others(others, not_seen);
  for (const auto* list : {&compared.objects.problems, &compared.objects.undecided})
    for (const Problem& one : *list) not_seen.push_back(one);
  return coming;
}

}  // namespace

PlannedQueries explain_planned(const Context& context, Session& session, const Explain& explain,
                               const ReadFacts& read_facts) {
  pg::Connection& connection = *session.connection;
  const files::Profile& profile = context.profile;
  PlannedQueries planned;
  PlannedDesign& design = planned.design;
  const Coming coming = look_at_plan(context, session, design.unseen);
  design.settings = coming.settings;
  leave_out_refused(connection, design);
  const auto hypopg = pg::find_hypopg(connection);
  const ServerFacts facts =
      pg::read_facts(connection, profile.database.schema, profile.database.history_schema);
  std::optional<pg::HypotheticalIndexes> hypothetical;
  // They are the backend's, whoever is served by it.
  if (hypopg && hypopg->usable && !coming.indexes.empty()) {
    refuse_transaction_pooler(context, session);
    hypothetical.emplace(connection, *hypopg, facts);
    design.how = "HypoPG " + hypopg->version;
  }
  for (const Declared<Index>* index : coming.indexes) {
    const std::string name = to_text(index->value.name, profile.database.schema);
    const Lack lack = hypothetical ? lack_of(hypothetical->add(index->value)) : lack_of(hypopg, session);
    if (lack.why.empty())
      design.indexes.push_back(index->value.name);
    else
      design.unseen.push_back({.message = fmt::format("index {} is not in these plans: {}", name, lack.why),
                               .where = index->where,
                               .hint = lack.hint});
  }
  planned.queries = explain(design.settings);
  planned.facts = read_facts(planned.queries);
  for (const auto& [part, index] : planned.facts.indexes)
    if (coming.going.count(index) > 0) planned.facts.going.insert(part);
  if (!hypothetical) return planned;
  for (const ExplainedQuery& one : planned.queries)
    if (one.plan) name_hypothetical(one.plan->root, hypothetical->names(), planned.facts);
  for (const ObjectName& index : design.indexes) planned.facts.declared[index] = true;
  return planned;
}

}  // namespace kdb::flow
