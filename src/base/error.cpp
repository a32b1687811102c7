#include "base/error.hpp"

#include <algorithm>
#include <cassert>
#include <functional>
#include <mutex>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace kdb {

FileName::FileName(std::string_view name) {
  static const std::string none;
  name_ = &none;
  if (name.empty()) return;
  static std::mutex mutex;
  static std::set<std::string, std::less<>> names;
  const std::lock_guard lock(mutex);
  const auto found = names.find(name);
  name_ = found != names.end() ? &*found : &*names.emplace(name).first;
}

std::string to_string(const Source& where) {
  const std::string& file = where.file;
  if (file.empty() || where.line == 0) return file;
  if (where.column == 0) return fmt::format("{}:{}", file, where.line);
  return fmt::format("{}:{}:{}", file, where.line, where.column);
}

void sort_by_position(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.where.file, a.where.line, a.where.column) <
           std::tie(b.where.file, b.where.line, b.where.column);
  });
}

Error::Error(Exit exit, std::string message, std::string hint)
    : Error(exit, Problem{.message = std::move(message), .hint = std::move(hint)}) {}

Error::Error(Exit exit, Problem problem) : exit_(exit) { problems_.push_back(std::move(problem)); }

Error::Error(Exit exit, std::vector<Problem> problems) : exit_(exit), problems_(std::move(problems)) {
  assert(!problems_.empty());
}

}  // namespace kdb
