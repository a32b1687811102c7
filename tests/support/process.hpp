#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace kdb::test {

using Environment = std::map<std::string, std::string>;

/// How a program ended.
struct Run {
  int exit = 0;  // exit status, or 128 + signal
  std::string out;
  std::string err;
};

/// Runs a program to its end; `environment` is added to ours, `input` is its stdin. Throws if it takes longer
/// than `timeout` (it is killed then) or cannot be started.
Run run(const std::vector<std::string>& command, const Environment& environment = {},
        const std::string& input = {}, std::chrono::milliseconds timeout = std::chrono::seconds(60));

/// A program in the background, killed at the end of the scope.
class Child {
 public:
  enum class Input { null, pipe };

  explicit Child(const std::vector<std::string>& command, const Environment& environment = {},
                 Input input = Input::null);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void kill(int signal) const;

  /// Writes to its stdin (Input::pipe).
  void write(const std::string& text) const;
  void close_input();

  /// Reads until stdout holds `text`; throws, with all that it printed, if that takes longer than `timeout`
  /// or it closes stdout before.
  void read_until(const std::string& text, std::chrono::milliseconds timeout = std::chrono::seconds(60));

  /// Waits for its end and for the last of its output; throws, with all that it printed, after `timeout`.
  Run wait(std::chrono::milliseconds timeout = std::chrono::seconds(60));

  /// What it has printed up to the last read_until or wait.
  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

 private:
  bool pump(std::chrono::milliseconds timeout);
  bool ended();
  std::string printed() const;

  pid_t pid_ = -1;
  int input_ = -1;
  int out_pipe_ = -1;
  int err_pipe_ = -1;
  std::optional<int> exit_;
  std::string out_;
  std::string err_;
};

/// Asks until the condition holds; false if it does not within `timeout`.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds timeout = std::chrono::seconds(20));

/// A file of /proc/PID; "" if the process is gone.
std::string process_file(pid_t pid, const std::string& name);

/// Whether a process exists and is not a zombie.
bool is_alive(pid_t pid);

}  // namespace kdb::test
