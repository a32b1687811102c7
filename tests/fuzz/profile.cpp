// Profiles: whatever the text, it is a profile or an Error with places in it.
#include "files/profile.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name.size() > 3) return std::nullopt;
    return name;
  };
  try {
    const kdb::files::Profile profile = kdb::files::parse_profile(text, "fuzz.toml", environment);
    if (profile.connection.retry.max_attempts < 1) std::abort();
  } catch (const kdb::Error& error) {
    for (const kdb::Problem& problem : error.problems()) {
      if (problem.message.empty() || problem.where.file != "fuzz.toml") std::abort();
    }
  }
  return 0;
}
