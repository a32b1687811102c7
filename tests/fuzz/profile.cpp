// Profiles: whatever the text, it is a profile or an Error with places in it; and whatever settings it
// declares, they are refused or rendered.
#include "files/profile.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/tune.hpp"
#include "core/wanted_setting.hpp"
#include "model/known_settings.hpp"

namespace {

void render(const kdb::files::Profile& profile) {
  const auto lookup = [](std::string_view name) { return kdb::find_known_setting(17, name); };
  for (const kdb::WantedSetting& one : profile.server.settings)
    if (kdb::problem_of(one, lookup, "PostgreSQL 17", {})) return;
  kdb::TuningFacts facts;
  facts.memory = kdb::Known<std::uint64_t>{std::uint64_t{8} << 30, "fuzz"};
  facts.cpus = kdb::Known<double>{4, "fuzz"};
  facts.major = 17;
  for (const kdb::SettingLine& line : kdb::tune(facts, profile.server.settings, lookup).lines)
    if (!line.facts.type.vartype.empty() && !kdb::setting_problem(line.facts.type, line.value).empty())
      std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name.size() > 3) return std::nullopt;
    return name;
  };
  try {
    const kdb::files::Profile profile = kdb::files::parse_profile(text, "fuzz.toml", environment);
    if (profile.connection.retry.max_attempts < 1) std::abort();
    render(profile);
  } catch (const kdb::Error& error) {
    for (const kdb::Problem& problem : error.problems()) {
      if (problem.message.empty() || problem.where.file != "fuzz.toml") std::abort();
    }
  }
  return 0;
}
