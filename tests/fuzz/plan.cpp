// Plan files: whatever the text, it is a plan or an Error that names the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "files/plan_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const kdb::SavedPlan saved = kdb::files::parse_plan(text, "fuzz.json");
    if (saved.origin.kdb_version.size() > size) std::abort();
  } catch (const kdb::Error& error) {
    for (const kdb::Problem& problem : error.problems())
      if (problem.message.empty() || problem.where.file != "fuzz.json") std::abort();
  }
  return 0;
}
