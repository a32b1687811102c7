#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "render/formats.hpp"

namespace kdb::cli {

class Context;

/// An option as help, parser and completion know it: one row.
struct Option {
  std::string_view flags;  // "-d,--database-url"
  std::string_view value;  // "URL"; empty for a switch
  std::string_view help;
  bool repeatable = false;  // one value per occurrence, commas split
  std::vector<std::string_view> choices;
};

struct Positional {
  std::string_view name;  // "NAME"
  std::string_view help;
  bool required = true;
  bool repeatable = false;  // takes all that are given
};

/// What was given on the command line, by the long flag without its dashes or the positional's name.
class Arguments {
 public:
  void add(const std::string& name, std::string value) { values_[name].push_back(std::move(value)); }
  bool has(const std::string& name) const { return values_.count(name) > 0; }
  /// The last value given, or `otherwise`.
  std::string value(const std::string& name, std::string otherwise = {}) const;
  std::vector<std::string> values(const std::string& name) const;
  /// A whole number of at least `least`; throws Error(usage) otherwise. Call only where has(name).
  int number(const std::string& name, int least) const;
  /// A time with its unit; throws Error(usage) otherwise. Call only where has(name).
  std::chrono::milliseconds duration(const std::string& name) const;

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

/// What a command's result is, and so which formats can hold it.
enum class Result {
  report,  // text and json, and what can hold its contents
  sql,     // statements as they are: text and sql
  text,    // text as it is
  stream,  // what it prints as it goes: text, and on stdout alone
};

/// A command is a row: parse, call one flow, render.
struct Command {
  std::string_view name;     // "migrate up"
  std::string_view summary;  // one line, in the list of commands
  std::string_view details;  // below the usage line of its own help
  std::vector<Positional> positionals;
  std::vector<Option> options;
  std::string_view rest;  // what comes after `--`: "COMMAND"; empty if nothing may
  Exit (*run)(Context& context) = nullptr;
  /// What its result holds, and so in which formats it can be written; null: nothing but fields and tables.
  render::Contents (*contents)(const Arguments& arguments) = nullptr;
  bool offline = false;  // talks to no server, and so needs no URL
  Result result = Result::report;
};

/// The only list of commands, in the order in which help shows them.
const std::vector<Command>& commands();
/// Options that every command takes, before or after its name.
const std::vector<Option>& global_options();

/// The name without dashes by which Arguments knows an option: "database-url".
std::string long_name(const Option& option);

/// `kdb --help`, `kdb migrate --help`, `kdb migrate up --help`.
std::string help(std::string_view command);

/// Parses and runs; returns the exit code. The only place that catches.
int run(int argc, char** argv);

}  // namespace kdb::cli
