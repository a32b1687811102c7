#include "core/diff.hpp"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

#include "core/index_diff.hpp"
#include "core/kind_diff.hpp"

namespace kdb {

namespace {

std::set<ObjectName> exclusive_tables(const DesiredSchema& desired) {
  std::set<ObjectName> tables;
  for (const auto& table : desired.of<TableProperties>())
    if (table.value.indexes == "exclusive") tables.insert(table.value.name);
  return tables;
}

void append(std::vector<Change>& to, std::vector<Change> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

template <class... T>
void diff_kinds(KindList<T...>, const DesiredSchema& desired, const LiveSchema& live,
                const Surroundings& around, const DiffOptions& options, Differences& found) {
  const std::set<ObjectName> exclusive = exclusive_tables(desired);
  std::vector<Change> late;
  const auto one_kind = [&]<class Kind>(Kind*, size_t now) {
    if (Kind::rank != now) return;
    using Diff = std::conditional_t<std::is_same_v<Kind, Index>, IndexDiff, KindDiff<Kind>>;
    Diff kind(desired.of<Kind>(), live.of<Kind>(), around, exclusive, options, found);
    kind.run();
    append(late, kind.take_late());
  };
  // In the order in which they run: what changes name, later ones may speak of.
  for (size_t now = 0; now <= last_rank(KindList<T...>{}); ++now)
    (one_kind(static_cast<T*>(nullptr), now), ...);
  append(found.changes, std::move(late));
}

}  // namespace

Differences diff(const DesiredSchema& desired, const LiveSchema& live, const ServerFacts& facts,
                 const DiffOptions& options) {
  Differences found;
  Surroundings::Becoming becoming{.hypertables = {}, .aggregates = options.aggregates};
  if (facts.timescale)
    for (const auto& one : desired.of<Hypertable>()) becoming.hypertables.push_back(one.value.name);
  const Surroundings around(facts, live, desired, becoming, options.held);
  for (const auto& index : live.of<Index>())
    if (options.going_tables.count(index.value.table) > 0) around.names().release(index);
  diff_kinds(Kinds{}, desired, live, around, options, found);
  found.names = around.new_names();
  sort_by_position(found.problems);
  sort_by_position(found.skipped);
  sort_by_position(found.undecided);
  return found;
}

}  // namespace kdb
