#include "support/settings_report.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "support/text.hpp"

namespace kdb::test {

SettingFacts setting_facts(std::string name, std::string vartype, std::string unit, std::string context) {
  return {.name = std::move(name),
          .context = std::move(context),
          .type = {.vartype = std::move(vartype), .unit = std::move(unit), .least = 0, .most = 1e9}};
}

Report settings_report() {
  Report report{.command = "tune", .summary = "4 settings, 1 of them with a remark"};
  report.fields = {{.key = "memory", .label = "memory", .value = std::string("8GB")},
                   {.key = "connections", .label = "connections", .value = std::int64_t{100}},
                   {.key = "seed", .label = "", .value = std::int64_t{7}}};
  report.settings = {
      {.name = "shared_buffers",
       .value = "2GB",
       .group = "Memory",
       .reason =
           "A quarter of the memory: beyond that the server's cache and the kernel's hold the same pages "
           "twice.",
       .origin = "kdb, for timeseries",
       .facts = setting_facts("shared_buffers", "integer", "8kB", "postmaster")},
      {.name = "work_mem",
       .value = "64MB",
       .group = "Memory",
       .reason = "",
       .origin = "profiles/default.toml:80:18",
       .facts = setting_facts("work_mem", "integer", "kB"),
       .verdicts = {"100 connections × one sort of 64MB = 6.25 GB; with shared_buffers that is more than the "
                    "8 GB that there are"}},
      {.name = "log_line_prefix",
       .value = "%m [%p] it's",
       .group = "",
       .reason = "Who, and when.",
       .origin = "",
       .facts = setting_facts("log_line_prefix", "string", "", "sighup")},
      {.name = "ext.unheard_of",
       .value = "16",
       .group = "Memory",
       .reason = "",
       .origin = "p.toml:1:1",
       .facts = {}},
  };
  report.warnings = {{.message = "look out", .hint = "do this"}};
  report.findings = {{.rule = "a-rule", .problem = {.message = "found"}}};
  return report;
}

namespace {

std::string as_conf_string(std::string_view value) { return fmt::format("'{}'", value); }

/// As CloudNativePG writes it into its postgresql.conf.
std::string by_operator(const std::string& value) {
  std::string text;
  for (const char c : value) text += std::string(c == '\'' ? 2 : 1, c);
  return as_conf_string(text);
}

}  // namespace

Settings read_cnpg(const std::string& text) {
  const std::string base = "spec/postgresql/";
  std::string conf;
  std::string libraries;
  bool has_libraries = has(text, "    shared_preload_libraries: []\n");
  for (const auto& [path, value] : read_yaml(text)) {
    if (path.starts_with(base + "parameters/"))
      conf += fmt::format("{} = {}\n", path.substr(base.size() + 11), by_operator(value));
    if (path != base + "shared_preload_libraries/") continue;
    has_libraries = true;
    libraries += (libraries.empty() ? "" : ",") + value;
  }
  if (has_libraries) conf += fmt::format("shared_preload_libraries = {}\n", by_operator(libraries));
  return read_conf(conf);
}

Settings read_patroni(const std::string& text) {
  Settings settings;
  for (const auto& [path, value] : read_yaml(text))
    if (path.starts_with("postgresql/parameters/")) settings[path.substr(22)] = value;
  return settings;
}

/// As the role writes it into a postgresql.conf: each option takes the place of the last line that begins as
/// it.
Settings read_ansible(const std::string& text) {
  std::vector<std::string> lines;
  std::string option;
  for (const auto& [path, value] : read_yaml(text)) {
    if (path.ends_with("/option")) option = value;
    if (!path.ends_with("/value")) continue;
    const auto begins = [&](const std::string& line) { return line.starts_with(option); };
    const auto last = std::find_if(lines.rbegin(), lines.rend(), begins);
    const std::string line = fmt::format("{} = {}", option, as_conf_string(value));
    if (last != lines.rend())
      *last = line;
    else
      lines.push_back(line);
  }
  std::string conf;
  for (const std::string& line : lines) conf += line + "\n";
  return read_conf(conf);
}

}  // namespace kdb::test
