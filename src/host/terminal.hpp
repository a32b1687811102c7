#pragma once

#include <optional>

#include <sys/types.h>
#include <termios.h>

#include "host/unique_fd.hpp"

namespace kdb::host {

/// Our controlling terminal, if there is one, and who is in its foreground. Callers must have blocked
/// SIGTTOU.
class Terminal {
 public:
  Terminal();

  /// Whether our process group is in the foreground.
  bool is_ours() const;
  /// Moves a process group to the foreground.
  void give_to(pid_t group) const;
  /// Moves our process group to the foreground, with the terminal's modes as they were at first.
  void take_back() const;

  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::optional<termios> modes_;
};

}  // namespace kdb::host
