#include "core/plan_summary.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

#include <fmt/format.h>

#include "base/checksum.hpp"

namespace kdb {

namespace {

/// Of whole numbers of loops and of means of rows.
double total(double each, const PlanNode& node) { return each * std::max(node.loops, 0.0); }

/// TimescaleDB's appends name the hypertable, and read nothing of it by themselves.
bool is_append(const PlanNode& node) {
  return node.provider.find("Append") != std::string::npos || node.type.find("Append") != std::string::npos;
}

bool is_scan(const PlanNode& node) { return !node.relation.name.empty() && !is_append(node); }

bool is_sort(const PlanNode& node) { return node.type == "Sort" || node.type == "Incremental Sort"; }

/// How a node reads its table, in a word.
std::string scan_word(const PlanNode& node) {
  struct Row {
    std::string_view type;
    std::string_view word;
  };
  constexpr Row words[] = {{"Seq Scan", "seq"},
                           {"Sample Scan", "seq"},
                           {"Index Scan", "index"},
                           {"Index Only Scan", "index only"},
                           {"Bitmap Heap Scan", "bitmap"},
                           {"Foreign Scan", "foreign"},
                           {"Tid Scan", "tid"},
                           {"Tid Range Scan", "tid"}};
  for (const Row& row : words)
    if (row.type == node.type) return std::string(row.word);
  return node.provider.empty() ? node.type : "columnar";
}

/// Whether the scan has every row of what it reads go by. Of a columnstore's own table a condition picks
/// batches by their segment and their bounds, and only the rest is decompressed.
bool reads_whole(const PlanNode& node, const PlanFacts::Relation& relation) {
  if (node.type != "Seq Scan" && node.type != "Sample Scan") return false;
  return !relation.columnstore || node.filter.empty();
}

class Summarizer {
 public:
  Summarizer(const QueryPlan& plan, const PlanFacts& facts) : plan_(plan), facts_(facts) {}

  PlanSummary take() {
    summary_.executed = plan_.executed;
    summary_.rows = plan_.root.rows.value_or(plan_.root.estimated_rows);
    const PlanBuffers& buffers = plan_.root.buffers;
    summary_.buffers = buffers.hit + buffers.read;
    summary_.temp_blocks = buffers.temp_read + buffers.temp_written;
    summary_.jit = plan_.jit_functions > 0;
    visit(plan_.root, nullptr, false);
    for (auto& [name, use] : tables_) {
      summary_.planned_parts += static_cast<std::int64_t>(use.planned.size());
      summary_.touched_parts += static_cast<std::int64_t>(use.touched.size());
      summary_.tables.push_back(std::move(use));
    }
    for (auto& [name, use] : indexes_) summary_.indexes.push_back(std::move(use));
    return std::move(summary_);
  }

 private:
  /// `above`: the nearest node that scans a table. `cut_short`: a LIMIT may end it before its last row.
  void visit(const PlanNode& node, const PlanNode* above, bool cut_short) {
    const PlanNode* scan = is_scan(node) ? &node : above;
    if (is_scan(node)) note_scan(node);
    if (!node.index.name.empty() && scan != nullptr) note_index(node, *scan);
    if (is_sort(node)) {
      ++summary_.sorts;
      if (node.sort_on_disk) ++summary_.sorts_on_disk;
    }
    summary_.workers += node.workers_planned;
    note_rows(node);
    note_estimate(node, cut_short);
    for (const PlanNode& child : node.children)
      visit(child, scan, child_is_cut_short(node, child, cut_short));
  }

  void note_scan(const PlanNode& node) {
    const PlanFacts::Relation relation = facts_.of(node.relation);
    TableUse& use = tables_[relation.root];
    use.table = relation.root;
    if (const auto root = facts_.roots.find(relation.root); root != facts_.roots.end()) {
      use.parts = root->second.parts;
      use.table_rows = root->second.rows;
    }
    const bool ran = !plan_.executed || node.loops > 0;
    // The root of a tree has rows of its own only where the server looks into it as into a part.
    if (relation.part != relation.root) {
      use.planned.insert(relation.part);
      if (ran) use.touched.insert(relation.part);
      use.chunks = use.chunks || relation.part.schema == "_timescaledb_internal";
    }
    if (reads_whole(node, relation)) use.read_whole.insert(relation.part);
    if (relation.columnstore) return;  // what the node above makes rows of
    ++use.scans[scan_word(node)];
    use.rows += node.rows ? total(*node.rows, node) : node.estimated_rows;
  }

  void note_index(const PlanNode& node, const PlanNode& scan) {
    const PlanFacts::Relation relation = facts_.of(scan.relation);
    const auto known = facts_.indexes.find(node.index);
    const ObjectName& index = known == facts_.indexes.end() ? node.index : known->second;
    // Each chunk's columnstore has an index by its own name: they are one to whoever reads this.
    const bool going = facts_.going.count(node.index) > 0;
    IndexUse& use = indexes_[{relation.columnstore ? ObjectName{relation.root.schema, ""} : index, going}];
    use.going = going;
    use.index = relation.columnstore ? ObjectName{relation.root.schema, relation.root.name} : index;
    use.table = relation.root;
    use.columnstore = relation.columnstore;
    if (relation.part != relation.root) use.parts.insert(relation.part);
  }

  void note_rows(const PlanNode& node) {
    summary_.heap_fetches += node.heap_fetches;
    summary_.removed_by_recheck += total(node.removed_by_recheck, node);
    if (node.relation.name.empty() || !facts_.of(node.relation).columnstore)
      summary_.removed_by_filter += total(node.removed_by_filter, node);
  }

  void note_estimate(const PlanNode& node, bool cut_short) {
    const bool counts = node.rows && node.loops > 0 && node.type != "BitmapAnd" && node.type != "BitmapOr" &&
                        (node.relation.name.empty() || !facts_.of(node.relation).columnstore);
    if (!counts) return;
    const double estimated = std::max(node.estimated_rows, 1.0);
    const double actual = std::max(*node.rows, 1.0);
    if (cut_short && actual <= estimated) return;  // whoever asked for fewer got fewer
    const double factor = std::max(estimated / actual, actual / estimated);
    if (summary_.worst_estimate && summary_.worst_estimate->factor >= factor) return;
    std::string name = node_name(node);
    if (is_scan(node)) name += " on " + facts_.of(node.relation).root.name;
    summary_.worst_estimate = {std::move(name), node.estimated_rows, *node.rows, factor};
  }

  /// A node that has to see all rows first is not cut short by what happens above it.
  static bool child_is_cut_short(const PlanNode& node, const PlanNode& child, bool cut_short) {
    if (node.type == "Limit") return true;
    // What is looked for in it may be found in the first row.
    if (node.join_type == "Semi" || node.join_type == "Anti" || node.type == "Merge Join") return true;
    if (child.relationship == "InitPlan" || child.relationship == "SubPlan") return true;
    const bool sees_all = node.type == "Sort" || node.type == "Hash" || node.type == "Bitmap Heap Scan" ||
                          (node.type == "Aggregate" && node.strategy != "Sorted");
    return cut_short && !sees_all;
  }

  const QueryPlan& plan_;
  const PlanFacts& facts_;
  PlanSummary summary_;
  std::map<ObjectName, TableUse> tables_;
  std::map<std::pair<ObjectName, bool>, IndexUse> indexes_;  // by name, and whether it is going
};

/// The node and what is below it as text without anything that data changes.
std::string shape_of(const PlanNode& node, const PlanFacts& facts) {
  std::string text =
      fmt::format("{}|{}|{}|{}|{}", node.type, node.provider, node.join_type, node.strategy, node.partial);
  if (!node.relation.name.empty()) {
    const PlanFacts::Relation relation = facts.of(node.relation);
    text += fmt::format("|{}.{}{}", relation.root.schema, relation.root.name,
                        relation.columnstore ? "|columnstore" : "");
    if (relation.columnstore) return text + (node.index.name.empty() ? "" : "|index");
  }
  if (!node.index.name.empty()) {
    const auto known = facts.indexes.find(node.index);
    text += "|" + (known == facts.indexes.end() ? node.index : known->second).name;
    if (facts.going.count(node.index) > 0) text += "|going";
  }
  text += fmt::format("|{}{}", node.condition.empty() ? "" : "c", node.filter.empty() ? "" : "f");
  std::vector<std::string> children;
  for (const PlanNode& child : node.children)
    children.push_back(child.relationship + ":" + shape_of(child, facts));
  if (is_append(node)) {
    // One part more or less that is read like others is the same plan.
    std::sort(children.begin(), children.end());
    children.erase(std::unique(children.begin(), children.end()), children.end());
  }
  return fmt::format("{}({})", text, fmt::join(children, ","));
}

}  // namespace

std::string node_name(const PlanNode& node) {
  return node.provider.empty() ? node.type : fmt::format("{} ({})", node.type, node.provider);
}

PlanSummary summarize(const QueryPlan& plan, const PlanFacts& facts) {
  PlanSummary summary = Summarizer(plan, facts).take();
  constexpr size_t length = 12;  // hexadecimal digits: as much as people compare
  summary.shape = sha256_hex(shape_of(plan.root, facts)).substr(0, length);
  return summary;
}

}  // namespace kdb
