#include "core/wanted_setting.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/relative_value.hpp"
#include "model/known_settings.hpp"

namespace kdb {

namespace {

/// Settings with a unit of bytes that are no memory.
bool counts_disk(std::string_view name) {
  constexpr std::string_view names[] = {"max_wal_size",       "min_wal_size",       "max_slot_wal_keep_size",
                                        "wal_keep_size",      "temp_file_limit",    "log_rotation_size",
                                        "wal_skip_threshold", "backend_flush_after"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

bool is_from_environment(const WantedSetting& wanted) {
  for (size_t at = wanted.written.find("${"); at != std::string::npos; at = wanted.written.find("${", at + 1))
    if (at == 0 || wanted.written[at - 1] != '$') return true;
  return false;
}

std::optional<Problem> problem_of(const WantedSetting& wanted, const SettingLookup& lookup,
                                  std::string_view version, const std::vector<std::string_view>& names) {
  const auto problem = [&](const std::string& what, std::string hint = {}) {
    return Problem{.message = fmt::format("[server.settings] {} {}", wanted.name, what),
                   .where = wanted.where,
                   .hint = std::move(hint)};
  };
  const SettingFacts* setting = lookup(wanted.name);
  if (setting == nullptr) {
    const size_t dot = wanted.name.find('.');
    if (dot != std::string::npos && wanted.name.find('.', dot + 1) != std::string::npos)
      return problem("has two dots: postgresql.conf takes one (guc-file.l)");
    if (dot != std::string::npos) return std::nullopt;  // an extension's
    if (const std::string_view now = renamed_setting(wanted.name); !now.empty())
      return problem(fmt::format("is no setting of {}", version), fmt::format("it is called {} now", now));
    const auto meant = did_you_mean(wanted.name, names);
    return problem(fmt::format("is no setting of {}", version),
                   meant ? fmt::format("did you mean \"{}\"?", *meant) : "");
  }
  if (setting->context == "internal") return problem("says how the server was built: nobody can set it");
  if (may_hold_password(wanted.name))
    return problem("may hold a password, which every output of kdb would show",
                   "set it on the server: ALTER SYSTEM, or a file of its own");
  const bool relative = is_relative(wanted.value, setting->type);
  std::string wrong =
      relative ? relative_problem(wanted.value, setting->type) : setting_problem(setting->type, wanted.value);
  if (relative && counts_disk(wanted.name)) wrong = "counts disk, and shares are of the memory";
  if (wrong.empty() && is_setting_list(wanted.name) && !setting_list(wanted.name, wanted.value))
    wrong = fmt::format("is no list of names with commas in between: {}", wanted.value);
  if (!wrong.empty())
    return problem(is_from_environment(wanted) ? fmt::format("cannot be what {} is", wanted.written) : wrong);
  return std::nullopt;
}

}  // namespace kdb
