#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "render/formats.hpp"
#include "render/paint.hpp"

namespace kdb::render {

namespace {

/// Of one kind of problem so many files are listed; who has to mend a hundred needs no more to see why.
constexpr size_t most_files = 10;

/// The message without what differs from file to file: names in quotes, and numbers.
std::string kind_of(std::string_view message) {
  std::string kind;
  bool quoted = false;
  for (const char c : message) {
    if (c == '"') quoted = !quoted;
    if (!quoted && !is_digit(c)) kind += c;
  }
  return kind;
}

/// The problems that one action mends, in their order; or neighbours for which there is no hint.
struct SameHint {
  std::string hint;
  std::vector<const Problem*> problems;
};

std::vector<SameHint> by_hint(const std::vector<Problem>& problems) {
  std::vector<SameHint> groups;
  std::map<std::string_view, size_t> places;
  for (const Problem& problem : problems) {
    const bool goes_on = problem.hint.empty() && !groups.empty() && groups.back().hint.empty();
    size_t place = goes_on ? groups.size() - 1 : groups.size();
    if (!problem.hint.empty()) place = places.try_emplace(problem.hint, place).first->second;
    if (place == groups.size()) groups.push_back({.hint = problem.hint, .problems = {}});
    groups[place].problems.push_back(&problem);
  }
  return groups;
}

std::string problem_text(const Problem& problem, const Painter& paint) {
  const std::string where = to_string(problem.where);
  std::string text = fmt::format("{} {}{}{}\n", paint(error_label, "kdb: error:"), printable_line(where),
                                 where.empty() ? "" : ": ", printable(problem.message));
  if (!problem.details.empty())
    for (const std::string_view line : split(problem.details, '\n'))
      text += fmt::format("  {}\n", printable(line));
  return text;
}

}  // namespace

std::string render_problems(const std::vector<Problem>& problems, const Style& style) {
  const Painter paint(style.colour);
  std::string text;
  for (const SameHint& group : by_hint(problems)) {
    std::map<std::string, std::set<std::string_view>> listed;
    std::set<std::string_view> others;
    for (const Problem* problem : group.problems) {
      std::set<std::string_view>& files = listed[kind_of(problem->message)];
      const std::string& file = problem->where.file;
      if (files.size() < most_files) files.insert(file);
      if (files.count(file) > 0)
        text += problem_text(*problem, paint);
      else
        others.insert(file);
    }
    if (!others.empty())
      text += fmt::format("and {} more file{} like these; --log-format json names all\n", others.size(),
                          others.size() == 1 ? "" : "s");
    if (!group.hint.empty()) text += fmt::format("hint: {}\n", printable(group.hint));
  }
  return text;
}

}  // namespace kdb::render
