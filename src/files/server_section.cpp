#include "files/server_section.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::files {

namespace {

/// `"auto"`, which means the same as no key; what cannot be read is a problem already, and nothing else
/// either.
bool is_auto(ReadContext& context, const Field& field) {
  if (field.value.kind != TomlValue::Kind::string) return false;
  const auto text = read_text(context, field);
  return !text || *text == "auto";
}

void memory(ReadContext& context, const Field& field, ServerSection& target) {
  target.memory = is_auto(context, field) ? std::nullopt : read_bytes(context, field);
}

void cpus(ReadContext& context, const Field& field, ServerSection& target) {
  target.cpus = is_auto(context, field) ? std::nullopt : read_number(context, field, 0.1, 4096);
}

void disk(ReadContext& context, const Field& field, ServerSection& target) {
  constexpr std::array kinds{"", "ssd", "hdd", "nvme", "san"};
  if (const auto word = read_word(context, field, {"auto", "ssd", "hdd", "nvme", "san"}))
    target.disk = kinds.at(*word);
}

void connections(ReadContext& context, const Field& field, ServerSection& target) {
  target.connections.reset();
  if (is_auto(context, field)) return;
  // max_connections' own limit (PG docs 20.3).
  if (const auto count = read_integer(context, field, 1, 262'143))
    target.connections = static_cast<int>(*count);
}

void workload(ReadContext& context, const Field& field, ServerSection& target) {
  constexpr std::array kinds{"oltp", "web", "olap", "mixed", "timeseries"};
  if (const auto word = read_word(context, field, {kinds.begin(), kinds.end()}))
    target.workload = kinds.at(*word);
}

/// A name that postgresql.conf takes: letters, digits, `_` and `$`, and prefixes that end in a dot
/// (guc-file.l).
bool is_setting_name(std::string_view name) {
  for (const std::string_view part : split(name, '.')) {
    const auto belongs = [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'z') || c == '_' || c == '$' ||
             (static_cast<unsigned char>(c) & 0x80U) != 0;
    };
    if (part.empty() || is_digit(part.front()) || part.front() == '$' ||
        !std::all_of(part.begin(), part.end(), belongs))
      return false;
  }
  return true;
}

/// Nothing, and a problem, for what postgresql.conf cannot hold.
std::optional<std::string> setting_value(ReadContext& context, const Field& field) {
  auto text = read_scalar(context, field);
  if (!text || text->find_first_of(std::string_view("\n\r\0", 3)) == std::string::npos) return text;
  report(context, field, "must be on one line");
  return std::nullopt;
}

/// Keeps them sorted. What another file said before is replaced; within a file a name in two cases is a
/// mistake.
void set(ReadContext& context, const Field& field, std::vector<WantedSetting>& settings,
         WantedSetting setting) {
  const auto at = std::lower_bound(settings.begin(), settings.end(), setting,
                                   [](const auto& a, const auto& b) { return a.name < b.name; });
  if (at == settings.end() || at->name != setting.name)
    settings.insert(at, std::move(setting));
  else if (at->where.file == setting.where.file)
    report(context, field, fmt::format("is set in line {} already", at->where.line));
  else
    *at = std::move(setting);
}

/// `prefix`: the tables around, as `timescaledb.max_background_workers = 8` makes one.
void read_settings(ReadContext& context, const Field& field, const std::string& prefix,
                   ServerSection& target) {
  const auto* members = read_members(context, field);
  if (members == nullptr) return;
  for (const TomlMember& member : *members) {
    const std::string name = prefix + to_lower(member.key);
    const Field inner{member.value, fmt::format("[server.settings] {}", name), field.expands};
    if (!is_setting_name(name)) {
      context.problems.push_back({.message = fmt::format("{} is no name of a setting", inner.name),
                                  .where = member.where,
                                  .hint = "such as shared_buffers or timescaledb.max_background_workers"});
    } else if (member.value.kind == TomlValue::Kind::table) {
      read_settings(context, inner, name + ".", target);
    } else if (auto value = setting_value(context, inner)) {
      const bool text = member.value.kind == TomlValue::Kind::string;
      const std::string written = text ? member.value.string : *value;
      set(context, inner, target.settings, {name, std::move(*value), written, member.where});
    }
  }
}

void apply(ReadContext& context, const Field& field, ServerSection& target) {
  if (const auto word = read_word(context, field, {"none", "alter-system"})) target.alter_system = *word == 1;
}

void settings(ReadContext& context, const Field& field, ServerSection& target) {
  read_settings(context, field, "", target);
}

constexpr Key<ServerSection> server_keys[] = {
    {"memory", memory},     {"cpus", cpus},   {"disk", disk},         {"connections", connections},
    {"workload", workload}, {"apply", apply}, {"settings", settings},
};

}  // namespace

void read_server(ReadContext& context, const Field& field, ServerSection& target) {
  read_table<ServerSection>(context, field, field.name + " ", server_keys, target);
}

}  // namespace kdb::files
