#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/streams.hpp"
#include "pg/connection.hpp"
#include "render/formats.hpp"

namespace kdb::cli {

namespace {

/// Where CLI11 puts what it parsed; one per option and level, since a global option may stand before and
/// after the command.
struct Slot {
  std::string name;
  bool split_commas = false;
  bool is_switch = false;
  std::vector<std::string> values;
  bool given = false;
};

using Slots = std::vector<std::unique_ptr<Slot>>;

void add_option(CLI::App& app, const Option& option, Slots& slots) {
  slots.push_back(std::make_unique<Slot>());
  Slot* slot = slots.back().get();
  slot->name = long_name(option);
  slot->split_commas = option.repeatable;
  slot->is_switch = option.value.empty();
  const std::string flags(option.flags);
  if (slot->is_switch) {
    app.add_flag(flags, slot->given);
    return;
  }
  CLI::Option* added = app.add_option(flags, slot->values)->expected(1);
  added->multi_option_policy(option.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                               : CLI::MultiOptionPolicy::TakeLast);
  added->allow_extra_args(false);
  if (!option.choices.empty()) {
    std::vector<std::string> choices(option.choices.begin(), option.choices.end());
    added->check([choices, name = slot->name, several = option.repeatable](const std::string& given) {
      for (const std::string_view part : several ? split(given, ',') : std::vector<std::string_view>{given})
        if (std::find(choices.begin(), choices.end(), part) == choices.end())
          return fmt::format("--{} takes {}, not '{}'", name, fmt::join(choices, ", "), part);
      return std::string();
    });
  }
}

void collect(const Slots& slots, Arguments& arguments) {
  for (const std::unique_ptr<Slot>& slot : slots) {
    if (slot->given) arguments.add(slot->name, "");
    for (const std::string& value : slot->values) {
      if (!slot->split_commas) {
        arguments.add(slot->name, value);
        continue;
      }
      if (value.empty()) arguments.add(slot->name, value);
      for (const std::string_view part : split(value, ','))
        if (!part.empty()) arguments.add(slot->name, std::string(part));
    }
  }
}

/// The command line as parsed: a command, or a group of them that only has help.
struct Parsed {
  const Command* command = nullptr;
  std::string group;
  Arguments arguments;
  std::vector<std::string> rest;
};

struct Level {
  CLI::App* app = nullptr;
  const Command* command = nullptr;
  std::string name;
  Slots slots;
};

CLI::App* quiet_subcommand(CLI::App& parent, const std::string& name) {
  CLI::App* app = parent.add_subcommand(name);
  app->set_help_flag();
  app->require_subcommand(0, 1);
  return app;
}

/// One CLI11 application per command and group, from the rows. Options are added only where `words` may need
/// them: to make all of them costs as much as to connect.
std::map<std::string, Level> build(CLI::App& app, const std::vector<std::string>& words) {
  std::map<std::string, Level> levels;
  const auto named = [&](const std::string& path) {
    const std::string last = path.substr(path.rfind(' ') + 1);
    return path.empty() || std::find(words.begin(), words.end(), last) != words.end();
  };
  app.set_help_flag();
  app.require_subcommand(0, 1);
  levels[""].app = &app;
  for (const Command& command : commands()) {
    std::string path;
    CLI::App* parent = &app;
    for (const std::string_view word : split(command.name, ' ')) {
      path += (path.empty() ? "" : " ") + std::string(word);
      Level& level = levels[path];
      if (level.app == nullptr) level.app = quiet_subcommand(*parent, std::string(word));
      level.name = path;
      parent = level.app;
    }
    Level& level = levels[path];
    level.command = &command;
    if (!named(path)) continue;
    for (const Option& option : command.options) add_option(*level.app, option, level.slots);
    for (const Positional& positional : command.positionals) {
      level.slots.push_back(std::make_unique<Slot>());
      level.slots.back()->name = std::string(positional.name);
      level.app->add_option(std::string(positional.name), level.slots.back()->values)
          ->expected(positional.repeatable ? -1 : 1);
    }
  }
  for (auto& [path, level] : levels) {
    if (!named(path)) continue;
    for (const Option& option : global_options()) add_option(*level.app, option, level.slots);
  }
  return levels;
}

Error usage(std::string message, std::string_view command) {
  const std::string words = command.empty() ? "kdb" : fmt::format("kdb {}", command);
  return {Exit::usage, std::move(message), fmt::format("`{} --help` lists what there is", words)};
}

/// What a user may have meant by a word that no command or option has.
std::string suggestion(const std::string& word, const Level& level) {
  std::vector<std::string> known;
  if (word.rfind("--", 0) == 0) {
    for (const Option& option : global_options()) known.push_back("--" + long_name(option));
    if (level.command != nullptr)
      for (const Option& option : level.command->options) known.push_back("--" + long_name(option));
  } else {
    for (const Command& command : commands()) {
      const std::vector<std::string_view> words = split(command.name, ' ');
      if (words.back() == word) return fmt::format("did you mean `kdb {}`?", command.name);
      known.emplace_back(level.name.empty() ? words.front() : words.back());
    }
  }
  const auto meant = did_you_mean(word, {known.begin(), known.end()});
  return meant ? fmt::format("did you mean {}?", *meant) : "";
}

/// CLI11's complaint in our manner, and what may have been meant.
Error complaint(const CLI::ParseError& error, const std::vector<std::string>& words, const Level& level) {
  const std::string message = error.what();
  if (const size_t needs = message.find(": 1 required "); needs != std::string::npos)
    return usage(fmt::format("{} needs a value", message.substr(0, needs)), level.name);
  if (message.rfind("The following argument", 0) == 0) {
    // Of the words that were not understood, the first one as they were written.
    const std::string list = " " + message.substr(message.find(": ") + 2) + " ";
    for (const std::string& word : words) {
      if (list.find(" " + word + " ") == std::string::npos) continue;
      Error result = usage(
          fmt::format("'{}' is no {} here", word, word.rfind('-', 0) == 0 ? "option" : "command or argument"),
          level.name);
      const std::string meant = suggestion(word, level);
      return meant.empty() ? result : Error(Exit::usage, result.what(), meant);
    }
  }
  // Our own checks begin with the option that CLI11 puts before them once more.
  const size_t again = message.find(": --");
  return usage(again == std::string::npos ? message : message.substr(again + 2), level.name);
}

Parsed parse(int argc, char** argv) {
  Parsed parsed;
  std::vector<std::string> words(argv + 1, argv + argc);
  const auto dashes = std::find(words.begin(), words.end(), "--");
  const bool has_rest = dashes != words.end();
  if (has_rest) {
    parsed.rest.assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
  }
  CLI::App app;
  std::map<std::string, Level> levels = build(app, words);
  try {
    std::vector<std::string> consumed(words.rbegin(), words.rend());
    app.parse(consumed);
  } catch (const CLI::ParseError& error) {
    // --help wins over whatever else is wrong, such as a missing argument.
    const bool wants_help = std::any_of(
        words.begin(), words.end(), [](const std::string& word) { return word == "--help" || word == "-h"; });
    if (!wants_help) {
      std::string at;
      for (const auto& [path, level] : levels)
        if (level.app->parsed() > 0 && path.size() > at.size()) at = path;
      throw complaint(error, words, levels.at(at));
    }
  }
  for (const auto& [path, level] : levels) {
    if (!level.app->parsed() && !path.empty()) continue;
    collect(level.slots, parsed.arguments);
    if (path.size() >= parsed.group.size()) {
      parsed.group = path;
      parsed.command = level.command;
    }
  }
  if (has_rest && (parsed.command == nullptr || parsed.command->rest.empty()))
    throw usage("nothing may follow `--` here", parsed.group);
  return parsed;
}

Exit dispatch(const Parsed& parsed, Context*& context) {
  if (parsed.arguments.has("version")) {
    write_result(fmt::format("kdb {}\n", KDB_VERSION));
    return Exit::ok;
  }
  if (parsed.arguments.has("help")) {
    write_result(help(parsed.group));
    return Exit::ok;
  }
  if (parsed.command == nullptr) {
    write_message(help(parsed.group));
    return Exit::usage;
  }
  for (const Positional& positional : parsed.command->positionals)
    if (positional.required && !parsed.arguments.has(std::string(positional.name)))
      throw usage(fmt::format("{} is missing: {}", positional.name, positional.help), parsed.command->name);
  context = new Context(*parsed.command, parsed.arguments, parsed.rest);
  context->check_outputs();
  return parsed.command->run(*context);
}

}  // namespace

int run(int argc, char** argv) {
  prepare_streams();
  // Never destroyed: that would wait for the watchdog's thread, which may wait for a processor that the
  // server's backend has while it ends. Static, so that leak detectors know that it is meant.
  static Context* context = nullptr;
  const auto report = [](const Error& error) {
    if (context)
      context->print_error(error);
    else
      write_message(render::render_problems(error.problems(), {}));
    return static_cast<int>(error.exit());
  };
  try {
    return static_cast<int>(dispatch(parse(argc, argv), context));
  } catch (const Error& error) {
    return report(error);
  } catch (const pg::ServerError& error) {
    return report(
        Error(Exit::failed, Problem{.message = fmt::format("{} ({})", error.message, error.sqlstate),
                                    .hint = error.hint,
                                    .details = error.detail}));
  } catch (const std::exception& error) {
    return report(Error(Exit::failed, fmt::format("unexpected: {}", error.what()), "please report this"));
  }
}

}  // namespace kdb::cli
