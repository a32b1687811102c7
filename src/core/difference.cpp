#include "core/difference.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {

constexpr size_t context_lines = 2;
constexpr size_t table_limit = 4'000'000;  // cells of the table of common subsequences

struct Line {
  char mark = ' ';
  std::string_view text;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines = split(text, '\n');
  for (std::string_view& line : lines) line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

/// Longest common subsequence of what lies between the equal beginnings and ends.
std::vector<Line> align(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail])
    ++tail;
  const size_t rows = a.size() - head - tail;
  const size_t columns = b.size() - head - tail;

  std::vector<Line> lines;
  for (size_t i = 0; i < head; ++i) lines.push_back({' ', a[i]});
  if ((rows + 1) * (columns + 1) > table_limit) {  // two big and unlike texts: all out, all in
    for (size_t i = 0; i < rows; ++i) lines.push_back({'-', a[head + i]});
    for (size_t j = 0; j < columns; ++j) lines.push_back({'+', b[head + j]});
  } else {
    std::vector<std::vector<unsigned>> common(rows + 1, std::vector<unsigned>(columns + 1, 0));
    for (size_t i = rows; i-- > 0;)
      for (size_t j = columns; j-- > 0;)
        common[i][j] = a[head + i] == b[head + j] ? common[i + 1][j + 1] + 1
                                                  : std::max(common[i + 1][j], common[i][j + 1]);
    size_t i = 0;
    size_t j = 0;
    while (i < rows || j < columns) {
      if (i < rows && j < columns && a[head + i] == b[head + j]) {
        lines.push_back({' ', a[head + i]});
        ++i;
        ++j;
      } else if (j == columns || (i < rows && common[i + 1][j] >= common[i][j + 1])) {
        lines.push_back({'-', a[head + i++]});
      } else {
        lines.push_back({'+', b[head + j++]});
      }
    }
  }
  for (size_t i = a.size() - tail; i < a.size(); ++i) lines.push_back({' ', a[i]});
  return lines;
}

bool near_a_change(const std::vector<Line>& lines, size_t at) {
  const size_t first = at > context_lines ? at - context_lines : 0;
  const size_t last = std::min(lines.size(), at + context_lines + 1);
  return std::any_of(lines.begin() + static_cast<std::ptrdiff_t>(first),
                     lines.begin() + static_cast<std::ptrdiff_t>(last),
                     [](const Line& line) { return line.mark != ' '; });
}

}  // namespace

std::string difference(std::string_view before, std::string_view after, size_t max_lines) {
  const std::vector<Line> lines = align(lines_of(before), lines_of(after));
  std::string text;
  size_t shown = 0;
  size_t left_out = 0;
  bool gap = false;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!near_a_change(lines, i)) {
      gap = shown > 0;
      continue;
    }
    if (shown >= max_lines) {
      ++left_out;
      continue;
    }
    if (gap) text += "  …\n";
    gap = false;
    text += fmt::format("{}{}{}\n", lines[i].mark, lines[i].text.empty() ? "" : " ", lines[i].text);
    ++shown;
  }
  if (left_out > 0) text += fmt::format("  … {} more lines\n", left_out);
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace kdb
