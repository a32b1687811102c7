#include "host/process.hpp"

#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.hpp"
#include "host/supervisor.hpp"
#include "support/temp_dir.hpp"

namespace kdb::process_test {

using kdb::host::ProcessResult;
using kdb::host::run;

TEST_CASE("run collects both outputs, however large, and the exit status") {
  const ProcessResult result =
      run({"sh", "-c", "head -c 3000000 /dev/zero >&2; head -c 2000000 /dev/zero; exit 9"});
  CHECK(result.exit == 9);
  CHECK(result.out.size() == 2000000);
  CHECK(result.error.size() == 3000000);
}

TEST_CASE("run tells a signal as 128 and its number") { CHECK(run({"sh", "-c", "kill -9 $$"}).exit == 137); }

TEST_CASE("run passes arguments as they are: there is no shell between") {
  CHECK(run({"printf", "%s|", "a b", "$HOME", "'", ""}).out == "a b|$HOME|'||");
}

TEST_CASE("run adds to the environment, or replaces in it") {
  CHECK(run({"sh", "-c", "echo $KDB_TEST_A $HOME $PATH"}, {{"KDB_TEST_A", "a=b"}, {"HOME", "/h"}}).out ==
        "a=b /h " + kdb::host::environment("PATH").value() + "\n");
}

TEST_CASE("run gives nothing to read, and none of our open files") {
  const kdb::test::TempDir folder;
  const int fd = open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CHECK(run({"cat"}).out == "");
  CHECK(run({"sh", "-c", "ls -l /proc/self/fd"}).out.find(folder.path().string()) == std::string::npos);
  close(fd);
}

TEST_CASE("run says what it cannot start") {
  try {
    run({"/no/such/program"});
    FAIL("it started");
  } catch (const kdb::Error& error) {
    CHECK(error.exit() == kdb::Exit::failed);
    CHECK(error.what() == std::string("cannot start \"/no/such/program\": No such file or directory"));
  }
}

TEST_CASE("find_program looks along PATH for files that can be run") {
  const kdb::test::TempDir folder;
  folder.write("plain/tool", "");
  folder.write("good/tool", "#!/bin/sh\n");
  std::filesystem::create_directories(folder.path() / "folder/tool");
  std::filesystem::permissions(folder.path() / "good/tool", std::filesystem::perms(0755));
  const std::string before = kdb::host::environment("PATH").value();
  const std::string root = folder.path();
  setenv("PATH", (root + "/none:" + root + "/plain:" + root + "/folder:" + root + "/good").c_str(), 1);
  const auto found = kdb::host::find_program("tool");
  const auto missing = kdb::host::find_program("no-such-tool");
  const auto empty = kdb::host::find_program("");
  setenv("PATH", before.c_str(), 1);
  CHECK(found == root + "/good/tool");
  CHECK_FALSE(missing);
  CHECK_FALSE(empty);
  CHECK(kdb::host::find_program(root + "/good/tool") == root + "/good/tool");
  CHECK_FALSE(kdb::host::find_program(root + "/plain/tool"));
}

TEST_CASE("environment tells empty from unset") {
  setenv("KDB_TEST_EMPTY", "", 1);
  CHECK(kdb::host::environment("KDB_TEST_EMPTY") == "");
  unsetenv("KDB_TEST_EMPTY");
  CHECK_FALSE(kdb::host::environment("KDB_TEST_EMPTY"));
}

TEST_CASE("self_path is the running program") {
  CHECK(std::filesystem::equivalent(kdb::host::self_path(), "/proc/self/exe"));
}

TEST_CASE("what kdb and its supervisor tell each other keeps empty fields and line breaks") {
  const std::vector<std::string> fields{"error", "", "two\nlines", ""};
  CHECK(kdb::host::supervisor_link::unpack(kdb::host::supervisor_link::pack(fields)) == fields);
  CHECK(kdb::host::supervisor_link::unpack("").empty());
}

}  // namespace kdb::process_test
