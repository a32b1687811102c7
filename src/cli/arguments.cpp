#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/command.hpp"

namespace kdb::cli {

std::string Arguments::value(const std::string& name, std::string otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::move(otherwise) : found->second.back();
}

std::vector<std::string> Arguments::values(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

int Arguments::number(const std::string& name, int least) const {
  const std::string text = value(name);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least)
    throw Error(Exit::usage, fmt::format("--{} takes a whole number from {} to {}, not '{}'", name, least,
                                         std::numeric_limits<int>::max(), text));
  return number;
}

/// With its unit, as in a profile: seconds here and milliseconds in PostgreSQL would be taken for each other.
std::chrono::milliseconds Arguments::duration(const std::string& name) const {
  const std::string text = value(name);
  const auto duration = parse_duration(text, std::chrono::milliseconds(1));
  const bool bare = text.find_first_not_of("0123456789. ") == std::string::npos;
  if (!duration || (bare && duration->count() > 0))
    throw Error(
        Exit::usage,
        fmt::format("--{} takes a time with its unit, such as 2s, 500ms or 10min, not '{}'", name, text));
  return *duration;
}

std::string long_name(const Option& option) {
  const std::vector<std::string_view> flags = split(option.flags, ',');
  std::string_view flag = flags.back();
  flag.remove_prefix(flag.find_first_not_of('-'));
  return std::string(flag);
}

}  // namespace kdb::cli
