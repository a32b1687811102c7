#include "kinds/difference.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/definition.hpp"

namespace kdb {

namespace {

/// The words that the server takes for a boolean, as one of them (PG docs 8.6).
std::string_view as_boolean(std::string_view word) {
  if (word == "on" || word == "yes" || word == "1") return "true";
  if (word == "off" || word == "no" || word == "0") return "false";
  return word;
}

std::optional<double> as_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string> find(const Options& options, std::string_view name) {
  for (const auto& [key, value] : options)
    if (key == name) return value;
  return std::nullopt;
}

}  // namespace

Surroundings::Surroundings(const ServerFacts& server, const LiveSchema& all,
                           const std::vector<ObjectName>& becoming)
    : facts(server), live(all) {
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

std::string field_text(const std::vector<std::string>& member, std::string_view) {
  return fmt::format("{}", fmt::join(member, ", "));
}

std::string field_text(const std::vector<Fragment>& member, std::string_view) { return joined(member); }

bool same_option(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto numbers = std::pair(as_number(a), as_number(b));
  if (numbers.first && numbers.second) return *numbers.first == *numbers.second;
  return as_boolean(to_lower(a)) == as_boolean(to_lower(b));
}

void FieldComparer::operator()(std::string_view name, const Options& desired, const Options& live) {
  if (!counts(name)) return;
  for (const auto& [key, value] : desired) {
    const std::optional<std::string> now = find(live, key);
    if (!now || !same_option(*now, value))
      changes_.push_back({fmt::format("{}.{}", name, key), now.value_or(""), value});
  }
  if (declared_ != nullptr) return;
  for (const auto& [key, value] : live)
    if (!find(desired, key)) changes_.push_back({fmt::format("{}.{}", name, key), value, ""});
}

}  // namespace kdb
