#include "core/plan_tree.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "core/plan_summary.hpp"

namespace kdb {

namespace {

/// What a node is, without anything that differs from part to part.
std::string node_title(const PlanNode& node, const PlanFacts& facts, std::string_view schema) {
  std::string text = node_name(node);
  if (!node.strategy.empty() && node.strategy != "Plain") text += fmt::format(" ({})", node.strategy);
  if (!node.partial.empty() && node.partial != "Simple") text = fmt::format("{} {}", node.partial, text);
  if (!node.join_type.empty() && node.join_type != "Inner") text += fmt::format(" ({})", node.join_type);
  const PlanFacts::Relation relation = facts.of(node.relation);
  if (!node.index.name.empty()) {
    const auto known = facts.indexes.find(node.index);
    text += relation.columnstore
                ? " by its own index"
                : fmt::format(" by {}",
                              to_text(known == facts.indexes.end() ? node.index : known->second, schema));
  }
  if (!node.relation.name.empty())
    text += fmt::format(" on {}{}", relation.columnstore ? "the columnstore of " : "",
                        to_text(relation.root, schema));
  if (!node.subplan.empty()) text = fmt::format("{}: {}", node.subplan, text);
  return text;
}

/// A node with those beside it that are the same but for their part.
struct Alike {
  const PlanNode* node = nullptr;
  std::string shape;
  size_t number = 0;
  double estimated = 0;
  double rows = 0;
  double removed = 0;
  std::int64_t buffers = 0;
  size_t never = 0;  // of them were never executed
};

std::string shape_below(const PlanNode& node, const PlanFacts& facts, std::string_view schema) {
  std::string text = node_title(node, facts, schema);
  for (const PlanNode& child : node.children) text += "(" + shape_below(child, facts, schema) + ")";
  return text;
}

std::vector<Alike> group(const PlanNode& parent, const PlanFacts& facts, std::string_view schema) {
  std::vector<Alike> groups;
  for (const PlanNode& child : parent.children) {
    std::string shape = shape_below(child, facts, schema);
    auto same =
        std::find_if(groups.begin(), groups.end(), [&](const Alike& one) { return one.shape == shape; });
    if (same == groups.end()) same = groups.insert(same, {.node = &child, .shape = std::move(shape)});
    ++same->number;
    same->estimated += child.estimated_rows;
    same->rows += child.rows.value_or(0) * child.loops;
    same->removed += (child.removed_by_filter + child.removed_by_join) * child.loops;
    same->buffers += child.buffers.hit + child.buffers.read;
    if (child.rows && child.loops <= 0) ++same->never;
  }
  return groups;
}

std::string numbers(const Alike& one, bool executed) {
  std::string text = fmt::format("rows {:.0f}", one.estimated);
  if (executed) text += fmt::format(" → {:.0f}, buffers {}", one.rows, one.buffers);
  if (one.removed > 0) text += fmt::format(", removed {:.0f}", one.removed);
  if (one.number > 1) text += fmt::format(", {} times", one.number);
  if (one.never > 0) text += fmt::format(", {} never executed", one.never);
  return text;
}

void print(const Alike& one, const QueryPlan& plan, const PlanFacts& facts, std::string_view schema,
           size_t depth, std::string& text) {
  text += fmt::format("{}{}  [{}]\n", std::string(2 * depth, ' '), node_title(*one.node, facts, schema),
                      numbers(one, plan.executed));
  for (const Alike& child : group(*one.node, facts, schema))
    print(child, plan, facts, schema, depth + 1, text);
}

}  // namespace

std::string plan_tree(const QueryPlan& plan, const PlanFacts& facts, std::string_view schema) {
  PlanNode above;
  above.children.push_back(plan.root);
  std::string text;
  for (const Alike& one : group(above, facts, schema)) print(one, plan, facts, schema, 1, text);
  return text;
}

}  // namespace kdb
