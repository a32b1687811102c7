#include "kinds/index_parts.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/text.hpp"
#include "kinds/index_names.hpp"
#include "kinds/index_part_steps.hpp"
#include "kinds/part_tree.hpp"

namespace kdb {

namespace {

constexpr int per_chunk_builds = 22200;  // TimescaleDB 2.22: chunks' indexes are matched by structure

/// The columns by which ON CONFLICT finds a unique index, in no order.
std::set<std::string> conflict_key(const Index& index) {
  std::set<std::string> key;
  for (const Fragment& column : index.columns) key.insert(column.sql.substr(0, column.sql.find(' ')));
  return key;
}

/// Whether INSERT … ON CONFLICT may find `index` beside another one: on a chunk that lacks it, TimescaleDB
/// fails with "could not find arbiter index". Those of one structure pass for each other, and of one that is
/// there already every chunk more is a gain.
bool is_in_way_of_inserts(const Index& index, const Surroundings& around) {
  if (!index.unique) return false;
  const Live<Index>* there = around.index(index.name);
  if (there != nullptr && there->value.table == index.table &&
      structure_of(there->value) == structure_of(index))
    return false;
  const auto disturbs = [&](const Index& other) {
    return other.unique && conflict_key(other) == conflict_key(index) &&
           structure_of(other) != structure_of(index);
  };
  const auto& indexes = around.live.of<Index>();
  const auto& constraints = around.table(index.table).constraints;
  return std::any_of(indexes.begin(), indexes.end(),
                     [&](const auto& one) {
                       return one.value.table == index.table && !is_leftover(one.value) &&
                              disturbs(one.value);
                     }) ||
         std::any_of(constraints.begin(), constraints.end(),
                     [&](const PartIndex& one) { return disturbs(read_part_index(one)); });
}

/// Builds on the partitions of a partitioned table, at all levels. From the bottom up: attached to an index
/// that is attached itself, the last one that was missing would make the server lock the tables above against
/// everybody, in the order in which no writer can be beside it without a deadlock.
class PartitionBuild {
 public:
  PartitionBuild(const Index& index, const std::string& name, const Live<Index>* begun,
                 const Surroundings& around)
      : do_(index, around), root_{index.table.schema, name}, begun_(begun) {
    for (const Part& part : do_.table().parts) by_oid_[part.oid] = &part;
    if (begun_ != nullptr) note(begun_->facts.parts);
  }

  PartsBuild take() {
    find();
    choose_names();
    declare();
    const auto& parts = do_.table().parts;
    for (const Part& part : parts)
      if (part.is_leaf()) build(part);
    for (auto part = parts.rbegin(); part != parts.rend(); ++part)
      if (!part->is_leaf()) complete(*part);
    if (begun_ != nullptr && !begun_->facts.valid && attached_to_.empty()) look_again(do_.table().oid);
    PartsBuild result{.steps = do_.take(), .names = {}};
    for (const auto& [oid, slot] : slots_) result.names[oid] = slot.name;
    return result;
  }

 private:
  /// The index of a part.
  struct Slot {
    ObjectName name;
    bool there = false;
    bool valid = false;
    bool attached = false;
  };

  void note(const std::vector<PartIndex>& indexes) {
    for (const PartIndex& index : indexes)
      slots_[index.part] = {do_.names().name_of(index), true, index.valid, true};
  }

  /// What partitioned parts have already, each with its own parts.
  void find() {
    for (const Part& part : do_.table().parts) {
      if (part.is_leaf() || slots_.count(part.oid) > 0) continue;
      const Live<Index>* there = do_.twin_on(part);
      if (there == nullptr) continue;
      note(there->facts.parts);
      absorb(part, *there);
    }
  }

  void absorb(const Part& part, const Live<Index>& twin) {
    slots_[part.oid] = {do_.names().name_of(twin), true, twin.facts.valid, false};
    do_.names().retire(twin);
  }

  /// Of those that are still to be made.
  void choose_names() {
    for (const Part* part : in_server_order(do_.table())) {
      if (slots_.count(part->oid) > 0) continue;
      const Live<Index>* there = part->is_leaf() ? do_.twin_on(*part) : nullptr;
      if (there != nullptr && there->facts.valid) {
        absorb(*part, *there);
        continue;
      }
      if (there != nullptr) do_.drop_broken(*part, *there);
      slots_[part->oid].name = choose_part_name(do_, *part);
    }
  }

  /// Everything but the leaves.
  void declare() {
    if (begun_ == nullptr) do_.declare_on(do_.index().table, root_).begins = true;
    for (const Part& part : do_.table().parts)
      if (const Slot& slot = slots_[part.oid]; !part.is_leaf() && !slot.there)
        do_.declare_on(part.name, slot.name).begins = true;
  }

  void build(const Part& part) {
    const Slot& slot = slots_[part.oid];
    if (slot.attached && slot.valid) return;
    if (slot.attached)
      do_.rebuild(part, slot.name);
    else if (!slot.there)
      do_.build_on(part, slot.name);
    attach(part);
  }

  /// One that is partitioned, once its own parts are attached.
  void complete(const Part& part) {
    const Slot& slot = slots_[part.oid];
    if (!slot.valid && attached_to_.count(part.oid) == 0) look_again(part.oid);
    if (!slot.attached) attach(part);
  }

  /// An index that lacks nothing and is invalid: attaching again makes the server look again.
  void look_again(const std::string& parent) {
    for (const Part& part : do_.table().parts)
      if (part.parent == parent) return attach(part);
  }

  void attach(const Part& part) {
    const Part* parent = part.parent == do_.table().oid ? nullptr : by_oid_[part.parent];
    bool begins = true;
    // One that is attached already: its ancestors first, as every writer does.
    if (parent != nullptr && slots_[parent->oid].attached && !slots_[parent->oid].valid)
      for (const ObjectName& table : above(*parent)) {
        do_.add(fmt::format("LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE", to_sql(table)),
                "is locked by what follows: from the top, or writers would be in its way",
                LockMode::access_exclusive, table)
            .begins = std::exchange(begins, false);
      }
    do_.add(fmt::format("ALTER INDEX {} ATTACH PARTITION {}",
                        to_sql(parent == nullptr ? root_ : slots_[parent->oid].name),
                        to_sql(slots_[part.oid].name)),
            "makes it a part of the whole", LockMode::access_exclusive, slots_[part.oid].name)
        .begins = begins;
    attached_to_.insert(part.parent);
  }

  /// The tables above a part, the topmost first.
  std::vector<ObjectName> above(const Part& part) {
    std::vector<ObjectName> tables;
    for (std::string oid = part.parent; oid != do_.table().oid; oid = by_oid_[oid]->parent)
      tables.push_back(by_oid_[oid]->name);
    tables.push_back(do_.index().table);
    std::reverse(tables.begin(), tables.end());
    return tables;
  }

  IndexPartSteps do_;
  ObjectName root_;
  const Live<Index>* begun_;
  std::map<std::string, const Part*> by_oid_;
  std::map<std::string, Slot> slots_;  // by the oid of the part
  std::set<std::string> attached_to_;  // the oids of tables
};

/// Builds on the chunks of a hypertable, which need no attaching.
class ChunkBuild {
 public:
  ChunkBuild(const Index& index, const std::string& name, const Live<Index>* begun,
             const Surroundings& around)
      : do_(index, around), root_{index.table.schema, name}, begun_(begun) {}

  PartsBuild take() {
    if (begun_ == nullptr) do_.declare_on(do_.index().table, root_).begins = true;
    const std::multimap<std::string, PartIndex> there = there_already();
    for (const Part& chunk : do_.table().parts) {
      const auto [begin, end] = there.equal_range(chunk.oid);
      if (std::any_of(begin, end, [](const auto& one) { return one.second.valid; })) continue;
      for (auto broken = begin; broken != end; ++broken)
        do_.drop_broken(chunk, do_.names().name_of(broken->second));
      do_.build_on(chunk, choose_chunk_name(do_, chunk, root_.name));
    }
    return {.steps = do_.take(), .names = {}};
  }

 private:
  /// By the chunk's oid. Of an index that the hypertable has not got, what chunks have belongs to none yet.
  std::multimap<std::string, PartIndex> there_already() const {
    std::multimap<std::string, PartIndex> found;
    if (begun_ != nullptr) {
      for (const PartIndex& one : begun_->facts.parts) found.emplace(one.part, one);
      return found;
    }
    for (const PartIndex& one : do_.table().unlinked)
      if (structure_of(read_part_index(one)) == structure_of(do_.index())) found.emplace(one.part, one);
    return found;
  }

  IndexPartSteps do_;
  ObjectName root_;
  const Live<Index>* begun_;
};

bool matches_chunks(const Surroundings& around) {
  return around.facts.timescale && around.facts.timescale->number >= per_chunk_builds;
}

/// TimescaleDB asks for no right to create where it makes a chunk's index itself, and the server does.
const Part* first_closed(const TableFacts& table) {
  const auto closed =
      std::find_if(table.parts.begin(), table.parts.end(), [](const Part& part) { return part.closed; });
  return closed == table.parts.end() ? nullptr : &*closed;
}

}  // namespace

PartsMethod parts_method(const Index& index, const Surroundings& around) {
  const TableFacts& table = around.table(index.table);
  if (table.parts.empty()) return PartsMethod::whole;
  if (!table.hypertable) {
    // The server never takes an index for complete that was put together beside a foreign table.
    const bool foreign = std::any_of(table.parts.begin(), table.parts.end(),
                                     [](const Part& part) { return part.kind == 'f'; });
    return foreign ? PartsMethod::whole : PartsMethod::partitions;
  }
  if (!matches_chunks(around) || first_closed(table) != nullptr)
    return index.unique ? PartsMethod::whole : PartsMethod::one_transaction;
  return is_in_way_of_inserts(index, around) ? PartsMethod::whole : PartsMethod::chunks;
}

std::string closed_to_chunks(const Index& index, const Surroundings& around) {
  const Part* closed = first_closed(around.table(index.table));
  if (closed == nullptr || !matches_chunks(around) || is_in_way_of_inserts(index, around)) return "";
  return closed->name.schema;
}

Action action_on_parts(Action action, const Index& desired, const std::vector<FieldChange>& fields,
                       const Surroundings& around) {
  const bool parameters = std::any_of(fields.begin(), fields.end(), [](const FieldChange& change) {
    return change.field.starts_with("with.");
  });
  if (!parameters) return action;
  const TableFacts& table = around.table(desired.table);
  if (table.kind == 'p') return Action::replace;  // SET is refused: "not supported for partitioned indexes"
  const bool by_chunk = parts_method(desired, around) == PartsMethod::chunks;
  return by_chunk && can_alter_chunks(desired, fields, around) ? Action::alter : action;
}

PartsBuild build_on_parts(const Index& index, const std::string& name, const Live<Index>* begun,
                          const Surroundings& around) {
  if (around.table(index.table).hypertable) return ChunkBuild(index, name, begun, around).take();
  return PartitionBuild(index, name, begun, around).take();
}

namespace {

std::string counted(const TableFacts& table) {
  return fmt::format("{} {}{}", table.parts.size(), table.hypertable ? "chunk" : "partition",
                     table.parts.size() == 1 ? "" : "s");
}

}  // namespace

std::string with_its_parts(const ObjectName& table, const Surroundings& around) {
  const TableFacts& facts = around.table(table);
  if (facts.parts.empty()) return around.text(table);
  return fmt::format("{} and its {}", around.text(table), counted(facts));
}

Hazard drop_hazard(const Index& index, const Surroundings& around) {
  // A table and an index at every place.
  const auto locks = static_cast<std::int64_t>(2 * (around.table(index.table).parts.size() + 1));
  const std::int64_t slots = around.facts.lock_slots;
  std::string reason = fmt::format("nobody can read or write {} for a moment: {} locks",
                                   with_its_parts(index.table, around), locks);
  if (slots > 0 && locks > slots / 4)
    reason += fmt::format(", and the server has room for about {} in all (max_locks_per_transaction)", slots);
  return {.id = std::string(sql::hazard::access_exclusive),
          .object = around.text(index.table),
          .reason = std::move(reason),
          .needs_rows = true};
}

}  // namespace kdb
