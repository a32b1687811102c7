#include "core/auto_conf.hpp"

#include <map>
#include <string_view>

#include "base/text.hpp"

namespace kdb {

namespace {

/// ALTER SYSTEM writes each setting once, on a line of its own: `name = 'value'`. -- write_auto_conf_file()
std::string_view name_of_line(std::string_view line) {
  return line.starts_with('#') ? std::string_view() : trim(line.substr(0, line.find('=')));
}

std::map<std::string_view, std::string_view> lines_by_name(std::string_view text) {
  std::map<std::string_view, std::string_view> lines;
  for (const std::string_view line : split(text, '\n'))
    if (const std::string_view name = name_of_line(line); !name.empty()) lines[name] = line;
  return lines;
}

}  // namespace

std::string without_changes(const std::string& now, const std::string& before, const std::string& after,
                            const std::set<std::string>& names) {
  const auto then = lines_by_name(before);
  const auto changed = lines_by_name(after);
  std::string text;
  for (const std::string_view line : split(now, '\n')) {
    const std::string_view name = name_of_line(line);
    const auto mine = changed.find(name);
    const auto old = then.find(name);
    const bool is_mine = names.count(std::string(name)) > 0 && mine != changed.end() &&
                         mine->second == line && (old == then.end() || old->second != line);
    if (!is_mine)
      text += std::string(line) + "\n";
    else if (old != then.end())
      text += std::string(old->second) + "\n";
  }
  if (!text.empty()) text.pop_back();  // the last line has no end of its own
  return text;
}

}  // namespace kdb
