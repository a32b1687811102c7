#include "files/names.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"

namespace kdb::files {
namespace {

bool in_range(std::string_view two_digits, int low, int high) {
  const int value = (two_digits[0] - '0') * 10 + (two_digits[1] - '0');
  return value >= low && value <= high;
}

// The length of YYYY-MM-DD or YYYY_MM_DD at the beginning, or 0.
size_t date_length(std::string_view text) {
  constexpr std::string_view shape = "dddd-dd-dd";
  if (text.size() < shape.size()) return 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == 'd' ? is_digit(text[i]) : (text[i] == '-' || text[i] == '_');
    if (!fits) return 0;
  }
  const bool plausible = in_range(text.substr(0, 2), 19, 21) && in_range(text.substr(5, 2), 1, 12) &&
                         in_range(text.substr(8, 2), 1, 31);
  if (!plausible || (text.size() > shape.size() && is_digit(text[shape.size()]))) return 0;
  return shape.size();
}

// The length of what follows a date and still belongs to the moment: `-120000`, `_12_00_00`, diesel's
// `-120000-0000`.
size_t time_length(std::string_view text) {
  size_t length = 0;
  size_t digits = 0;
  while (length < text.size() && (text[length] == '-' || text[length] == '_')) {
    const size_t count = leading_digits(text.substr(length + 1)).size();
    const bool time_part = (count == 2 || count == 4 || count == 6) && digits + count <= 6;
    const bool fraction = text[length] == '-' && count > 0 && digits == 6;
    if (!time_part && !fraction) break;
    length += 1 + count;
    digits += count;
  }
  return length;
}

}  // namespace

std::string_view leading_digits(std::string_view text) {
  return text.substr(
      0, static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin()));
}

std::string version_component(std::string_view digits) {
  const size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? "0" : std::string(digits.substr(first));
}

Version number_version(std::string_view digits) {
  return {.text = std::string(digits), .key = {version_component(digits)}};
}

std::optional<Version> dated_version(std::string_view name) {
  const size_t date = date_length(name);
  if (date == 0) {
    const std::string_view digits = leading_digits(name);
    if (digits.empty()) return std::nullopt;
    return number_version(digits);
  }
  const std::string_view text = name.substr(0, date + time_length(name.substr(date)));
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), is_digit);
  return Version{.text = std::string(text), .key = {version_component(digits)}};
}

std::string name_after(std::string_view rest) {
  const size_t start = rest.find_first_not_of("_-. ");
  return start == std::string_view::npos ? std::string{} : std::string(rest.substr(start));
}

bool is_numbered_file(std::string_view path) {
  return !path.empty() && is_digit(path.front()) && path.ends_with(".sql") &&
         path.find('/') == std::string_view::npos && !parse_up_down(path);
}

std::optional<UpDownName> parse_up_down(std::string_view path) {
  if (path.find('/') != std::string_view::npos || !ends_in_sql(path)) return std::nullopt;
  const std::string_view digits = leading_digits(path);
  if (digits.empty() || digits.size() == path.size() || path[digits.size()] != '_') return std::nullopt;
  const std::string_view rest = path.substr(digits.size() + 1);
  // `.*` is greedy: the last `.up.` or `.down.` counts.
  const size_t up = rest.rfind(".up.");
  const size_t down = rest.rfind(".down.");
  if (up == std::string_view::npos && down == std::string_view::npos) return std::nullopt;
  const bool is_up = down == std::string_view::npos || (up != std::string_view::npos && up > down);
  return UpDownName{.digits = digits, .title = rest.substr(0, is_up ? up : down), .up = is_up};
}

std::optional<FolderName> parse_folder(std::string_view path) {
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos || path.find('/', slash + 1) != std::string_view::npos)
    return std::nullopt;
  return FolderName{.folder = path.substr(0, slash), .file = path.substr(slash + 1)};
}

std::string_view base_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool ends_in_sql(std::string_view path) {
  return path.size() >= 4 && equals_ignore_case(path.substr(path.size() - 4), ".sql");
}

std::string_view program_language(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 21> endings{{
      {".go", "Go"},          {".java", "Java"},     {".class", "Java"},    {".kt", "Kotlin"},
      {".groovy", "Groovy"},  {".scala", "Scala"},   {".js", "JavaScript"}, {".mjs", "JavaScript"},
      {".cjs", "JavaScript"}, {".ts", "TypeScript"}, {".py", "Python"},     {".rb", "Ruby"},
      {".php", "PHP"},        {".rs", "Rust"},       {".cs", "C#"},         {".exs", "Elixir"},
      {".pl", "Perl"},        {".sh", "shell"},      {".bash", "shell"},    {".ps1", "PowerShell"},
      {".bat", "batch"},
  }};
  const auto* row = std::find_if(endings.begin(), endings.end(),
                                 [&](const auto& ending) { return path.ends_with(ending.first); });
  return row == endings.end() ? std::string_view{} : row->second;
}

}  // namespace kdb::files
