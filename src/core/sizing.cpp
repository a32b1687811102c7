#include "core/sizing.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"

namespace kdb {

namespace {

const SettingType megabytes{.vartype = "integer", .unit = "MB"};
const SettingType kilobytes{.vartype = "integer", .unit = "kB"};

}  // namespace

int Sizing::cpus() const { return std::max(1, static_cast<int>(std::ceil(facts.cpus.value().value))); }

std::string Sizing::value_of(std::string_view name) const {
  if (const auto found = chosen_.find(name); found != chosen_.end()) return found->second;
  if (const auto found = facts.current.find(name); found != facts.current.end()) return found->second;
  const SettingFacts* setting = find(name);
  return setting == nullptr ? "" : setting->standard;
}

double Sizing::number(std::string_view name) const {
  const SettingFacts* setting = find(name);
  return setting == nullptr ? 0 : setting_number(value_of(name), setting->type).value_or(0);
}

double Sizing::bytes(std::string_view name) const { return number(name) * unit_bytes(name); }
double Sizing::current_bytes(std::string_view name) const { return current(name) * unit_bytes(name); }

double Sizing::unit_bytes(std::string_view name) const {
  constexpr double terabyte = 1024 * gigabyte;
  const SettingFacts* setting = find(name);
  if (setting == nullptr) return 0;
  return terabyte / setting_number("1TB", {.vartype = "real", .unit = setting->type.unit}).value_or(terabyte);
}

bool Sizing::is_on(std::string_view name) const { return setting_boolean(value_of(name)).value_or(false); }

bool Sizing::is_default(std::string_view name) const {
  const SettingFacts* setting = find(name);
  return setting != nullptr && same_setting(name, setting->type, value_of(name), setting->standard);
}

bool Sizing::is_set(std::string_view name) const {
  const SettingFacts* setting = find(name);
  const auto found = facts.current.find(name);
  return setting != nullptr && found != facts.current.end() &&
         !same_setting(name, setting->type, found->second, setting->standard);
}

double Sizing::current(std::string_view name) const {
  const SettingFacts* setting = find(name);
  const auto found = facts.current.find(name);
  if (setting == nullptr || found == facts.current.end()) return 0;
  return setting_number(found->second, setting->type).value_or(0);
}

std::string Sizing::text(std::string_view name) const {
  const SettingFacts* setting = find(name);
  return setting == nullptr ? value_of(name) : shown_setting(value_of(name), setting->type);
}

std::string Sizing::default_text(std::string_view name) const {
  const SettingFacts* setting = find(name);
  return setting == nullptr ? "" : shown_setting(setting->standard, setting->type);
}

std::string people(double bytes) {
  return human_bytes(static_cast<unsigned long long>(std::max(0.0, bytes)));
}

std::string size_text(double bytes) {
  if (bytes >= megabyte) return setting_text(std::floor(bytes / megabyte), megabytes);
  return setting_text(std::max(1.0, std::floor(bytes / 1024)), kilobytes);
}

}  // namespace kdb
