#pragma once

#include <string>

#include "base/error.hpp"

namespace kdb::test {

/// What the Error that `function` throws says, a line for each problem: `file:line:column: message | hint`.
/// Empty if it throws none; begins with the exit code where that is not 64.
template <class Function>
std::string problems_of(Function&& function) {
  try {
    function();
  } catch (const Error& error) {
    std::string text;
    if (error.exit() != Exit::usage) text = "exit " + std::to_string(static_cast<int>(error.exit())) + ": ";
    for (const Problem& problem : error.problems()) {
      if (&problem != &error.problems().front()) text += '\n';
      if (!problem.where.file.empty()) text += to_string(problem.where) + ": ";
      text += problem.message;
      if (!problem.hint.empty()) text += " | " + problem.hint;
    }
    return text;
  }
  return {};
}

}  // namespace kdb::test
