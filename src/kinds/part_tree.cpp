#include "kinds/part_tree.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/index_names.hpp"

namespace kdb {

namespace {

/// The number that begins at `at`, without leading zeros; moves behind it.
std::string_view number_at(std::string_view text, size_t& at) {
  while (at + 1 < text.size() && text[at] == '0' && is_digit(text[at + 1])) ++at;
  const size_t begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return text.substr(begin, at - begin);
}

/// Whether `a` comes before `b`, numbers in them compared as such: `FROM (9)` before `FROM (10)`.
bool comes_before(std::string_view a, std::string_view b) {
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const std::string_view x = number_at(a, i);
      const std::string_view y = number_at(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[i] != b[j]) {
      return a[i] < b[j];
    } else {
      ++i;
      ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

/// Newest first; what takes the rest of the rows comes last. By name where nothing is known.
bool is_newer(const Part& a, const Part& b) {
  const bool rest_a = a.bound == "DEFAULT";
  const bool rest_b = b.bound == "DEFAULT";
  if (rest_a != rest_b) return rest_b;
  if (comes_before(b.bound, a.bound)) return true;
  if (comes_before(a.bound, b.bound)) return false;
  return a.name < b.name;
}

using Children = std::map<std::string, std::vector<Part>>;

void collect(const Children& children, const std::string& parent, std::vector<Part>& to) {
  const auto found = children.find(parent);
  if (found == children.end()) return;
  for (const Part& part : found->second) {
    to.push_back(part);
    collect(children, part.oid, to);
  }
}

using IndexChildren = std::map<std::string, std::vector<const PartIndex*>>;

void collect(const IndexChildren& children, const std::string& parent, std::vector<PartIndex>& to) {
  const auto found = children.find(parent);
  if (found == children.end()) return;
  for (const PartIndex* index : found->second) {
    to.push_back(*index);
    collect(children, index->oid, to);
  }
}

/// A hypertable and where the indexes of its chunks go.
struct IndexedHypertable {
  TableFacts* facts = nullptr;
  std::vector<Live<Index>*> roots;
  std::multimap<std::string, Live<Index>*> by_structure;
};

/// A structure in which expressions and conditions only count as being there. TimescaleDB simplifies them
/// when it makes a chunk's index: `(v > (0)::numeric)` is `(v > '0'::numeric)` there.
std::string shape_of(Index index) {
  for (Fragment& column : index.columns)
    if (column.sql.find('(') != std::string::npos) column.sql = "()";
  if (!index.where.sql.empty()) index.where.sql = "()";
  return structure_of(index);
}

void link(IndexedHypertable& table, const ObjectName& chunk, const PartIndex& index) {
  const Index value = read_part_index(index);
  const auto [begin, end] = table.by_structure.equal_range(structure_of(value));
  // Of several indexes of one structure, it is the one's whose name it has; TimescaleDB takes it for any.
  bool named = false;
  for (auto root = begin; root != end; ++root) {
    if (!is_chunk_index_name(chunk.name, root->second->value.name.name, index.name.name)) continue;
    root->second->facts.parts.push_back(index);
    named = true;
  }
  if (named) return;
  for (auto root = begin; root != end; ++root) root->second->facts.parts.push_back(index);
  if (begin != end) return;
  for (Live<Index>* root : table.roots)
    if (is_chunk_index_name(chunk.name, root->value.name.name, index.name.name) &&
        shape_of(root->value) == shape_of(value))
      return root->facts.parts.push_back(index);
  table.facts->unlinked.push_back(index);
}

/// A chunk, or a hypertable itself.
struct Place {
  IndexedHypertable* table = nullptr;
  ObjectName name;
};

void link_chunks(LiveSchema& live, const std::vector<PartIndex>& indexes) {
  std::map<ObjectName, IndexedHypertable> tables;
  for (auto& table : live.of<TableProperties>())
    if (table.facts.hypertable) tables[table.value.name].facts = &table.facts;
  for (auto& index : live.of<Index>())
    if (const auto found = tables.find(index.value.table); found != tables.end()) {
      found->second.roots.push_back(&index);
      found->second.by_structure.emplace(structure_of(index.value), &index);
    }
  std::map<std::string, Place> places;  // by oid
  for (auto& table : live.of<TableProperties>()) {
    const auto found = tables.find(table.value.name);
    if (found == tables.end()) continue;
    places[table.facts.oid] = {&found->second, found->first};
    for (const Part& part : table.facts.parts) places[part.oid] = {&found->second, part.name};
  }
  for (const PartIndex& index : indexes) {
    const auto found = places.find(index.part);
    if (found == places.end() || index.definition.empty()) continue;
    if (index.constraint)
      found->second.table->facts->constraints.push_back(index);
    else
      link(*found->second.table, found->second.name, index);
  }
}

void note_coverage(LiveSchema& live) {
  std::map<ObjectName, const TableFacts*> tables;
  for (const auto& table : live.of<TableProperties>())
    if (!table.facts.parts.empty()) tables[table.value.name] = &table.facts;
  for (auto& index : live.of<Index>()) {
    const auto table = tables.find(index.value.table);
    if (table == tables.end()) continue;
    IndexFacts& facts = index.facts;
    std::set<std::string_view> covered;
    for (const PartIndex& part : facts.parts) {
      facts.building = std::max(facts.building, part.building);
      if (part.valid) covered.insert(part.part);
    }
    facts.coverage.chunks = table->second->hypertable;
    for (const Part& part : table->second->parts) {
      if (part.kind != 'r') continue;  // a foreign table has no index
      ++facts.coverage.leaves;
      if (covered.count(part.oid) > 0) ++facts.coverage.covered;
    }
  }
}

/// `comments of its parts: a, b, c and 12 more`.
std::string of_parts(std::string_view what, const std::vector<std::string>& parts) {
  constexpr size_t shown = 3;
  const size_t number = std::min(parts.size(), shown);
  std::string text =
      fmt::format("{} of its parts: {}", what,
                  fmt::join(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(number), ", "));
  if (parts.size() > number) text += fmt::format(" and {} more", parts.size() - number);
  return text;
}

/// What partitions' parts of an index have of their own, and none that is built again will have.
/// `partitions`: their names by oid.
void note_own(Live<Index>& index, const std::map<std::string, std::string>& partitions) {
  struct Own {
    std::string_view what;
    std::vector<std::string> parts;
  };
  Own names{"own names", {}};
  Own parameters{"own storage parameters", {}};
  Own tablespaces{"own tablespaces", {}};
  Own targets{"statistics targets", {}};
  Own comments{"comments", {}};
  Own orders{"own column orders", {}};
  const std::string columns = column_part(index.value);
  for (const PartIndex& part : index.facts.parts) {
    const std::string& name = part.name.name;
    const auto partition = partitions.find(part.part);
    if (partition != partitions.end() && !is_partition_index_name(partition->second, columns, name))
      names.parts.push_back(name);
    if (part.with != index.value.with) parameters.parts.push_back(name);
    if (part.tablespace != index.value.tablespace) tablespaces.parts.push_back(name);
    if (part.statistics != index.value.statistics) targets.parts.push_back(name);
    if (part.commented) comments.parts.push_back(name);
    if (part.own_order) orders.parts.push_back(name);
  }
  for (const Own* own : {&names, &parameters, &tablespaces, &targets, &comments, &orders})
    if (!own->parts.empty()) index.facts.unmanaged.push_back(of_parts(own->what, own->parts));
}

}  // namespace

Index read_part_index(const PartIndex& index) {
  Index value{.name = index.name};
  cut_definition(index.definition, value);
  value.with = index.with;
  return value;
}

bool may_have_parts(const LiveSchema& live) {
  const auto& tables = live.of<TableProperties>();
  return std::any_of(tables.begin(), tables.end(),
                     [](const auto& table) { return table.facts.kind == 'p' || table.facts.hypertable; });
}

void add_partition_keys(LiveSchema& live, const std::vector<PartitionKey>& keys) {
  std::map<std::string_view, const PartitionKey*> by_table;
  for (const PartitionKey& key : keys) by_table[key.table] = &key;
  for (auto& table : live.of<TableProperties>())
    if (const auto found = by_table.find(table.facts.oid); found != by_table.end())
      table.facts.partition_key = found->second->columns;
}

void add_parts(LiveSchema& live, std::vector<Part> parts, std::vector<PartIndex> indexes) {
  Children children;
  std::map<std::string, std::string> names;
  for (const Part& part : parts) names[part.oid] = part.name.name;
  for (Part& part : parts) children[part.parent].push_back(std::move(part));
  for (auto& [parent, list] : children) std::sort(list.begin(), list.end(), is_newer);
  for (auto& table : live.of<TableProperties>()) collect(children, table.facts.oid, table.facts.parts);

  IndexChildren attached;
  for (const PartIndex& index : indexes)
    if (!index.parent.empty()) attached[index.parent].push_back(&index);
  for (auto& index : live.of<Index>())
    if (index.facts.partitioned) {
      collect(attached, index.facts.oid, index.facts.parts);
      note_own(index, names);
    }
  link_chunks(live, indexes);
  note_coverage(live);
}

}  // namespace kdb
