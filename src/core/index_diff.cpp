#include "core/index_diff.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "kinds/index_parts.hpp"

namespace kdb {

bool IndexDiff::is_settled(const ObjectName& name) const {
  const auto found = settled_.find(name);
  return found != settled_.end() && !around_.is_retired(found->second);
}

bool IndexDiff::has_gone(const ObjectName& name) const {
  return renamed_.count(name) > 0 || around_.is_retired(name);
}

bool IndexDiff::refuse_new(const Declared<Index>& one) {
  return refuse_schema(one) || refuse_statistics(one) || refuse_name(one) || refuse_on_partitions(one);
}

bool IndexDiff::refuse_schema(const Declared<Index>& one) {
  return refuse_for(schema_problem(one.value, around_), one, one.where);
}

bool IndexDiff::refuse_statistics(const Declared<Index>& one) {
  return refuse_for(statistics_problem(one.value), one, one.where_of("statistics"));
}

bool IndexDiff::refuse_name(const Declared<Index>& one) {
  return refuse_for(name_problem(one.value, around_, options_), one, one.where);
}

bool IndexDiff::refuse_on_partitions(const Declared<Index>& one) {
  return refuse_for(partition_problem(one.value, around_), one, one.where_of("columns"));
}

bool IndexDiff::can_become(const Live<Index>& live, const Index& wanted) const {
  return live.value.table == wanted.table && live.facts.whole() && !is_leftover(live.value);
}

void IndexDiff::move_to_other_tables() {
  for (const IndexMove& move : index_moves(desired_, around_, options_.coming_tables)) {
    const Source& where = move.claimant->where_of("table");
    const std::string reason =
        fmt::format("its name is declared for an index of {}", text(move.claimant->value.table));
    if (move.heir == nullptr) {
      add({.action = Action::drop, .desired = nullptr, .live = move.live, .fields = {}}, where, reason);
      continue;
    }
    settled_[move.heir->value.name] = move.live->value.name;
    renamed_.insert(move.live->value.name);
    if (refuse_name(*move.heir)) continue;
    add({.action = Action::rename, .desired = &move.heir->value, .live = move.live, .fields = {}},
        move.heir->where, reason);
  }
}

void IndexDiff::compare(const Declared<Index>& one, const Live<Index>& live) {
  if (refuse_schema(one) || refuse_statistics(one)) return;
  std::vector<FieldChange> fields = fields_of(one, live, around_.facts.schema);
  if (!live.facts.whole()) return mend(one, live, std::move(fields));
  if (!fields.empty()) change(one, live, std::move(fields));
}

void IndexDiff::change(const Declared<Index>& one, const Live<Index>& live, std::vector<FieldChange> fields) {
  const Action action = action_on_parts(action_of(one.value, fields), one.value, fields, around_);
  if (action == Action::replace) {
    replacing_.insert(build_name(one.value));
    if (refuse_on_partitions(one)) return;
  }
  add({.action = action, .desired = &one.value, .live = &live, .fields = std::move(fields)}, one.where, "");
}

void IndexDiff::mend(const Declared<Index>& one, const Live<Index>& live, std::vector<FieldChange> fields) {
  if (live.facts.building > 0) {
    found_.undecided.push_back(
        {.message = fmt::format("{} is being built by pid {}", title(one.value.name), live.facts.building),
         .where = one.where,
         .hint = "plan again when it is done"});
    return;
  }
  const bool has_parts = live.facts.coverage.leaves > 0;
  if (has_parts &&
      action_on_parts(action_of(one.value, fields), one.value, fields, around_) == Action::replace)
    return change(one, live, std::move(fields));
  if (!has_parts) fields.clear();
  add({.action = Action::repair, .desired = &one.value, .live = &live, .fields = std::move(fields)},
      one.where,
      has_parts ? live.facts.coverage.lack()
                : "is invalid: its build did not end, no query uses it, every write maintains it");
}

void IndexDiff::look_at_undeclared(const Live<Index>& one) {
  if (goes_with_aggregate(one)) return list(one, {.remark = "goes with its continuous aggregate"});
  if (has_gone(one.value.name)) return;
  if (is_leftover(one.value)) return look_at_leftover(one);
  const bool exclusive = exclusive_.count(one.value.table) > 0;
  if (!exclusive || !options_.prune) return list(one, {.drift = exclusive});
  add({.action = Action::drop, .desired = nullptr, .live = &one, .fields = {}}, {},
      "is not declared, and its table's indexes are exclusive");
}

void IndexDiff::look_at_leftover(const Live<Index>& one) {
  if (replacing_.count(one.value.name.name) > 0 || one.facts.building > 0) return;
  add({.action = Action::repair, .desired = nullptr, .live = &one, .fields = {}}, {},
      "is what an interrupted apply left");
}

bool IndexDiff::goes_with_aggregate(const Live<Index>& one) const {
  return around_.is_retired(one.value.name) &&
         std::any_of(found_.changes.begin(), found_.changes.end(), [&](const Change& change) {
           return (change.action == Action::drop || change.action == Action::replace) &&
                  change.kind == ContinuousAggregate::word && change.object == text(one.value.table);
         });
}

}  // namespace kdb
