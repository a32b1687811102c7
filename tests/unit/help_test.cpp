#include <algorithm>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "base/text.hpp"
#include "cli/command.hpp"

namespace kdb::cli::help_test {

TEST_CASE("every page of help fits a terminal of 80 columns and 40 lines, with room for the prompt") {
  std::set<std::string> pages{"", "migrate"};
  for (const Command& command : commands()) pages.insert(std::string(command.name));
  for (const std::string& page : pages) {
    CAPTURE(page);
    const std::string text = help(page);
    CHECK(std::count(text.begin(), text.end(), '\n') < 40);
    for (const std::string_view line : split(text, '\n')) {
      CAPTURE(line);
      const auto columns = std::count_if(
          line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
      CHECK(columns <= 80);
    }
  }
}

TEST_CASE("a command's own help names the options that every command takes") {
  const std::string text = help("migrate up");
  for (const Option& option : global_options())
    CHECK(text.find(" " + std::string(split(option.flags, ',').front())) != std::string::npos);
}

}  // namespace kdb::cli::help_test
