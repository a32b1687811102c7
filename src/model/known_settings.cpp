#include "model/known_settings.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace kdb {

namespace {

/// A setting in the majors in which nothing about it changed. Views: all of it is there before the program
/// runs.
struct KnownSetting {
  std::string_view name;
  int first_major = 0;
  int last_major = 0;
  std::string_view context;
  std::string_view vartype;
  std::string_view standard;
  std::string_view unit = {};
  double least = 0;
  double most = 0;
  std::string_view choices = {};  // between commas; one may be empty
};

/// By name in lower case.
constexpr KnownSetting settings_table[] = {
#include "model/known_settings_table.inc"
};

constexpr bool table_reaches(int major) {
  return std::any_of(std::begin(settings_table), std::end(settings_table),
                     [&](const KnownSetting& one) { return one.last_major == major; });
}
static_assert(table_reaches(newest_known_major) && !table_reaches(newest_known_major + 1),
              "newest_known_major is not that of the table");

SettingFacts known_facts(const KnownSetting& one) {
  SettingFacts facts{.name = std::string(one.name),
                     .context = std::string(one.context),
                     .type = {.vartype = std::string(one.vartype),
                              .unit = std::string(one.unit),
                              .least = one.least,
                              .most = one.most,
                              .choices = {}},
                     .standard = std::string(one.standard)};
  if (one.vartype == "enum")
    for (const std::string_view choice : split(one.choices, ',')) facts.type.choices.emplace_back(choice);
  return facts;
}

std::vector<SettingFacts> settings_of_major(int major) {
  std::vector<SettingFacts> settings;
  for (const KnownSetting& one : settings_table)
    if (one.first_major <= major && major <= one.last_major) settings.push_back(known_facts(one));
  return settings;
}

/// Those of the major if it is this one or a later one, made when they are first asked for.
template <int candidate>
const std::vector<SettingFacts>& settings_from(int major) {
  if constexpr (candidate > newest_known_major) {
    static const std::vector<SettingFacts> none;
    return none;
  } else {
    if (major != candidate) return settings_from<candidate + 1>(major);
    static const std::vector<SettingFacts> settings = settings_of_major(candidate);
    return settings;
  }
}

/// Of extensions, what rules ask for: TimescaleDB's guc.c.
const SettingFacts* extension_setting(std::string_view name) {
  static const SettingFacts workers{
      .name = "timescaledb.max_background_workers",
      .context = "postmaster",
      .type = {.vartype = "integer", .unit = "", .least = 0, .most = 1000, .choices = {}},
      .standard = "16"};
  return name == workers.name ? &workers : nullptr;
}

}  // namespace

const std::vector<SettingFacts>& known_settings(int major) {
  return settings_from<oldest_known_major>(major);
}

const SettingFacts* find_known_setting(int major, std::string_view name) {
  const std::vector<SettingFacts>& settings = known_settings(major);
  const std::string folded = to_lower(name);
  const auto found = std::lower_bound(
      settings.begin(), settings.end(), folded,
      [](const SettingFacts& one, const std::string& wanted) { return to_lower(one.name) < wanted; });
  if (found == settings.end() || to_lower(found->name) != folded) return extension_setting(folded);
  return &*found;
}

std::string_view renamed_setting(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"sort_mem", "work_mem"},
      {"vacuum_mem", "maintenance_work_mem"},
      {"force_parallel_mode", "debug_parallel_query"},
      {"ssl_ecdh_curve", "ssl_groups"},
      {"checkpoint_segments", "max_wal_size"},
      {"wal_keep_segments", "wal_keep_size"}};
  for (const auto& [old, now] : names)
    if (equals_ignore_case(old, name)) return now;
  return {};
}

}  // namespace kdb
