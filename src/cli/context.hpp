#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "cli/command.hpp"
#include "files/profile.hpp"
#include "flow/session.hpp"
#include "model/report.hpp"
#include "pg/watchdog.hpp"

namespace kdb::cli {

/// What a command's run function works with: its arguments, and where its output goes.
class Context {
 public:
  Context(const Command& command, Arguments arguments, std::vector<std::string> rest);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Arguments& arguments() const { return arguments_; }
  /// What came after `--`.
  const std::vector<std::string>& rest() const { return rest_; }

  /// The profile with the command line's and the environment's words over it. Read once.
  const files::Profile& profile();
  /// Another one, as it is: for commands that are given several.
  files::Profile read_profile(const std::string& name) const;
  /// What a flow that talks to a database is given.
  const flow::Context& database();
  const EventSink& events() const { return events_; }

  /// Throws Error(usage) if a format or a file of -o cannot take this command's result: before anything is
  /// done.
  void check_outputs() const;
  /// Prints a result: to stdout in the chosen format, and to every -o file.
  void print(const Report& report);
  /// Whether there is somebody to ask: `--yes` was not given, and there is a terminal.
  bool can_ask() const;
  /// The same as text for a question on the terminal; true if the answer was yes.
  bool ask(const Report& report, const std::string& question);
  /// The same of a result that is text (Result::sql, Result::text).
  void print_text(const std::string& text);
  /// To stdout as it is.
  void print_raw(const std::string& text);
  /// Problems go to stderr as `kdb: error: …`; and to stdout too where the format
  /// has a form for them (json).
  void print_error(const Error& error);

  bool quiet() const { return arguments_.has("quiet"); }

 private:
  struct Output;

  std::string read_answer();

  const Command& command_;
  Arguments arguments_;
  std::vector<std::string> rest_;
  std::unique_ptr<Output> output_;
  EventSink events_;
  std::unique_ptr<files::Profile> profile_;
  std::unique_ptr<pg::Watchdog> watchdog_;
  std::unique_ptr<flow::Context> flow_;
};

/// Whether a stream is a terminal that a person looks at.
bool is_terminal(int descriptor);

}  // namespace kdb::cli
