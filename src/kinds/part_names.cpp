#include "kinds/part_names.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/index_flags.hpp"
#include "kinds/index_names.hpp"

namespace kdb {

namespace {

using PartsByParent = std::multimap<std::string, const Part*>;

void collect_in_server_order(const PartsByParent& children, const std::string& parent,
                             std::vector<const Part*>& to) {
  const auto [begin, end] = children.equal_range(parent);
  for (const bool rest : {false, true})
    for (auto child = begin; child != end; ++child) {
      if ((child->second->bound == "DEFAULT") != rest) continue;
      to.push_back(child->second);
      collect_in_server_order(children, child->second->oid, to);
    }
}

void rename_part(IndexPartSteps& steps, const Part& part, const ObjectName& from, const ObjectName& to,
                 std::string purpose) {
  steps.add(fmt::format("ALTER INDEX {} RENAME TO {}", to_sql(from), quote_ident(to.name)),
            std::move(purpose), LockMode::share_update_exclusive, part.name);
}

/// An index of a part that the server attaches to the whole, with all that belongs to it.
void note_twin(const Part& part, const Live<Index>& twin, PartNames& names, RelationNames& relations) {
  names[part.oid] = relations.name_of(twin);
  for (const PartIndex& below : twin.facts.parts) names[below.part] = relations.name_of(below);
  relations.retire(twin);
}

}  // namespace

std::vector<const Part*> in_server_order(const TableFacts& table) {
  PartsByParent children;
  for (auto part = table.parts.rbegin(); part != table.parts.rend(); ++part)
    children.emplace(part->parent, &*part);
  std::vector<const Part*> parts;
  collect_in_server_order(children, table.oid, parts);
  return parts;
}

ObjectName choose_part_name(IndexPartSteps& steps, const Part& part) {
  return steps.choose(part.name.schema, [&](const IsTaken& is_taken) {
    return partition_index_name(part.name.name, steps.index(), is_taken);
  });
}

ObjectName choose_chunk_name(IndexPartSteps& steps, const Part& chunk, const std::string& index) {
  return steps.choose(chunk.name.schema, [&](const IsTaken& is_taken) {
    return chunk_index_name(chunk.name.name, index, is_taken);
  });
}

PartNames names_by_server(IndexPartSteps& steps) {
  PartNames names;
  if (steps.table().kind != 'p') return names;
  for (const Part* part : in_server_order(steps.table())) {
    if (part->kind == 'f' || names.count(part->oid) > 0) continue;
    const Live<Index>* twin = steps.first_alike_on(*part);
    for (; twin != nullptr && !twin->facts.valid && twin->facts.building == 0;
         twin = steps.first_alike_on(*part))
      steps.drop_broken(*part, *twin);
    if (twin != nullptr)
      note_twin(*part, *twin, names, steps.names());
    else
      names[part->oid] = steps.expect(part->name.schema, [&](const IsTaken& is_taken) {
        return partition_index_name(part->name.name, steps.index(), is_taken);
      });
  }
  return names;
}

std::vector<ChangeStep> spare_declared_names(PartNames& names, const Index& index,
                                             const Surroundings& around) {
  IndexPartSteps steps(index, around);
  for (const Part* part : in_server_order(steps.table())) {
    const auto found = names.find(part->oid);
    if (found == names.end() || !around.is_declared(found->second)) continue;
    const ObjectName own = choose_part_name(steps, *part);
    rename_part(steps, *part, found->second, own, "a declared index needs the name");
    around.names().release(found->second);  // the server may give it to a part of the next one
    found->second = own;
  }
  return steps.take();
}

std::vector<ChangeStep> rename_on_parts(const PartNames& built, const Index& index, const Live<Index>& old,
                                        const Surroundings& around) {
  RelationNames& names = around.names();
  names.release(old);
  names.take(index.name);
  std::map<std::string, const PartIndex*> before;
  for (const PartIndex& part : old.facts.parts) before[part.part] = &part;
  IndexPartSteps steps(index, around);
  for (const Part* part : in_server_order(steps.table())) {
    const auto found = built.find(part->oid);
    if (found == built.end()) continue;
    names.release(found->second);
    const ObjectName wanted = choose_part_name(steps, *part);
    names.take_part(part->oid, index.name, wanted);
    if (wanted != found->second)
      rename_part(steps, *part, found->second, wanted, "takes the name that has become free");
    const auto old_part = before.find(part->oid);
    if (old_part == before.end()) continue;
    steps.append(set_flags(flags_of(*old_part->second), index, part->name, wanted.name, around));
  }
  return steps.take();
}

namespace {

/// The part that has a name by then, and the index that it is a part of.
struct NamedPart {
  const Live<Index>* whole = nullptr;
  const PartIndex* index = nullptr;
  const Part* part = nullptr;
};

NamedPart find_part(const ObjectName& name, const Surroundings& around) {
  for (const Live<Index>& whole : around.live.of<Index>())
    for (const PartIndex& one : whole.facts.parts) {
      if (around.names().name_of(one) != name) continue;
      for (const Part& part : around.table(whole.value.table).parts)
        if (part.oid == one.part) return {&whole, &one, &part};
    }
  return {};
}

}  // namespace

std::vector<ChangeStep> take_name_from_part(const Index& index, const Surroundings& around) {
  const ObjectName wanted{around.home_of(index.table), index.name.name};
  if (!around.names().is_taken(wanted)) return {};
  const auto [whole, named, part] = find_part(wanted, around);
  if (whole == nullptr) return {};
  IndexPartSteps steps(whole->value, around);
  const ObjectName own = steps.table().hypertable ? choose_chunk_name(steps, *part, whole->value.name.name)
                                                  : choose_part_name(steps, *part);
  rename_part(
      steps, *part, wanted, own,
      fmt::format("gives the name to a declared index; it is a part of {}", around.text(whole->value.name)));
  around.names().rename_part(*named, whole->value.name, own);
  return steps.take();
}

}  // namespace kdb
