#include "core/setting_diff.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {

bool same_name(std::string_view a, std::string_view b) { return equals_ignore_case(a, b); }

constexpr std::string_view not_applied = "setting could not be applied";

/// Whether the server takes the line, now or when it starts again. What waits has the same error as what it
/// refuses; a setting whose line is gone, and which waits for that, has one without a name and a place.
bool is_taken(const FileSetting& line, const ServerSettingLookup& live) {
  if (line.error.empty()) return true;
  if (line.name.empty()) return line.place.find('/') == std::string::npos;
  const ServerSetting* setting = live(line.name);
  return line.error == not_applied && setting != nullptr && setting->facts.needs_restart() &&
         setting_problem(setting->facts.type, line.value).empty();
}

/// The line of the files that counts; null where none does.
const FileSetting* file_line(const ServerFiles& files, std::string_view name,
                             const ServerSettingLookup& live) {
  const FileSetting* found = nullptr;
  if (files.lines)
    for (const FileSetting& line : *files.lines)
      if (same_name(line.name, name) && is_taken(line, live)) found = &line;
  return found;
}

/// Whether what kdb's session has may be its role's or its database's, and not the server's. kdb itself sets
/// some for its session, whose reset value is still of the server, unless one of these is there.
bool is_hidden(const ServerSetting& setting, const ServerFiles& files) {
  const std::string& source = setting.source;
  if (source == "database" || source == "user" || source == "database user" || source == "client" ||
      source == "interactive")
    return true;
  return source == "session" &&
         std::any_of(files.overrides.begin(), files.overrides.end(),
                     [&](const SettingOverride& one) { return same_name(one.name, setting.facts.name); });
}

/// What the server has, whoever connects.
struct ServerState {
  std::optional<std::string> running;  // nothing where kdb cannot see it
  std::optional<std::string> coming;   // what its files say, at the next reload or start
};

ServerState state_of(const ServerSetting& setting, const FileSetting* line, const ServerFiles& files) {
  ServerState state;
  if (!is_hidden(setting, files)) state.running = setting.value;
  if (setting.source == "command line" || !files.lines) {
    state.coming = state.running;
  } else if (line != nullptr) {
    state.coming = line->value;
  } else if (setting.pending_restart || !state.running) {
    state.coming = setting.facts.standard;  // its line is gone
  } else {
    state.coming = state.running;
  }
  return state;
}

/// Whether the server would have the desired value: some defaults stand for what it works out at its start.
bool has_value(const ServerSetting& setting, const std::string& value, const std::string& desired,
               const CanonicalValues& canonical) {
  const SettingFacts& facts = setting.facts;
  const auto kept = canonical.find(facts.name);
  return same_setting(facts.name, facts.type, value, desired) ||
         (kept != canonical.end() && kept->second == value) ||
         (setting.source == "default" && same_setting(facts.name, facts.type, value, setting.value) &&
          same_setting(facts.name, facts.type, desired, facts.standard));
}

std::string whose(const SettingOverride& one) {
  const std::string role = one.role.empty() ? "every role" : fmt::format("role {}", one.role);
  return one.database.empty() ? role : fmt::format("{} in database {}", role, one.database);
}

Finding warning(std::string rule, std::string message, std::string hint = {}) {
  return {.rule = std::move(rule),
          .level = Finding::Level::warning,
          .problem = {.message = std::move(message), .where = {}, .hint = std::move(hint)}};
}

void find_shadows(const SettingLine& line, const SettingFacts& facts, const ServerFiles& files,
                  std::vector<Finding>& findings) {
  for (const SettingOverride& one : files.overrides)
    if (same_name(one.name, line.name) && !same_setting(line.name, facts.type, one.value, line.value))
      findings.push_back({.rule = "shadowed-setting",
                          .level = Finding::Level::note,
                          .problem = {.message = fmt::format(
                                          "{} = {} is not what sessions of {} get: theirs is {}", line.name,
                                          line.value, whose(one), shown_setting(one.value, facts.type)),
                                      .where = {},
                                      .hint = {}}});
}

/// Whether an extension whose settings are all known, because it is loaded, would have this one: TimescaleDB
/// has most of its own only in a database that has the extension.
bool is_of_loaded_extension(std::string_view name, const std::vector<std::string_view>& names) {
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return false;
  const auto has = [&](auto matches) { return std::any_of(names.begin(), names.end(), matches); };
  if (equals_ignore_case(name.substr(0, dot), "timescaledb") &&
      !has([](std::string_view one) { return one == "timescaledb.license"; }))
    return false;
  return has([&](std::string_view one) {
    return equals_ignore_case(one.substr(0, dot + 1), name.substr(0, dot + 1));
  });
}

void find_misspelt(std::string_view name, const std::string& place, const ServerSettingLookup& live,
                   const std::vector<std::string_view>& names, std::vector<Finding>& findings) {
  if (name.find('.') == std::string_view::npos || live(name) != nullptr) return;
  const auto meant = did_you_mean(name, names);
  const std::string where = place.empty() ? "" : place + ": ";
  if (is_of_loaded_extension(name, names))
    findings.push_back(
        warning("unknown-extension-setting",
                fmt::format("{}{} is no setting of the extension: the server takes it and nothing uses it",
                            where, name),
                meant ? fmt::format("did you mean \"{}\"?", *meant) : ""));
  else if (meant)
    findings.push_back(warning("unknown-extension-setting",
                               fmt::format("{}the server takes {} and may not know it", where, name),
                               fmt::format("did you mean \"{}\"?", *meant)));
}

/// What of the server's own files is wrong.
void find_errors(const ServerFiles& files, const ServerSettingLookup& live,
                 const std::vector<std::string_view>& names, std::vector<Finding>& findings) {
  if (!files.lines) return;
  for (const FileSetting& line : *files.lines) {
    find_misspelt(line.name, line.place, live, names, findings);
    if (is_taken(line, live)) continue;
    const std::string name = line.name.empty() ? "" : fmt::format(" ({})", line.name);
    const std::string_view effect =
        line.error == not_applied
            ? "the server does not take it now, and does not start again with it"
            : "until it is mended the server takes no change of its files, and does not start again";
    findings.push_back(
        {.rule = "broken-server-file",
         .level = Finding::Level::error,
         .problem = {.message = fmt::format("{}: {}{}: {}", line.place, line.error, name, effect),
                     .where = {},
                     .hint = {}}});
  }
}

/// What was changed in the files and waits for a restart, though nobody renders it (any more).
void add_others_waiting(const std::vector<SettingLine>& lines, const ServerSettingLookup& live,
                        const ServerFiles& files, const std::vector<std::string_view>& names,
                        std::vector<SettingDifference>& waiting) {
  for (const std::string_view name : names) {
    const ServerSetting* setting = live(name);
    if (setting == nullptr || !setting->pending_restart ||
        std::any_of(lines.begin(), lines.end(),
                    [&](const SettingLine& line) { return same_name(line.name, name); }))
      continue;
    const FileSetting* in_file = file_line(files, name, live);
    const std::string& coming = in_file == nullptr ? setting->facts.standard : in_file->value;
    const auto shown = [&](const std::string& value) {
      return may_hold_password(name) ? "(not shown)" : shown_setting(value, setting->facts.type);
    };
    waiting.push_back({.name = std::string(name),
                       .live = shown(setting->value),
                       .coming = shown(coming),
                       .desired = shown(coming),
                       .place = in_file == nullptr ? "" : in_file->place,
                       .restart = true});
  }
}

}  // namespace

std::vector<const SettingLine*> lines_to_judge(const std::vector<SettingLine>& lines,
                                               const ServerSettingLookup& live) {
  std::vector<const SettingLine*> judged;
  for (const SettingLine& line : lines) {
    const ServerSetting* setting = live(line.name);
    if (setting == nullptr || setting->value == line.value) continue;
    const SettingFacts& facts = setting->facts;
    const bool is_text = facts.type.vartype == "string" || facts.type.vartype == "enum";
    if (is_text && (facts.context == "user" || facts.context == "superuser")) judged.push_back(&line);
  }
  return judged;
}

std::string server_wide_value(const ServerSetting& setting, const ServerFiles& files,
                              const ServerSettingLookup& live) {
  const ServerState state = state_of(setting, file_line(files, setting.facts.name, live), files);
  return state.running.value_or(state.coming.value_or(setting.facts.standard));
}

bool is_line_of(std::string_view place, std::string_view file) {
  return place.starts_with(file) && place.substr(file.size(), 1) == ":";
}

std::optional<std::map<std::string, std::string>> settings_at_start(
    const ServerFiles& files, const ServerSettingLookup& live, const std::vector<std::string_view>& names,
    const std::string& without) {
  if (!files.lines) return std::nullopt;
  std::map<std::string, std::string> settings;
  for (const FileSetting& line : *files.lines) {
    if (line.name.empty() || !is_taken(line, live) || is_line_of(line.place, without)) continue;
    const ServerSetting* setting = live(line.name);
    settings[setting == nullptr ? line.name : setting->facts.name] = line.value;
  }
  for (const std::string_view name : names) {
    const ServerSetting* setting = live(name);
    if (setting->source == "command line") settings[setting->facts.name] = setting->value;
  }
  return settings;
}

std::vector<Finding> misspelt_settings(const std::vector<SettingLine>& lines, const ServerSettingLookup& live,
                                       const std::vector<std::string_view>& names) {
  std::vector<Finding> findings;
  for (const SettingLine& line : lines) find_misspelt(line.name, line.origin, live, names, findings);
  return findings;
}

SettingDiff diff_settings(const std::vector<SettingLine>& lines, const ServerSettingLookup& live,
                          const ServerFiles& files, const std::vector<std::string_view>& names,
                          const CanonicalValues& canonical) {
  SettingDiff diff;
  find_errors(files, live, names, diff.findings);
  for (Finding& finding : misspelt_settings(lines, live, names)) diff.findings.push_back(std::move(finding));
  for (const SettingLine& line : lines) {
    const ServerSetting* setting = live(line.name);
    const FileSetting* in_file = file_line(files, line.name, live);
    const std::string place = in_file == nullptr ? "" : in_file->place;
    if (setting == nullptr) {
      const std::string now = in_file == nullptr ? "" : in_file->value;
      if (now != line.value)
        diff.differences.push_back(
            {.name = line.name, .live = now, .coming = now, .desired = line.value, .place = place});
      continue;
    }
    find_shadows(line, setting->facts, files, diff.findings);
    const ServerState state = state_of(*setting, in_file, files);
    if (!state.coming) {
      diff.findings.push_back(warning(
          "hidden-setting",
          fmt::format("{}: this role has a value of its own, and may not see the server's", line.name),
          "connect as a member of pg_monitor with EXECUTE on pg_show_all_file_settings(), or as another "
          "role"));
      diff.undecided = true;
      continue;
    }
    SettingDifference one{.name = line.name,
                          .live = shown_setting(state.running.value_or(*state.coming), setting->facts.type),
                          .coming = shown_setting(*state.coming, setting->facts.type),
                          .desired = shown_setting(line.value, setting->facts.type),
                          .place = place,
                          .restart = setting->facts.needs_restart()};
    if (setting->source == "command line") {
      one.obstacle = "the server's command line says it, which wins over every file";
      one.place.clear();
    }
    if (!has_value(*setting, *state.coming, line.value, canonical))
      diff.differences.push_back(std::move(one));
    else if (state.running && !has_value(*setting, *state.running, line.value, canonical))
      diff.waiting.push_back(std::move(one));
  }
  add_others_waiting(lines, live, files, names, diff.waiting);
  return diff;
}

}  // namespace kdb
