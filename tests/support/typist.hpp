#pragma once

#include <string>

#include <sys/types.h>

#include "support/process.hpp"

namespace kdb::test {

/// A shell at a terminal of its own, of 80 columns; what is written to it is typed.
class Typist {
 public:
  explicit Typist(const Environment& environment = {});
  ~Typist();
  Typist(const Typist&) = delete;
  Typist& operator=(const Typist&) = delete;

  void type(const std::string& text) const;
  /// Reads until the text shows up; returns what came before it, and forgets all of that.
  std::string expect(const std::string& text);

 private:
  pid_t pid_ = -1;
  int terminal_ = -1;
  std::string seen_;
};

}  // namespace kdb::test
