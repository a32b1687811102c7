#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace kdb {

/// Something that happened while a command works. Adapters and flows report through a sink and never print;
/// the command line decides what of it a person sees.
struct Event {
  enum class Kind {
    info,      // a line worth keeping: "applied 0002 create_profiles (34 ms)"
    warning,   // the same, but something to look at
    progress,  // replaces the previous progress; only shown on a terminal
    retry,     // an attempt failed and will be repeated
    notice,    // a message of the server (NOTICE, WARNING)
    debug,     // for --log-level debug
    error,     // what ended the command, where lines are for programs (--log-format json)
  };
  Kind kind = Kind::info;
  std::string message;
  std::string hint = {};     // of an error
  std::string figures = {};  // of progress: what of the line is shown first, where there is no room for all

  bool operator==(const Event&) const = default;
};

using EventSink = std::function<void(const Event&)>;

}  // namespace kdb
