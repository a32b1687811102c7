#include "host/postmaster.hpp"

#include <filesystem>

#include <doctest/doctest.h>
#include <unistd.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace kdb::postmaster_test {

namespace fs = std::filesystem;

TEST_CASE("a running program's folder is that of its next start") {
  const test::TempDir folder;
  const fs::path program = fs::canonical(folder.path()) / "sleep";
  const fs::path original = fs::canonical("/bin/sleep");
  fs::copy_file(original, program);
  const test::Child child({program.string(), "1000"});
  const auto programs = [&] { return fs::path(host::server_programs(child.pid())); };
  REQUIRE(test::eventually([&] { return programs() == program.parent_path(); }));
  fs::remove(program);
  CHECK(programs() == "");
  fs::copy_file(original, program);  // as an upgrade of the package does
  CHECK(programs() == program.parent_path());
}

TEST_CASE("a process that is not there has no programs") {
  CHECK(host::server_programs(0) == "");
  CHECK(host::server_programs(1 << 30) == "");
}

}  // namespace kdb::postmaster_test
