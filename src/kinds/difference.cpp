#include "kinds/difference.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/aggregate_indexes.hpp"
#include "kinds/definition.hpp"
#include "kinds/parameter.hpp"

namespace kdb {

Surroundings::Surroundings(const ServerFacts& server, const LiveSchema& all, const DesiredSchema& desired,
                           const Becoming& becoming, const NameHolders& held)
    : facts(server), live(all), held_(held) {
  declared_.reserve(desired.of<Index>().size());
  tables_.reserve(live.of<TableProperties>().size());
  indexes_.reserve(live.of<Index>().size());
  for (const auto& index : desired.of<Index>())
    if (!index.absent) declared_[index.value.name] = &index.value;
  for (const auto& table : live.of<TableProperties>()) tables_[table.value.name] = &table.facts;
  for (const ObjectName& name : becoming.aggregates) aggregate_homes_[name] = aggregate_index_schema;
  for (const auto& aggregate : live.of<ContinuousAggregate>())
    aggregate_homes_[aggregate.value.name] = aggregate.facts.materialization.schema;
  for (const auto& [name, home] : aggregate_homes_) tables_[name] = &aggregate_;
  for (const ObjectName& name : becoming.hypertables) {
    TableFacts then = table(name);
    then.hypertable = true;
    becoming_[name] = std::move(then);
  }
  for (const auto& index : live.of<Index>()) indexes_[index.value.name] = &index;
}

const TableFacts& Surroundings::table(const ObjectName& name) const {
  if (const auto found = becoming_.find(name); found != becoming_.end()) return found->second;
  static const TableFacts unknown;
  const auto found = tables_.find(name);
  return found == tables_.end() ? unknown : *found->second;
}

std::string Surroundings::home_of(const ObjectName& table) const {
  const auto found = aggregate_homes_.find(table);
  return found == aggregate_homes_.end() ? table.schema : found->second;
}

const Live<Index>* Surroundings::index(const ObjectName& name) const {
  const auto found = indexes_.find(name);
  return found == indexes_.end() ? nullptr : found->second;
}

const Index* Surroundings::declared(const ObjectName& index) const {
  const auto found = declared_.find(index);
  return found == declared_.end() ? nullptr : found->second;
}

bool Surroundings::keeps_its_name(const Live<Index>& index) const {
  return !names_ || (!names_->is_retired(index.value.name) && names_->name_of(index) == real_name(index));
}

const Live<Index>* Surroundings::holder_of(const ObjectName& name) const {
  const auto holds = [&](const Live<Index>& index) {
    return !names().is_retired(index.value.name) && names().name_of(index) == name;
  };
  const auto& indexes = live.of<Index>();
  if (!names().is_taken(name)) return nullptr;
  const auto found = std::find_if(indexes.begin(), indexes.end(), holds);
  return found == indexes.end() ? nullptr : &*found;
}

std::string Surroundings::index_on(const ObjectName& table, const std::string& name) const {
  const TableFacts& its = this->table(table);
  const ObjectName own{table.schema, name};
  const Index* wanted = declared(own);
  const Live<Index>* there = index(own);
  if ((wanted != nullptr && wanted->table == table) ||
      (there != nullptr && there->value.table == table && keeps_its_name(*there)) ||
      std::find(its.constraint_indexes.begin(), its.constraint_indexes.end(), name) !=
          its.constraint_indexes.end())
    return name;
  return names().part_on(its.oid, name);
}

std::string Surroundings::name_by_then(const ObjectName& table, const std::string& name) const {
  if (name.empty() || !names_) return name;
  const Live<Index>* own = index({table.schema, name});
  if (own != nullptr && own->value.table == table) return names_->name_of(*own).name;
  const std::string& oid = this->table(table).oid;
  for (const auto& whole : live.of<Index>())
    if (whole.value.name.name == name)
      for (const PartIndex& part : whole.facts.parts)
        if (part.part == oid) return names_->name_of(whole).name;
  return name;
}

std::string Surroundings::whole_of(const ObjectName& partition, const std::string& part) const {
  const std::string& oid = table(partition).oid;
  for (const auto& index : live.of<Index>())
    for (const PartIndex& one : index.facts.parts)
      if (one.part == oid && one.name.name == part) return index.value.name.name;
  return {};
}

RelationNames& Surroundings::names() const {
  if (!names_) names_.emplace(live, held_);
  return *names_;
}

std::set<ObjectName> Surroundings::new_names() const {
  if (!names_) return {};
  std::set<ObjectName> names = names_->given();
  for (const auto& index : live.of<Index>()) {
    names.erase(real_name(index));
    for (const PartIndex& part : index.facts.parts) names.erase(part.name);
  }
  return names;
}

std::string field_text(const std::vector<std::string>& member, std::string_view) {
  return fmt::format("{}", fmt::join(member, ", "));
}

std::string field_text(const std::vector<Fragment>& member, std::string_view) { return joined(member); }

void FieldComparer::operator()(std::string_view name, const Options& desired, const Options& live) {
  if (!counts(name)) return;
  for (const auto& [key, value] : desired) {
    const std::string* now = live.find(key);
    if (now == nullptr || !same_parameter(*now, value))
      changes_.push_back({fmt::format("{}.{}", name, key), now == nullptr ? "" : *now, value});
  }
  if (declared_ != nullptr) return;
  for (const auto& [key, value] : live)
    if (desired.find(key) == nullptr) changes_.push_back({fmt::format("{}.{}", name, key), value, ""});
}

}  // namespace kdb
