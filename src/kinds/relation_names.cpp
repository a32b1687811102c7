#include "kinds/relation_names.hpp"

namespace kdb {

RelationNames::RelationNames(const LiveSchema& live, const NameHolders& held) {
  for (const auto& table : live.of<TableProperties>()) {
    taken_.insert(table.value.name);
    for (const PartIndex& index : table.facts.unlinked) taken_.insert(index.name);
  }
  for (const auto& index : live.of<Index>()) {
    taken_.insert(real_name(index));
    for (const PartIndex& part : index.facts.parts) {
      taken_.insert(part.name);
      parts_[{part.part, index.value.name.name}] = part.name.name;
    }
  }
  for (const auto& [name, what] : held) taken_.insert(name);
}

void RelationNames::take(const ObjectName& name) {
  taken_.insert(name);
  given_.insert(name);
}

void RelationNames::take_for_index(const ObjectName& name) {
  take(name);
  of_indexes_.insert(name);
}

void RelationNames::release(const Live<Index>& index) {
  release(name_of(index));
  retire(index);
  for (const PartIndex& part : index.facts.parts) {
    release(name_of(part));
    parts_.erase({part.part, index.value.name.name});
  }
}

void RelationNames::take_part(const std::string& partition, const ObjectName& index, const ObjectName& name) {
  take(name);
  parts_[{partition, index.name}] = name.name;
}

std::string RelationNames::part_on(const std::string& partition, const std::string& index) const {
  const auto found = parts_.find({partition, index});
  return found == parts_.end() ? "" : found->second;
}

void RelationNames::rename_part(const PartIndex& part, const ObjectName& index, const ObjectName& name) {
  release(name_of(part));
  renamed_[part.name] = name;
  take_part(part.part, index, name);
}

void RelationNames::rename(const Live<Index>& index, const ObjectName& name) {
  release(name_of(index));
  renamed_[real_name(index)] = name;
  take_for_index(name);
  for (const PartIndex& part : index.facts.parts) {
    parts_.erase({part.part, index.value.name.name});
    take_part(part.part, name, name_of(part));
  }
}

ObjectName RelationNames::now(const ObjectName& name) const {
  const auto found = renamed_.find(name);
  return found == renamed_.end() ? name : found->second;
}

}  // namespace kdb
