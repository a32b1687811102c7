#include <filesystem>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "host/server_disk.hpp"
#include "support/temp_dir.hpp"

namespace kdb::host::disk_kind_test {

namespace {

/// What sysfs would say of the device that the folder is on, under names of the test's own.
std::optional<Disk> kind_of(const std::string& device, const std::string& turns, bool has_model,
                            bool partition) {
  const test::TempDir root;
  struct stat file {};
  REQUIRE(stat(root.path().c_str(), &file) == 0);
  root.write("sys/devices/" + device + "/queue/rotational", turns + "\n");
  if (has_model) root.write("sys/devices/" + device + "/device/model", "a disk\n");
  std::filesystem::path seen = root.path() / "sys/devices" / device;
  if (partition) seen /= device + "1";
  std::filesystem::create_directories(seen);
  std::filesystem::create_directories(root.path() / "sys/dev/block");
  std::filesystem::create_symlink(
      seen, root.path() / fmt::format("sys/dev/block/{}:{}", major(file.st_dev), minor(file.st_dev)));
  return guess_disk_kind(root.path(), root.path());
}

}  // namespace

TEST_CASE("the kind of a disk is guessed by what the kernel says, and not where it only repeats a default") {
  CHECK(kind_of("nvme0n1", "0", true, false) == Disk::nvme);
  CHECK(kind_of("sda", "0", true, true) == Disk::ssd);
  CHECK(kind_of("sda", "1", true, false) == Disk::hdd);
  CHECK(!kind_of("vda", "1", false, false));  // virtual disks claim to turn
  CHECK(!kind_of("sda", "", true, false));
  const test::TempDir nothing;
  CHECK(!guess_disk_kind(nothing.path(), nothing.path()));
  CHECK(!guess_disk_kind("/no such folder"));
}

}  // namespace kdb::host::disk_kind_test
