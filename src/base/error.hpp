#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace kdb {

/// What the process returns; scripts depend on these numbers.
enum class Exit : int {
  ok = 0,
  failed = 1,
  pending = 2,  // only with --exit-code
  refused = 3,
  lock = 4,
  history = 5,
  usage = 64,
  interrupted = 130,
  terminated = 143,
};

/// The name of a file, kept once and to the end of the run: each value of a profile knows where it stands.
/// May be made on any thread.
class FileName {
 public:
  FileName() : FileName(std::string_view()) {}
  FileName(std::string_view name);
  FileName(const std::string& name) : FileName(std::string_view(name)) {}
  FileName(const char* name) : FileName(std::string_view(name)) {}

  const std::string& str() const { return *name_; }
  operator const std::string&() const { return *name_; }
  bool empty() const { return name_->empty(); }

  bool operator==(const FileName& other) const = default;
  bool operator<(const FileName& other) const { return *name_ < *other.name_; }

 private:
  const std::string* name_;
};

/// A place in a file. Lines and columns count from 1; 0 means "not known".
struct Source {
  FileName file;
  int line = 0;
  int column = 0;

  bool operator==(const Source&) const = default;
};

/// `file:line:column`, shortened to what is known; empty without a file.
std::string to_string(const Source& where);

/// One thing that is wrong: what and which object, where, and what to do next.
struct Problem {
  std::string message;
  Source where;
  std::string hint;
  std::string
      details;  // further lines shown below the message: a difference, who blocks, the server's detail

  bool operator==(const Problem&) const = default;
};

/// Orders problems by file, line and column, so that every report lists them alike.
void sort_by_position(std::vector<Problem>& problems);

/// Ends the command. Carries every problem that was found, so that a user mends a file in one go.
class Error : public std::exception {
 public:
  Error(Exit exit, std::string message, std::string hint = {});
  Error(Exit exit, Problem problem);
  /// `problems` must not be empty.
  Error(Exit exit, std::vector<Problem> problems);

  Exit exit() const { return exit_; }
  const std::vector<Problem>& problems() const { return problems_; }
  const char* what() const noexcept override { return problems_.front().message.c_str(); }

 private:
  Exit exit_;
  std::vector<Problem> problems_;
};

}  // namespace kdb
