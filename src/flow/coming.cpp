#include "flow/coming.hpp"

#include <algorithm>

#include "base/sql_words.hpp"
#include "pg/catalog.hpp"

namespace kdb::flow {

namespace {

/// Every statement, also those within blocks.
template <class Visitor>
void each_step(const std::vector<MigrationPlan>& plans, const Visitor& visit) {
  for (const MigrationPlan& plan : plans)
    for (const Step& step : plan.steps) {
      visit(step);
      for (const Step& inner : step.block) visit(inner);
    }
}

/// What follows one of the words of CREATE EXTENSION; empty where it is not there.
std::string option(const sql::Words& words, std::string_view word) {
  const size_t at = words.find(word, 0);
  return at == sql::npos ? "" : sql::folded(words.text(at + 1));
}

}  // namespace

std::set<ObjectName> coming_tables(const std::vector<MigrationPlan>& plans, std::string_view default_schema) {
  std::set<ObjectName> tables;
  each_step(plans, [&](const Step& step) {
    if (step.what.command.starts_with("CREATE") && step.what.command.ends_with("TABLE"))
      tables.insert(name_in_catalog(step.what.object, default_schema));
  });
  return tables;
}

std::set<ObjectName> going_tables(const std::vector<MigrationPlan>& plans, std::string_view default_schema) {
  std::set<ObjectName> tables;
  each_step(plans, [&](const Step& step) {
    if (step.what.command == "DROP TABLE") tables.insert(name_in_catalog(step.what.object, default_schema));
  });
  return tables;
}

std::set<ObjectName> coming_roles(const std::vector<MigrationPlan>& plans, const DesiredSchema& desired) {
  std::set<ObjectName> roles;
  for (const auto& declared : desired.of<Role>()) {
    const ObjectName& role = declared.value.name;
    each_step(plans, [&](const Step& step) {
      if (step.sql.find(role.name) != std::string::npos) roles.insert(role);
    });
  }
  return roles;
}

std::vector<Extension> coming_extensions(const std::vector<MigrationPlan>& plans) {
  std::vector<Extension> extensions;
  each_step(plans, [&](const Step& step) {
    if (step.what.command != "CREATE EXTENSION") return;
    const sql::Words words(step.sql);
    extensions.push_back({.name = {"", sql::folded(step.what.object)}, .schema = option(words, "SCHEMA")});
  });
  return extensions;
}

std::vector<Extension> coming_extensions(const DesiredSchema& desired, const LiveSchema& live) {
  std::vector<Extension> extensions;
  for (const auto& declared : desired.of<Extension>()) {
    const auto is_it = [&](const auto& one) { return one.value.name == declared.value.name; };
    const auto& there = live.of<Extension>();
    if (!declared.absent && std::none_of(there.begin(), there.end(), is_it))
      extensions.push_back(declared.value);
  }
  return extensions;
}

ServerFacts facts_with(pg::Connection& connection, ServerFacts facts,
                       const std::vector<Extension>& extensions) {
  for (const Extension& extension : extensions)
    if (!facts.timescale && extension.name.name == "timescaledb")
      facts.timescale = pg::read_coming_timescale(connection, extension);
  return facts;
}

}  // namespace kdb::flow
