#include "kinds/difference.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/definition.hpp"
#include "kinds/parameter.hpp"

namespace kdb {

namespace {

std::optional<std::string> find(const Options& options, std::string_view name) {
  for (const auto& [key, value] : options)
    if (key == name) return value;
  return std::nullopt;
}

}  // namespace

RelationNames::RelationNames(const LiveSchema& live) {
  for (const auto& table : live.of<TableProperties>()) {
    take(table.value.name);
    for (const PartIndex& index : table.facts.unlinked) take(index.name);
  }
  for (const auto& index : live.of<Index>()) {
    take(index.value.name);
    for (const PartIndex& part : index.facts.parts) take(part.name);
  }
}

Surroundings::Surroundings(const ServerFacts& server, const LiveSchema& all, const DesiredSchema& desired,
                           const std::vector<ObjectName>& becoming)
    : facts(server), live(all) {
  for (const auto& index : desired.of<Index>())
    if (!index.absent) declared_.insert(index.value.name);
  for (const auto& table : live.of<TableProperties>()) tables_[table.value.name] = &table.facts;
  for (const auto& aggregate : live.of<ContinuousAggregate>()) tables_[aggregate.value.name] = &aggregate_;
  for (const ObjectName& name : becoming) {
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

const Live<Index>* Surroundings::index(const ObjectName& name) const {
  const auto found = indexes_.find(name);
  return found == indexes_.end() ? nullptr : found->second;
}

RelationNames& Surroundings::names() const {
  if (!names_) names_.emplace(live);
  return *names_;
}

std::string field_text(const std::vector<std::string>& member, std::string_view) {
  return fmt::format("{}", fmt::join(member, ", "));
}

std::string field_text(const std::vector<Fragment>& member, std::string_view) { return joined(member); }

void FieldComparer::operator()(std::string_view name, const Options& desired, const Options& live) {
  if (!counts(name)) return;
  for (const auto& [key, value] : desired) {
    const std::optional<std::string> now = find(live, key);
    if (!now || !same_parameter(*now, value))
      changes_.push_back({fmt::format("{}.{}", name, key), now.value_or(""), value});
  }
  if (declared_ != nullptr) return;
  for (const auto& [key, value] : live)
    if (!find(desired, key)) changes_.push_back({fmt::format("{}.{}", name, key), value, ""});
}

}  // namespace kdb
