// What is read of a server's machine: its postgresql.conf, what pg_controldata prints, what a trial is told.
// An include is one that the line has, a number one that was printed (with zeros before it, perhaps), and
// what is no trial an Error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "host/conf_includes.hpp"
#include "host/control_data.hpp"
#include "host/trial.hpp"

namespace {
std::string digits_of(std::int64_t value) {
  const std::string text = std::to_string(value);
  return text.substr(value < 0 ? 1 : 0);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  for (const kdb::host::ConfInclude& one : kdb::host::conf_includes(text))
    if (one.value.size() > size) std::abort();
  for (const auto& [name, value] : kdb::host::parse_primary_settings(text))
    if (name.empty() || text.find(digits_of(value)) == std::string::npos) std::abort();
  std::vector<std::string> fields;
  for (const std::string_view field : kdb::split(text, '\0')) fields.emplace_back(field);
  try {
    const kdb::host::TrialStart trial = kdb::host::trial_from(fields);
    if (kdb::host::trial_fields(kdb::host::trial_from(kdb::host::trial_fields(trial))) !=
        kdb::host::trial_fields(trial))
      std::abort();
  } catch (const kdb::Error&) {
    return 0;
  }
  return 0;
}
