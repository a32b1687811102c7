#include "pg/explain.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "pg/tidy.hpp"

namespace kdb::pg {

namespace {

using Json = nlohmann::json;

/// A plan is as deep as its query is nested; what is deeper was made to exhaust the stack.
constexpr int deepest_plan = 500;

constexpr double most = 9e15;  // counts above are not exact in JSON's numbers, and nobody has them

double number(const Json& value) {
  if (!value.is_number()) return 0;
  const double read = value.get<double>();
  return std::isfinite(read) ? std::min(std::max(read, -most), most) : 0;
}

std::int64_t count(const Json& value) { return static_cast<std::int64_t>(number(value)); }
int small(const Json& value) { return static_cast<int>(std::min(std::max(number(value), 0.0), 1e6)); }

std::string as_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string joined(std::string text, const Json& more) {
  return text.empty() ? as_text(more) : fmt::format("{} AND {}", text, as_text(more));
}

struct NodeKey {
  std::string_view name;
  void (*read)(const Json& value, PlanNode& node);
};

/// The keys of explain.c that kdb makes something of.
constexpr std::array node_keys{
    NodeKey{"Node Type", [](const Json& v, PlanNode& n) { n.type = as_text(v); }},
    NodeKey{"Custom Plan Provider", [](const Json& v, PlanNode& n) { n.provider = as_text(v); }},
    NodeKey{"Parent Relationship", [](const Json& v, PlanNode& n) { n.relationship = as_text(v); }},
    NodeKey{"Subplan Name", [](const Json& v, PlanNode& n) { n.subplan = as_text(v); }},
    NodeKey{"Join Type", [](const Json& v, PlanNode& n) { n.join_type = as_text(v); }},
    NodeKey{"Strategy", [](const Json& v, PlanNode& n) { n.strategy = as_text(v); }},
    NodeKey{"Partial Mode", [](const Json& v, PlanNode& n) { n.partial = as_text(v); }},
    NodeKey{"Schema", [](const Json& v, PlanNode& n) { n.relation.schema = as_text(v); }},
    NodeKey{"Relation Name", [](const Json& v, PlanNode& n) { n.relation.name = as_text(v); }},
    NodeKey{"Alias", [](const Json& v, PlanNode& n) { n.alias = as_text(v); }},
    NodeKey{"Index Name", [](const Json& v, PlanNode& n) { n.index.name = as_text(v); }},
    NodeKey{"Index Cond", [](const Json& v, PlanNode& n) { n.condition = joined(n.condition, v); }},
    NodeKey{"Hash Cond", [](const Json& v, PlanNode& n) { n.condition = joined(n.condition, v); }},
    NodeKey{"Merge Cond", [](const Json& v, PlanNode& n) { n.condition = joined(n.condition, v); }},
    NodeKey{"Filter", [](const Json& v, PlanNode& n) { n.filter = joined(n.filter, v); }},
    NodeKey{"Vectorized Filter", [](const Json& v, PlanNode& n) { n.filter = joined(n.filter, v); }},
    NodeKey{"Join Filter", [](const Json& v, PlanNode& n) { n.filter = joined(n.filter, v); }},
    NodeKey{"Parallel Aware", [](const Json& v, PlanNode& n) { n.parallel_aware = v == true; }},
    NodeKey{"Total Cost", [](const Json& v, PlanNode& n) { n.cost = number(v); }},
    NodeKey{"Plan Rows", [](const Json& v, PlanNode& n) { n.estimated_rows = number(v); }},
    NodeKey{"Actual Rows", [](const Json& v, PlanNode& n) { n.rows = number(v); }},
    NodeKey{"Actual Loops", [](const Json& v, PlanNode& n) { n.loops = number(v); }},
    NodeKey{"Actual Total Time", [](const Json& v, PlanNode& n) { n.milliseconds = number(v); }},
    NodeKey{"Rows Removed by Filter", [](const Json& v, PlanNode& n) { n.removed_by_filter = number(v); }},
    NodeKey{"Rows Removed by Join Filter", [](const Json& v, PlanNode& n) { n.removed_by_join = number(v); }},
    NodeKey{"Rows Removed by Index Recheck",
            [](const Json& v, PlanNode& n) { n.removed_by_recheck = number(v); }},
    NodeKey{"Heap Fetches", [](const Json& v, PlanNode& n) { n.heap_fetches = count(v); }},
    NodeKey{"Sort Method", [](const Json& v, PlanNode& n) { n.sort_method = as_text(v); }},
    NodeKey{"Sort Space Used", [](const Json& v, PlanNode& n) { n.sort_kb = count(v); }},
    NodeKey{"Sort Space Type", [](const Json& v, PlanNode& n) { n.sort_on_disk = v == "Disk"; }},
    NodeKey{"Hash Batches", [](const Json& v, PlanNode& n) { n.hash_batches = count(v); }},
    NodeKey{"Disk Usage", [](const Json& v, PlanNode& n) { n.disk_kb = count(v); }},
    NodeKey{"Workers Planned", [](const Json& v, PlanNode& n) { n.workers_planned = small(v); }},
    NodeKey{"Workers Launched", [](const Json& v, PlanNode& n) { n.workers_launched = small(v); }},
    NodeKey{"Subplans Removed", [](const Json& v, PlanNode& n) { n.subplans_removed = small(v); }},
    NodeKey{"Shared Hit Blocks", [](const Json& v, PlanNode& n) { n.buffers.hit = count(v); }},
    NodeKey{"Shared Read Blocks", [](const Json& v, PlanNode& n) { n.buffers.read = count(v); }},
    NodeKey{"Shared Dirtied Blocks", [](const Json& v, PlanNode& n) { n.buffers.dirtied = count(v); }},
    NodeKey{"Shared Written Blocks", [](const Json& v, PlanNode& n) { n.buffers.written = count(v); }},
    NodeKey{"Local Hit Blocks", [](const Json& v, PlanNode& n) { n.buffers.local += count(v); }},
    NodeKey{"Local Read Blocks", [](const Json& v, PlanNode& n) { n.buffers.local += count(v); }},
    NodeKey{"Temp Read Blocks", [](const Json& v, PlanNode& n) { n.buffers.temp_read = count(v); }},
    NodeKey{"Temp Written Blocks", [](const Json& v, PlanNode& n) { n.buffers.temp_written = count(v); }},
};

Error no_plan(std::string_view what) {
  return {Exit::failed, fmt::format("the server's EXPLAIN is not what kdb knows: {}", what)};
}

PlanNode read_node(const Json& json, const std::string& schema_above, int depth) {
  if (!json.is_object()) throw no_plan("a node is no object");
  if (depth > deepest_plan) throw no_plan("it is nested too deeply");
  PlanNode node;
  for (const auto& [key, value] : json.items()) {
    if (key == "Plans") continue;
    const auto* known = std::find_if(node_keys.begin(), node_keys.end(),
                                     [&name = key](const NodeKey& one) { return one.name == name; });
    if (known != node_keys.end())
      known->read(value, node);
    else
      node.others[key] = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  if (node.type.empty()) throw no_plan("a node has no type");
  if (node.relation.name.empty()) node.relation = {};
  // A bitmap index scan names no table: its index is of the one above.
  const std::string& schema = node.relation.name.empty() ? schema_above : node.relation.schema;
  if (!node.index.name.empty()) node.index.schema = schema;
  if (const auto plans = json.find("Plans"); plans != json.end()) {
    if (!plans->is_array()) throw no_plan("the nodes below one are no array");
    for (const Json& child : *plans) node.children.push_back(read_node(child, schema, depth + 1));
  }
  return node;
}

void read_jit(const Json& jit, QueryPlan& plan) {
  if (!jit.is_object()) return;
  if (jit.contains("Functions")) plan.jit_functions = small(jit["Functions"]);
  const Json::json_pointer total("/Timing/Total");
  if (jit.contains(total)) plan.jit_ms = number(jit[total]);
}

/// `public` is in everybody's path.
std::string local_settings_sql(const ExplainOptions& options) {
  std::string sql = fmt::format("SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}",
                                options.timeout.count(), options.lock_timeout.count());
  for (const auto& [name, value] : options.settings)
    sql += fmt::format("; SELECT pg_catalog.set_config({}, {}, true)", quote_literal(name),
                       quote_literal(value));
  if (options.schema == "public") return sql;
  return sql + fmt::format(
                   "; SELECT pg_catalog.set_config('search_path', {} || ', ' || "
                   "pg_catalog.current_setting('search_path'), true)",
                   quote_literal(quote_ident(options.schema)));
}

/// Whether the parser may be given it: nesting is what it has no limit for.
bool is_too_deep(std::string_view text) {
  constexpr int deepest_json = 3 * deepest_plan;
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted && text[i] == '\\') ++i;
    if (quoted) continue;
    if (text[i] == '{' || text[i] == '[') ++depth;
    if (text[i] == '}' || text[i] == ']') --depth;
    if (depth > deepest_json) return true;
  }
  return false;
}

}  // namespace

QueryPlan parse_plan_json(std::string_view text) {
  if (is_too_deep(text)) throw no_plan("it is nested too deeply");
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) throw no_plan("it is no JSON");
  if (!json.is_array() || json.size() != 1 || !json[0].is_object() || !json[0].contains("Plan"))
    throw no_plan("it has no plan");
  const Json& top = json[0];
  QueryPlan plan{.root = read_node(top["Plan"], {}, 0)};
  plan.executed = plan.root.rows.has_value();
  if (const auto found = top.find("Planning Time"); found != top.end()) plan.planning_ms = number(*found);
  if (const auto found = top.find("Execution Time"); found != top.end()) plan.execution_ms = number(*found);
  if (const auto found = top.find("JIT"); found != top.end()) read_jit(*found, plan);
  if (const auto found = top.find("Planning"); found != top.end() && found->is_object()) {
    if (found->contains("Shared Hit Blocks"))
      plan.planning_buffers.hit = count((*found)["Shared Hit Blocks"]);
    if (found->contains("Shared Read Blocks"))
      plan.planning_buffers.read = count((*found)["Shared Read Blocks"]);
  }
  if (const auto found = top.find("Settings"); found != top.end() && found->is_object())
    for (const auto& [name, value] : found->items()) plan.settings[name] = as_text(value);
  return plan;
}

QueryPlan explain(Connection& connection, const DeclaredQuery& query, const ExplainOptions& options) {
  std::string statement = fmt::format("EXPLAIN (FORMAT JSON, VERBOSE, SETTINGS, BUFFERS, COSTS{})",
                                      options.analyze ? ", ANALYZE" : "");
  // On a line of its own, so that the server's places are those of the query's own text.
  statement += "\n" + query.sql;
  const bool within = connection.in_transaction();
  const std::string_view end = within ? "ROLLBACK TO SAVEPOINT kdb_explain" : "ROLLBACK";
  connection.exec(within ? "SAVEPOINT kdb_explain; SET TRANSACTION READ ONLY"
                         : "BEGIN TRANSACTION READ ONLY");
  try {
    connection.exec(local_settings_sql(options));
    const std::vector<Result::Value> parameters(query.parameters.begin(), query.parameters.end());
    const Result result = connection.exec(statement, parameters);
    connection.exec(end);
    if (result.size() != 1) throw no_plan("it is not one value");
    return parse_plan_json(result.view(0, 0));
  } catch (ServerError& error) {
    if (!error.session_ended) tidy(connection, end);
    if (error.line > 0) --error.line;
    throw;
  } catch (...) {
    tidy(connection, end);
    throw;
  }
}

}  // namespace kdb::pg
