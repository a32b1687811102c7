#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/command.hpp"

namespace kdb::cli {

namespace {

constexpr size_t help_width = 80;

/// Two columns; long help is wrapped under itself.
std::string entry(const std::string& left, std::string_view right, size_t column) {
  std::string text = "  " + left;
  text.resize(std::max(text.size() + 2, column), ' ');
  const size_t indent = text.size();
  return wrapped(std::move(text), right, indent, help_width);
}

/// Paragraphs, each wrapped.
std::string paragraphs(std::string_view text) {
  std::string result;
  for (const std::string_view paragraph : split(text, '\n')) result += wrapped({}, paragraph, 0, help_width);
  return result;
}

std::string flags_of(const Option& option) {
  std::string text = fmt::format("{}", fmt::join(split(option.flags, ','), ", "));
  if (text.rfind("--", 0) == 0) text = "    " + text;
  return option.value.empty() ? text : text + " " + std::string(option.value);
}

std::string help_of(const Option& option) {
  std::string text(option.help);
  if (!option.choices.empty()) text += fmt::format(": {}", fmt::join(option.choices, ", "));
  return text;
}

std::string options_block(std::string_view heading, const std::vector<Option>& options) {
  if (options.empty()) return {};
  size_t column = 0;
  for (const Option& option : options) column = std::max(column, flags_of(option).size() + 4);
  std::string text = fmt::format("\n{}\n", heading);
  for (const Option& option : options)
    text += entry(flags_of(option), help_of(option), std::min<size_t>(column, 36));
  return text;
}

/// The group that a command is in and that has a page of its own; empty where it is in none.
std::string_view group_of(const Command& command) {
  const size_t space = command.name.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view group = command.name.substr(0, space);
  const bool is_command = std::any_of(commands().begin(), commands().end(),
                                      [&](const Command& one) { return one.name == group; });
  return is_command ? std::string_view() : group;
}

/// A line for each command, and on the first page one for each group: name and summary.
std::vector<std::pair<std::string, std::string>> command_lines(std::string_view prefix) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Command& command : commands()) {
    if (command.name.substr(0, prefix.size()) != prefix) continue;
    const std::string_view group = group_of(command);
    if (!prefix.empty() || group.empty()) {
      lines.emplace_back(command.name, command.summary);
      continue;
    }
    const std::string_view word = command.name.substr(group.size() + 1);
    if (lines.empty() || lines.back().first != group)
      lines.emplace_back(group, word);
    else
      lines.back().second += fmt::format(", {}", word);
  }
  return lines;
}

std::string commands_block(std::string_view prefix) {
  const auto lines = command_lines(prefix);
  size_t column = 0;
  for (const auto& [name, summary] : lines) column = std::max(column, name.size() + 4);
  std::string text = "\nCommands:\n";
  for (const auto& [name, summary] : lines) text += entry(name, summary, column);
  return text;
}

std::string exit_codes() {
  return "\n" + paragraphs(
                    "Exit codes: 0 done · 1 failed · 2 changes pending (--exit-code) · 3 refused · 4 lock "
                    "not obtained · 5 "
                    "history inconsistent · 64 usage or malformed file · 130/143 interrupted");
}

/// The global options in a command's own help: their names.
std::string global_names() {
  std::vector<std::string> names;
  for (const Option& option : global_options()) names.emplace_back(split(option.flags, ',').front());
  return "\n" + wrapped("Options of every command:",
                        fmt::format(" {}; `kdb --help` says what they do", fmt::join(names, ", ")), 2,
                        help_width);
}

std::string group_help(std::string_view prefix) {
  std::string text = prefix.empty() ? "kdb brings a PostgreSQL or TimescaleDB database to a declared "
                                      "state.\n\nUsage: kdb COMMAND [OPTION…]\n"
                                    : fmt::format("Usage: kdb {} COMMAND [OPTION…]\n", prefix);
  text += commands_block(prefix);
  if (prefix.empty()) text += options_block("Options of every command:", global_options()) + exit_codes();
  return text + (prefix.empty() ? "\nkdb COMMAND --help says more about a command.\n"
                                : "\nkdb --help shows the options that every command takes.\n");
}

}  // namespace

std::string help(std::string_view name) {
  const auto found = std::find_if(commands().begin(), commands().end(),
                                  [&](const Command& command) { return command.name == name; });
  if (found == commands().end()) return group_help(name);
  const Command& command = *found;
  std::string text = fmt::format("kdb {}: {}\n\nUsage: kdb {}", name, command.summary, name);
  for (const Positional& positional : command.positionals)
    text += fmt::format(" {}{}{}{}", positional.required ? "" : "[", positional.name,
                        positional.repeatable ? "…" : "", positional.required ? "" : "]");
  text += " [OPTION…]";
  if (!command.rest.empty()) text += fmt::format(" [-- {} …]", command.rest);
  text += "\n\n" + paragraphs(command.details);
  if (!command.positionals.empty()) {
    text += "\nArguments:\n";
    for (const Positional& positional : command.positionals)
      text += entry(std::string(positional.name), positional.help, 14);
  }
  text += options_block("Options:", command.options);
  return text + global_names();
}

}  // namespace kdb::cli
