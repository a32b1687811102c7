// Migration files of every layout: the first byte chooses it, the rest is the file. A section must have the
// lines that it claims, and nothing may be in it that is not in the file.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/sql.hpp"
#include "files/migrations.hpp"

namespace {

using kdb::Layout;

constexpr std::array layouts{Layout::native, Layout::golang_migrate, Layout::diesel, Layout::prisma,
                             Layout::flyway, Layout::goose,          Layout::plain};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// Every line of the section is that line of the file, or one of the lines between two pieces.
void check_lines(const kdb::Section& section, std::string_view file) {
  if (file.substr(0, 3) == "\xEF\xBB\xBF") file.remove_prefix(3);
  const auto whole = lines_of(file);
  const auto lines = lines_of(section.text);
  for (size_t i = 0; i < lines.size(); ++i) {
    const size_t at = static_cast<size_t>(section.line) - 1 + i;
    if (lines[i].empty() || lines[i] == ";") continue;
    if (at >= whole.size() || whole[at] != lines[i]) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Layout layout = layouts.at(data[0] % layouts.size());
  const std::vector<char> bytes(data + 1, data + size);
  const std::string_view text(bytes.data(), bytes.size());
  const kdb::files::MigrationSource source{.variables = {{"a", "1"}, {"owner", "x\ny"}}};
  const bool expands =
      text.find('$') != std::string_view::npos && (layout == Layout::flyway || layout == Layout::goose);
  try {
    const auto migration = kdb::files::parse_migration(source, layout, {.path = "f.sql"}, text, std::nullopt);
    if (!migration.up) std::abort();
    if (!expands) check_lines(*migration.up, text);
    if (migration.down && !expands) check_lines(*migration.down, text);
  } catch (const kdb::Error& error) {
    for (const kdb::Problem& problem : error.problems()) {
      if (problem.message.empty() || problem.where.file != "f.sql" || problem.where.line < 1) std::abort();
    }
  }
  return 0;
}
