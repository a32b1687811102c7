#include "files/queries.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace kdb::files {

namespace {

/// What messages call a query.
std::string query_title(std::string_view name) { return fmt::format("[queries.{}]", name); }

void query_sql(ReadContext& context, const Field& field, DeclaredQuery& query) {
  query.sql_where = field.value.where;
  if (auto text = read_name(context, field)) query.sql = std::move(*text);
}

void query_parameters(ReadContext& context, const Field& field, DeclaredQuery& query) {
  query.parameters_where = field.value.where;
  query.parameters.clear();
  if (field.value.kind != TomlValue::Kind::array)
    return report(context, field, "must be an array, such as [\"2026-01-01 00:00Z\", 50]: $1, $2 and on");
  for (const TomlValue& item : field.value.items)
    query.parameters.push_back(read_scalar(context, {item, field.name}).value_or(""));
}

void query_weight(ReadContext& context, const Field& field, DeclaredQuery& query) {
  if (const auto value = read_number(context, field, 0.001, 1'000'000)) query.weight = *value;
}

void query_latency(ReadContext& context, const Field& field, DeclaredQuery& query) {
  query.latency_where = field.value.where;
  if (const auto value = read_duration(context, field, std::chrono::milliseconds(1)))
    query.max_latency = *value;
}

void query_state(ReadContext& context, const Field& field, DeclaredQuery& query) {
  if (const auto word = read_word(context, field, {"present", "absent"})) query.absent = *word == 1;
}

/// Its names need the schema that only the last file has settled: read_expectations() does it.
void query_expects(ReadContext& context, const Field& field, DeclaredQuery&) {
  if (field.value.kind != TomlValue::Kind::array)
    report(context, field, "must be an array of strings, such as [\"index:NAME\", \"no sort\"]");
}

constexpr Key<DeclaredQuery> query_keys[] = {
    {"sql", query_sql},         {"parameters", query_parameters},
    {"weight", query_weight},   {"max_latency", query_latency},
    {"expects", query_expects}, {"state", query_state},
};

void read_expectations(ReadContext& context, const TomlValue& list, std::string_view schema,
                       DeclaredQuery& query) {
  query.expects.clear();
  for (const TomlValue& item : list.items) {
    const Field field{item, query_title(query.name) + " expects"};
    const auto text = read_name(context, field);
    if (!text) continue;
    Expectation expectation{.object = {}, .text = {}, .where = item.where};
    if (const auto problem = parse_expectation(*text, schema, expectation))
      report(context, field, problem->message, problem->hint);
    else
      query.expects.push_back(std::move(expectation));
  }
}

}  // namespace

void read_queries(ReadContext& context, const TomlValue& root, std::string_view schema,
                  std::vector<DeclaredQuery>& queries) {
  const TomlValue* section = root.find("queries");
  if (section == nullptr) return;
  const auto* members = read_members(context, {*section, "[queries]"});
  if (members == nullptr) return;
  for (const TomlMember& member : *members) {
    const Field field{member.value, query_title(member.key)};
    if (read_members(context, field) == nullptr) continue;
    auto at = std::find_if(queries.begin(), queries.end(),
                           [&](const DeclaredQuery& query) { return query.name == member.key; });
    if (at == queries.end()) at = queries.insert(at, {.name = member.key});
    at->where = member.where;
    read_table<DeclaredQuery>(context, field, field.name + " ", query_keys, *at);
    if (const TomlValue* expects = member.value.find("expects"))
      if (expects->kind == TomlValue::Kind::array) read_expectations(context, *expects, schema, *at);
  }
}

void check_queries(ReadContext& context, std::vector<DeclaredQuery>& queries) {
  std::erase_if(queries, [](const DeclaredQuery& query) { return query.absent; });
  for (const DeclaredQuery& query : queries) {
    if (query.sql_where.line == 0) {
      context.problems.push_back(
          {.message = query_title(query.name) + " has no sql", .where = query.where, .hint = {}});
      continue;
    }
    if (query.sql.empty()) continue;  // could not be read, and that is said
    for (Problem& problem : check(query)) {
      if (problem.where.line == 0) problem.where = query.sql_where;
      context.problems.push_back(std::move(problem));
    }
  }
}

}  // namespace kdb::files
