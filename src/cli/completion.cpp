#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/commands.hpp"

namespace kdb::cli {

namespace {

/// What completes an option's value: a file, a folder, or one of its choices.
bool takes_file(const Option& option) {
  return option.value.find("FILE") != std::string_view::npos ||
         option.value.find("PATH") != std::string_view::npos;
}
bool takes_folder(const Option& option) { return option.value == "DIR"; }

std::vector<Option> options_of(const Command& command) {
  std::vector<Option> options = command.options;
  options.insert(options.end(), global_options().begin(), global_options().end());
  return options;
}

std::string first_word(std::string_view name) { return std::string(name.substr(0, name.find(' '))); }
std::string second_word(std::string_view name) {
  const size_t space = name.find(' ');
  return space == std::string_view::npos ? "" : std::string(name.substr(space + 1));
}

/// The words that may follow `kdb` or `kdb GROUP`.
std::vector<std::string> words_after(std::string_view group) {
  std::vector<std::string> words;
  std::set<std::string> seen;
  for (const Command& command : commands()) {
    const std::string word = group.empty()                       ? first_word(command.name)
                             : first_word(command.name) == group ? second_word(command.name)
                                                                 : "";
    if (!word.empty() && seen.insert(word).second) words.push_back(word);
  }
  return words;
}

std::vector<std::string> groups() {
  std::vector<std::string> found;
  for (const std::string& word : words_after(""))
    if (!words_after(word).empty()) found.push_back(word);
  return found;
}

/// The words that may follow a first one.
std::vector<std::string> second_words() {
  std::vector<std::string> all;
  for (const std::string& group : groups())
    for (const std::string& word : words_after(group)) all.push_back(word);
  return all;
}

bool is_command(std::string_view name) {
  return std::any_of(commands().begin(), commands().end(),
                     [&](const Command& one) { return one.name == name; });
}

std::string shell_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string bash_values() {
  std::string text;
  std::set<std::string> seen;
  const auto add = [&](const Option& option) {
    std::string pattern;
    for (const std::string_view flag : split(option.flags, ','))
      if (seen.insert(std::string(flag)).second) pattern += (pattern.empty() ? "" : "|") + std::string(flag);
    if (pattern.empty() || option.value.empty()) return;
    if (!option.choices.empty())
      text += fmt::format("    {}) COMPREPLY=($(compgen -W {} -- \"$word\")); return ;;\n", pattern,
                          shell_quoted(fmt::format("{}", fmt::join(option.choices, " "))));
    else if (takes_file(option))
      text += fmt::format("    {}) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", pattern);
    else if (takes_folder(option))
      text += fmt::format("    {}) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n", pattern);
    else
      text += fmt::format("    {}) return ;;\n", pattern);
  };
  for (const Command& command : commands())
    for (const Option& option : options_of(command)) add(option);
  return text;
}

std::string bash() {
  std::string cases;
  for (const Command& command : commands()) {
    std::string flags;
    for (const Option& option : options_of(command))
      for (const std::string_view flag : split(option.flags, ','))
        flags += (flags.empty() ? "" : " ") + std::string(flag);
    for (const std::string& word : words_after(command.name)) flags += " " + word;
    cases += fmt::format("    {}) words={} ;;\n", shell_quoted(command.name), shell_quoted(flags));
  }
  for (const std::string& group : groups())
    if (!is_command(group))
      cases += fmt::format("    {}) words={} ;;\n", shell_quoted(group),
                           shell_quoted(fmt::format("{}", fmt::join(words_after(group), " "))));
  return fmt::format(
      R"(# bash completion for kdb
_kdb() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command='' words='' i
  case $previous in
{0}  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      --) return ;;
      -*) ;;
      *) case " {2} {3} " in *" ${{COMP_WORDS[i]}} "*) command="${{command:+$command }}${{COMP_WORDS[i]}}" ;; esac ;;
    esac
  done
  case $command in
    '') words={4} ;;
{1}    completion) words='bash zsh fish' ;;
  esac
  [[ $command == completion ]] && words='bash zsh fish'
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -F _kdb kdb
)",
      bash_values(), cases, fmt::join(words_after(""), " "), fmt::join(second_words(), " "),
      shell_quoted(fmt::format("{}", fmt::join(words_after(""), " "))));
}

/// zsh's _arguments takes `:` and brackets as its own.
std::string zsh_text(std::string_view text) {
  std::string result;
  for (const char c : text)
    result += (c == ':' || c == '[' || c == ']') ? std::string("\\") + c : std::string(1, c);
  return result;
}

std::string zsh_option(const Option& option) {
  std::string action;
  if (!option.value.empty()) {
    action = fmt::format(":{}:", zsh_text(option.value));
    if (!option.choices.empty())
      action += fmt::format("({})", fmt::join(option.choices, " "));
    else if (takes_file(option))
      action += "_files";
    else if (takes_folder(option))
      action += "_files -/";
  }
  std::string text;
  for (const std::string_view flag : split(option.flags, ','))
    text +=
        fmt::format("        {} \\\n", shell_quoted(fmt::format("{}{}[{}]{}", option.repeatable ? "*" : "",
                                                                flag, zsh_text(option.help), action)));
  return text;
}

std::string zsh() {
  std::string cases;
  for (const Command& command : commands()) {
    std::string options;
    for (const Option& option : options_of(command)) options += zsh_option(option);
    const std::vector<std::string> words = words_after(command.name);
    const std::string positional = command.name == "completion" ? "'1:shell:(bash zsh fish)'"
                                   : !words.empty() ? fmt::format("'1:command:({})'", fmt::join(words, " "))
                                                    : "'*:: :_default'";
    cases += fmt::format("    {})\n      _arguments -s \\\n{}        {}\n      ;;\n",
                         shell_quoted(command.name), options, positional);
  }
  std::string lists;
  const auto list = [&](const std::string& group) {
    std::string entries;
    for (const std::string& word : words_after(group)) {
      std::string summary = "commands for migrations";
      for (const Command& command : commands())
        if (command.name == (group.empty() ? word : group + " " + word))
          summary = std::string(command.summary);
      entries += " " + shell_quoted(word + ":" + zsh_text(summary));
    }
    lists += fmt::format("    {}) local -a list; list=({}); _describe command list ;;\n", shell_quoted(group),
                         entries);
  };
  list("");
  for (const std::string& group : groups())
    if (!is_command(group)) list(group);
  return fmt::format(R"(#compdef kdb
_kdb() {{
  local command='' i
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      -*) ;;
      {2}) command="${{command:+$command }}$words[i]" ;;
    esac
  done
  case $command in
{0}{1}  esac
}}
if [[ $funcstack[1] == _kdb ]]; then _kdb "$@"; else compdef _kdb kdb; fi
)",
                     lists, cases, [] {
                       std::vector<std::string> all = words_after("");
                       for (const std::string& word : second_words()) all.push_back(word);
                       return fmt::format("{}", fmt::join(all, "|"));
                     }());
}

std::string fish_option(const Option& option, const std::string& condition) {
  std::string line = fmt::format("complete -c kdb -n {}", shell_quoted(condition));
  for (std::string_view flag : split(option.flags, ',')) {
    const bool is_long = flag.rfind("--", 0) == 0;
    flag.remove_prefix(is_long ? 2 : 1);
    line += fmt::format(" -{} {}", is_long ? "l" : "s", flag);
  }
  if (!option.value.empty()) {
    line += " -r";
    if (!option.choices.empty())
      line += fmt::format(" -f -a {}", shell_quoted(fmt::format("{}", fmt::join(option.choices, " "))));
    else if (!takes_file(option) && !takes_folder(option))
      line += " -f";
  }
  return line + fmt::format(" -d {}\n", shell_quoted(option.help));
}

std::string fish() {
  std::string text = "# fish completion for kdb\ncomplete -c kdb -f\n";
  const auto seen = [](std::string_view words) {
    std::string condition;
    for (const std::string_view word : split(words, ' '))
      condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ", word);
    return condition;
  };
  for (const std::string& word : words_after("")) {
    std::string summary = "commands for migrations";
    for (const Command& command : commands())
      if (command.name == word) summary = std::string(command.summary);
    text +=
        fmt::format("complete -c kdb -n __fish_use_subcommand -a {} -d {}\n", word, shell_quoted(summary));
  }
  for (const Command& command : commands()) {
    const std::string word = second_word(command.name);
    const std::string group = first_word(command.name);
    if (!word.empty())
      text += fmt::format("complete -c kdb -n {} -a {} -d {}\n",
                          shell_quoted(fmt::format("{}; and not __fish_seen_subcommand_from {}", seen(group),
                                                   fmt::join(words_after(group), " "))),
                          word, shell_quoted(command.summary));
    const std::vector<std::string> words = words_after(command.name);
    const std::string alone =
        words.empty() ? "" : fmt::format("; and not __fish_seen_subcommand_from {}", fmt::join(words, " "));
    for (const Option& option : command.options) text += fish_option(option, seen(command.name) + alone);
  }
  for (const Option& option : global_options()) text += fish_option(option, "true");
  return text + "complete -c kdb -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n";
}

}  // namespace

Exit completion(Context& context) {
  const std::string shell = context.arguments().value("SHELL");
  if (shell == "bash")
    context.print_text(bash());
  else if (shell == "zsh")
    context.print_text(zsh());
  else if (shell == "fish")
    context.print_text(fish());
  else
    throw Error(Exit::usage, fmt::format("no completion for '{}'", shell), "bash, zsh or fish");
  return Exit::ok;
}

}  // namespace kdb::cli
