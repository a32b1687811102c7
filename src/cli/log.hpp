#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/event.hpp"

namespace kdb::cli {

struct LogOptions {
  std::string level = "info";  // debug, info, warning, error
  bool json = false;
  bool quiet = false;  // nothing below a warning
  bool colour = false;
  int width = 0;  // of the terminal on stderr; 0: none, and no live progress
  std::chrono::milliseconds line_interval{30'000};  // between lines of progress where there is no terminal
};

/// What of the events a person sees, on stderr: a line each, and on a terminal one line of live progress that
/// the next one replaces; in a file or pipe a line of its own now and then. May be called from several
/// threads.
class Log {
 public:
  explicit Log(const LogOptions& options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void operator()(const Event& event);
  /// Removes the live progress, before something else is printed.
  void clear_progress();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kdb::cli
