#include "flow/inspect.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/kind_answers.hpp"
#include "core/profile_text.hpp"
#include "kinds/aggregate_indexes.hpp"
#include "pg/catalog.hpp"

namespace kdb::flow {

namespace {

/// What was asked for; an object is wanted by its table.
class Wanted {
 public:
  Wanted(const InspectOptions& options, const LiveSchema& live, std::string_view default_schema)
      : schemas_(options.schemas.begin(), options.schemas.end()) {
    for (const std::string& table : options.tables) tables_.insert(parse_name(table, default_schema));
    refuse_unknown(live, default_schema);
  }

  template <class T>
  bool operator()(const T& object) const {
    const ObjectName* table = table_of(object);
    if (table == nullptr) return schemas_.empty() && tables_.empty();
    return (schemas_.empty() || schemas_.count(table->schema) > 0) &&
           (tables_.empty() || tables_.count(*table) > 0);
  }

 private:
  void refuse_unknown(const LiveSchema& live, std::string_view default_schema) const {
    std::set<ObjectName> known;
    std::set<std::string> known_schemas;
    const auto know = [&](const auto& list) {
      for (const auto& one : list) {
        known.insert(one.value.name);
        known_schemas.insert(one.value.name.schema);
      }
    };
    know(live.of<TableProperties>());
    know(live.of<ContinuousAggregate>());
    std::vector<Problem> problems;
    for (const std::string& schema : schemas_)
      if (known_schemas.count(schema) == 0)
        problems.push_back({.message = fmt::format("no schema \"{}\" with tables", schema)});
    for (const ObjectName& table : tables_)
      if (known.count(table) == 0)
        problems.push_back({.message = fmt::format("no table \"{}\"", to_text(table, default_schema)),
                            .hint =
                                "names are as the catalog has them, with the schema in front unless it is "
                                "[database] schema"});
    if (!problems.empty()) throw Error(Exit::usage, std::move(problems));
  }

  std::set<std::string> schemas_;
  std::set<ObjectName> tables_;
};

void keep(LiveSchema& live, const Wanted& wanted) {
  std::apply(
      [&](auto&... list) { (std::erase_if(list, [&](const auto& one) { return !wanted(one.value); }), ...); },
      live.lists);
}

/// What the database has and a profile cannot say yet.
std::string left_out(const std::vector<pg::Unmanaged>& unmanaged) {
  std::string text;
  for (const pg::Unmanaged& one : unmanaged) text += fmt::format("#   {}: {}\n", one.what, one.number);
  return text.empty() ? text : "# Not in this profile, because kdb does not manage it yet:\n" + text;
}

}  // namespace

namespace {

std::string inspect_once(const Context& context, const InspectOptions& options) {
  const Session session = open_session(context);
  const files::DatabaseSection& database = context.profile.database;
  pg::Connection& connection = *session.connection;
  const ServerFacts facts = pg::read_facts(connection, database.schema, database.history_schema);
  LiveSchema live = pg::read_catalog(connection, facts, context.profile.connection.lock_timeout);
  DesiredSchema nothing;
  tell_apart(live, nothing);
  keep(live, Wanted(options, live, database.schema));
  std::string head = comment_line(session.facts.database + ", as `kdb inspect` found it.");
  if (options.schemas.empty() && options.tables.empty())
    head += left_out(pg::read_unmanaged(connection, facts));
  if (database.schema != "public")
    head += fmt::format("\n[database]\nschema = {}\n", profile_string(database.schema));
  const std::string objects = profile_text(live, database.schema);
  return objects.empty() ? head + "# Nothing that a profile declares.\n" : head + "\n" + objects;
}

}  // namespace

std::string inspect(const Context& context, const InspectOptions& options) {
  return read_again(context, [&] { return inspect_once(context, options); });
}

}  // namespace kdb::flow
