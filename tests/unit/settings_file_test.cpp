// kdb's settings beside a server's: where, and written so that the server never reads half of them.
#include "host/settings_file.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/checksum.hpp"
#include "base/error.hpp"
#include "host/conf_includes.hpp"
#include "host/file_folder.hpp"
#include "host/unique_fd.hpp"
#include "support/cases.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"

namespace kdb::settings_file_test {

namespace fs = std::filesystem;
using host::conf_includes;
using host::ConfInclude;
using host::edits_for;
using host::FileEdit;
using host::find_settings_file;
using host::SettingsFile;
using test::read_file;
using test::TempDir;

namespace {

constexpr const char* settings = "work_mem = '64MB'\n";

/// The files of a folder and below: what they hold, whose they are, what their mode is.
using State = std::map<std::string, std::tuple<std::string, uid_t, gid_t, mode_t>>;

State state_of(const fs::path& folder) {
  State state;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    struct stat status {};
    REQUIRE(lstat(entry.path().c_str(), &status) == 0);
    const std::string bytes = S_ISREG(status.st_mode)   ? read_file(entry.path())
                              : S_ISLNK(status.st_mode) ? fs::read_symlink(entry.path()).string()
                                                        : "";
    state[fs::relative(entry.path(), folder).string()] = {bytes, status.st_uid, status.st_gid,
                                                          status.st_mode};
  }
  return state;
}

State without_backups(State state) {
  std::erase_if(state, [](const auto& entry) { return entry.first.ends_with(".kdb-backup"); });
  return state;
}

std::vector<std::string> names_of(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// What GetConfFilesInDir leaves out cannot harm.
bool is_read_by_include_dir(const std::string& name) {
  return name.size() > 5 && !name.starts_with('.') && name.ends_with(".conf");
}

template <class Work>
Error error_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return {Exit::ok, ""};
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// A server's folder.
struct Folder {
  TempDir root;
  fs::path path = root.path() / "it's a \"main\" \\ folder";
  std::string main = (path / "postgresql.conf").string();

  explicit Folder(const std::string& text) {
    fs::create_directory(path);
    write("postgresql.conf", text);
  }
  void write(const std::string& name, const std::string& text) const { root.write(path / name, text); }
  std::string file(const std::string& name) const { return (path / name).string(); }
  SettingsFile find() const { return find_settings_file(main); }
  std::vector<FileEdit> edits(const std::string& text = settings) const { return edits_for(find(), text); }
};

constexpr uid_t nobody = 65534;

void give(const fs::path& path, uid_t uid = nobody) { REQUIRE(lchown(path.c_str(), uid, uid) == 0); }

/// A folder of nobody's in a folder of root's, that nobody can enter.
struct NobodysFolder : Folder {
  explicit NobodysFolder(const std::string& text) : Folder(text) {
    fs::permissions(root.path(), fs::perms(0755));
    give(path);
    give(main);
  }
};

bool is_root() {
  if (geteuid() == 0) return true;
  test::skip("needs root");
  return false;
}

/// What the work does in a process of its own: its exit status, or 128 and the signal that it ended by.
template <class Work>
int in_child(const Work& work) {
  const pid_t pid = fork();
  if (pid == 0) _exit(work());
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

TEST_CASE("includes are read as the server reads them") {
  const std::vector<std::tuple<const char*, std::vector<ConfInclude>>> rows = {
      {"", {}},
      {"include_dir 'x'", {{true, "x"}}},
      {"include_dir = 'x'\n", {{true, "x"}}},
      {"include_dir='x'", {{true, "x"}}},
      {"include_dir'x'", {{true, "x"}}},
      {" \t INCLUDE_DIR\t=\t'x'  # why\r\n", {{true, "x"}}},
      {"include_dir = 'x'#why", {{true, "x"}}},
      {"#include_dir = 'x'\n  # include_dir = 'x'", {}},
      {"work_mem = '#' # include_dir = 'x'", {}},
      {"include_dir = confd", {{true, "confd"}}},
      {"include_dir = conf.d", {}},  // a syntax error there: tests/db asks a server
      {"include_dir = conf-1.d", {{true, "conf-1.d"}}},
      {"include_dir = a.b.c", {{true, "a.b.c"}}},
      {"include_dir = a/b.d", {{true, "a/b.d"}}},
      {"include_dir = /etc/x", {}},
      {"include_dir = ", {}},
      {"include_dir", {}},
      {"include_dir = 'x' 'y'", {}},
      {"include_dir = 'x", {}},
      {"include_dir = 'x\\", {}},
      {"include_dir = 'x\n'", {}},
      {"include_dir == 'x'", {}},
      {"include_dirs = 'x'", {}},
      {"my.include_dir = 'x'", {}},
      {"include_dir.x = 'x'", {}},
      {"include_dir = ''", {{true, ""}}},
      {"include_dir = 'it''s'", {{true, "it's"}}},
      {R"(include_dir = 'it\'s \\ \"\x')", {{true, R"(it's \ "x)"}}},
      {R"(include_dir = '\b\f\n\r\t\101\7z\18')",
       {{true,
         "\b\f\n\r\tA\az\x01"
         "8"}}},
      {"include 'a'\ninclude_if_exists = 'b'\ninclude_dir 'c'", {{false, "a"}, {false, "b"}, {true, "c"}}},
      {"include_dir = \xc3\xa4", {{true, "\xc3\xa4"}}},
  };
  for (const auto& row : rows) {
    const std::string text = std::get<0>(row);
    CAPTURE(text);
    CHECK(conf_includes(text) == std::get<1>(row));
  }
}

TEST_CASE("kdb's file is in the last include_dir that there is, else beside the server's") {
  struct Row {
    const char* name;
    const char* text;
    const char* path;
    bool included;
  };
  for (const Row& row : {
           Row{"none", "port = 5432\n", "kdb-tune.conf", false},
           Row{"Debian's", "port = 5432\ninclude_dir = 'conf.d'\t# read all\n", "conf.d/kdb-tune.conf", true},
           Row{"last", "include_dir 'conf.d'\ninclude_dir './other'\n", "other/kdb-tune.conf", true},
           Row{"last that exists", "include_dir 'conf.d'\ninclude_dir 'gone'\n", "conf.d/kdb-tune.conf",
               true},
           Row{"none that exists", "include_dir 'gone'\n", "kdb-tune.conf", false},
           Row{"a file", "include_dir 'some.conf'\n", "kdb-tune.conf", false},
           Row{"blank", "include_dir ' '\n", "kdb-tune.conf", false},
           Row{"comment", "#include_dir 'conf.d'\n", "kdb-tune.conf", false},
           Row{"its own line", "include 'kdb-tune.conf'\n", "kdb-tune.conf", true},
           Row{"its own line, spelt oddly", "Include_If_Exists = './conf.d/../kdb-tune.conf'\n",
               "kdb-tune.conf", true},
           Row{"its own line before a folder", "include 'kdb-tune.conf'\ninclude_dir 'conf.d'\n",
               "kdb-tune.conf", true},
           Row{"another kdb-tune.conf", "include 'conf.d/kdb-tune.conf'\n", "kdb-tune.conf", false},
           Row{"another file", "include 'some.conf'\n", "kdb-tune.conf", false},
       }) {
    CAPTURE(row.name);
    const Folder folder(row.text);
    fs::create_directory(folder.path / "conf.d");
    fs::create_directory(folder.path / "other");
    folder.write("some.conf", "");
    CHECK(folder.find() == SettingsFile{folder.file(row.path), folder.main, row.included});
  }
}

TEST_CASE("an include may be absolute, and lead through links") {
  const Folder folder("");
  fs::create_directory_symlink(folder.path, folder.root.path() / "link");
  const std::string link = (folder.root.path() / "link").string();
  folder.write("postgresql.conf", "include '" + link + "/kdb-tune.conf'\n");
  CHECK(folder.find().included);
  fs::create_directory(folder.root.path() / "away");
  const std::string away = (folder.root.path() / "away").string();
  folder.write("postgresql.conf", "include_dir '" + away + "/'\n");
  CHECK(folder.find() == SettingsFile{away + "/kdb-tune.conf", folder.main, true});
}

TEST_CASE("the server's file must be there and be a file") {
  const Folder folder("");
  const Error none = error_of([&] { find_settings_file(folder.file("none.conf")); });
  CHECK(none.exit() == Exit::failed);
  CHECK(none.what() == "cannot read \"" + folder.file("none.conf") + "\": No such file or directory");
  CHECK(has(error_of([&] { find_settings_file(folder.path.string()); }).what(), "is not a regular file"));
  REQUIRE(mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  CHECK(has(error_of([&] { find_settings_file(folder.file("pipe")); }).what(), "is not a regular file"));
}

TEST_CASE("the line that includes kdb's file is added once, in the manner of the file") {
  const std::string big(1'000'000, '#');
  const std::string added =
      "# Settings that `kdb tune` keeps; what stands below wins over them.\ninclude_if_exists = "
      "'kdb-tune.conf'\n";
  std::string added_crlf = added;
  for (size_t at = 0; (at = added_crlf.find('\n', at)) != std::string::npos; at += 2)
    added_crlf.replace(at, 1, "\r\n");
  for (const auto& row : std::vector<std::tuple<std::string, std::string>>{
           {"", added},
           {"port = 5432\n", "port = 5432\n\n" + added},
           {"port = 5432", "port = 5432\n\n" + added},
           {"a = 1\r\nport = 5432\r\n", "a = 1\r\nport = 5432\r\n\r\n" + added_crlf},
           {"a = 1\r\nport = 5432", "a = 1\r\nport = 5432\r\n\r\n" + added_crlf},
           {big, big + "\n\n" + added},
       }) {
    const std::string& before = std::get<0>(row);
    const std::string& after = std::get<1>(row);
    CAPTURE(before.substr(0, 40));
    const Folder folder(before);
    const SettingsFile found = folder.find();
    const std::vector<FileEdit> edits = edits_for(found, settings);
    REQUIRE(edits.size() == 2);
    CHECK(edits[0] == FileEdit{folder.file("kdb-tune.conf"), {}, settings, folder.main});
    CHECK(edits[1] == FileEdit{folder.main, before, after, folder.main});
    make(edits);
    CHECK((read_file(folder.main) == after));
    CHECK(read_file(folder.file("kdb-tune.conf")) == settings);
    CHECK(folder.edits().empty());
    CHECK(edits_for(found, settings).empty());
    CHECK(folder.find().included);
    CHECK(folder.edits("other = 1\n") ==
          std::vector{FileEdit{folder.file("kdb-tune.conf"), settings, "other = 1\n", folder.main}});
  }
}

TEST_CASE("what was made can be taken back, to the byte, the owner and the mode") {
  for (const char* text : {"port = 5432", "include_dir 'conf.d'"}) {
    for (const bool is_new : {true, false}) {
      CAPTURE(text);
      CAPTURE(is_new);
      const Folder folder(text);
      fs::create_directory(folder.path / "conf.d");
      fs::permissions(folder.main, fs::perms(0640));
      const std::string own = folder.find().path;
      // Another folder, named by nobody's file, would be written as nobody.
      const uid_t owner = own == folder.file("kdb-tune.conf") ? nobody : 0;
      if (geteuid() == 0) REQUIRE(chown(folder.main.c_str(), owner, 12) == 0);
      if (!is_new) {
        folder.root.write(own, "old = 1\n");
        fs::permissions(own, fs::perms(0604));
        if (geteuid() == 0) REQUIRE(chown(own.c_str(), 3, 4) == 0);
      }
      const State before = state_of(folder.path);
      const std::vector<FileEdit> edits = folder.edits();
      make(edits);
      const State after = without_backups(state_of(folder.path));
      const auto& [bytes, uid, gid, mode] = after.at(fs::relative(own, folder.path).string());
      CHECK(bytes == settings);
      CHECK(mode == (is_new ? 0100640 : 0100604));
      if (geteuid() == 0) CHECK(uid == (is_new ? owner : 3));
      if (geteuid() == 0) CHECK(gid == (is_new ? 12 : 4));
      take_back(edits);
      CHECK(without_backups(state_of(folder.path)) == before);
      take_back(edits);  // there is nothing to do
      CHECK(without_backups(state_of(folder.path)) == before);
    }
  }
}

TEST_CASE("a backup is named by what it holds, and kept once") {
  const Folder folder("port = 5432\n");
  fs::permissions(folder.main, fs::perms(0640));
  const std::vector<FileEdit> edits = folder.edits();
  CHECK(backup_path(edits[0]).empty());
  const std::string backup = backup_path(edits[1]);
  CHECK(backup == folder.main + "." + sha256_hex("port = 5432\n").substr(0, 16) + ".kdb-backup");
  make(edits);
  struct stat first {};
  REQUIRE(stat(backup.c_str(), &first) == 0);
  CHECK(read_file(backup) == "port = 5432\n");
  CHECK(first.st_mode == 0100640);
  take_back(edits);
  make(edits);
  struct stat second {};
  REQUIRE(stat(backup.c_str(), &second) == 0);
  CHECK(second.st_ino == first.st_ino);
  CHECK(names_of(folder.path) ==
        std::vector<std::string>{"kdb-tune.conf", "postgresql.conf", fs::path(backup).filename().string()});
  for (const std::string& name : names_of(folder.path))
    CHECK(is_read_by_include_dir(name) == name.ends_with("f"));

  // What has the name and other bytes is none, and a link is not followed.
  take_back(edits);
  folder.root.write(backup, "something else");
  make(edits);
  CHECK(read_file(backup) == "port = 5432\n");
  take_back(edits);
  folder.write("victim", "port = 5432\n");
  fs::remove(backup);
  fs::create_symlink(folder.file("victim"), backup);
  make(edits);
  CHECK_FALSE(fs::is_symlink(backup));
  CHECK(read_file(folder.file("victim")) == "port = 5432\n");
}

TEST_CASE("an edit may remove a file, and be taken back") {
  const Folder folder("port = 5432\n");
  folder.write("kdb-tune.conf", settings);
  const State before = state_of(folder.path);
  const std::vector<FileEdit> edits{{folder.file("kdb-tune.conf"), settings, {}, folder.main}};
  make(edits);
  CHECK_FALSE(fs::exists(folder.file("kdb-tune.conf")));
  take_back(edits);
  CHECK(read_file(folder.file("kdb-tune.conf")) == settings);
}

TEST_CASE("a file that somebody has changed meanwhile is refused, and nothing written") {
  for (const char* changed : {"postgresql.conf", "kdb-tune.conf"}) {
    CAPTURE(changed);
    const Folder folder("port = 5432\n");
    folder.write("kdb-tune.conf", "old = 1\n");  // of which a copy would be left
    const std::vector<FileEdit> edits = folder.edits();
    folder.write(changed, "port = 5433\n");
    const State before = state_of(folder.path);
    const Error error = error_of([&] { make(edits); });
    CHECK(error.exit() == Exit::failed);
    CHECK(error.what() == "\"" + folder.file(changed) + "\" was changed meanwhile");
    CHECK(error.problems().size() == 1);
    CHECK(state_of(folder.path) == before);
  }
}

TEST_CASE("a file that is changed between the edits is refused, and the edits before are taken back") {
  const Folder folder("port = 5432\n");
  const State before = state_of(folder.path);
  const std::string own = folder.file("kdb-tune.conf");
  // The first edit is what the second does not expect.
  const Error error = error_of([&] {
    host::make({{own, {}, "a = 1\n", folder.main}, {own, {}, "a = 2\n", folder.main}});
  });
  CHECK(error.what() == "\"" + own + "\" was changed meanwhile");
  CHECK(error.problems().size() == 1);
  CHECK(state_of(folder.path) == before);
}

TEST_CASE("an access control list is kept, and given to a new file") {
  // xattr's form of user::rw-, user:nobody:r--, group::---, mask::r--, other::---: linux/posix_acl_xattr.h
  struct Entry {
    std::uint16_t tag;
    std::uint16_t rights;
    std::uint32_t id;
  };
  constexpr std::uint32_t none = 0xffffffff;
  struct {
    std::uint32_t version = 2;
    Entry entries[5] = {{1, 6, none}, {2, 4, nobody}, {4, 0, none}, {0x10, 4, none}, {0x20, 0, none}};
  } acl;
  const Folder folder("port = 5432\n");
  if (setxattr(folder.main.c_str(), "system.posix_acl_access", &acl, sizeof acl, 0) != 0) {
    test::skip("the file system has no access control lists");
    return;
  }
  make(folder.edits());
  for (const std::string& name : names_of(folder.path)) {
    CAPTURE(name);
    char held[100] = {};
    const ssize_t length = getxattr(folder.file(name).c_str(), "system.posix_acl_access", held, sizeof held);
    REQUIRE(length == sizeof acl);
    CHECK(std::memcmp(held, &acl, sizeof acl) == 0);
  }
  CHECK(names_of(folder.path).size() == 3);

  // What the folder gives new files is not for one that had none.
  const Folder other("port = 5432\n");
  const State before = state_of(other.path);
  REQUIRE(setxattr(other.path.c_str(), "system.posix_acl_default", &acl, sizeof acl, 0) == 0);
  make(other.edits());
  for (const std::string& name : names_of(other.path)) {
    CAPTURE(name);
    CHECK(getxattr(other.file(name).c_str(), "system.posix_acl_access", nullptr, 0) < 0);
    CHECK(std::get<3>(state_of(other.path).at(name)) == std::get<3>(before.at("postgresql.conf")));
  }
}

TEST_CASE("what somebody has changed since is not taken back; the rest is, and where the bytes are is said") {
  const Folder folder("port = 5432\n");
  const std::vector<FileEdit> edits = folder.edits();
  make(edits);
  folder.write("postgresql.conf", "port = 5433\n");
  const Error error = error_of([&] { take_back(edits); });
  REQUIRE(error.problems().size() == 1);
  CHECK(error.what() ==
        "\"" + folder.main + "\" is not as it was before: \"" + folder.main + "\" was changed meanwhile");
  CHECK(error.problems()[0].hint == "its bytes before are in \"" + backup_path(edits[1]) + "\"");
  CHECK(read_file(folder.main) == "port = 5433\n");
  CHECK_FALSE(fs::exists(folder.file("kdb-tune.conf")));
}

TEST_CASE("a server's file that is a link is edited where it is; what it includes is beside the link") {
  const Folder folder("");
  folder.root.write("real/the.conf", "port = 5432\n");
  const std::string real = (folder.root.path() / "real/the.conf").string();
  fs::remove(folder.main);
  fs::create_symlink("../real/the.conf", folder.main);
  CHECK(folder.find() == SettingsFile{folder.file("kdb-tune.conf"), fs::canonical(real).string(), false});
  make(folder.edits());
  CHECK(fs::is_symlink(folder.main));
  CHECK(read_file(folder.file("kdb-tune.conf")) == settings);
  CHECK(has(read_file(real), "include_if_exists"));
  CHECK(names_of(folder.root.path() / "real").size() == 2);  // with the backup
  CHECK(folder.edits().empty());
}

TEST_CASE("kdb's own file must be no link, and no folder") {
  const Folder folder("port = 5432\n");
  folder.write("victim", "precious\n");
  const State before = state_of(folder.path);
  const std::vector<FileEdit> edits = folder.edits();
  fs::create_symlink("victim", folder.file("kdb-tune.conf"));
  CHECK(error_of([&] { folder.edits(); }).what() ==
        "\"" + folder.file("kdb-tune.conf") + "\" is a symbolic link");
  CHECK(has(error_of([&] { make(edits); }).what(), "is a symbolic link"));
  fs::remove(folder.file("kdb-tune.conf"));
  fs::create_directory(folder.file("kdb-tune.conf"));
  CHECK(has(error_of([&] { folder.edits(); }).what(), "is not a regular file"));
  fs::remove(folder.file("kdb-tune.conf"));
  CHECK(state_of(folder.path) == before);
}

TEST_CASE("a leftover of a kdb that was killed, or a link in its place, is no obstacle") {
  const Folder folder("port = 5432\n");
  folder.write("victim", "precious\n");
  folder.write(".kdb-tune.conf.kdb-new", "half");
  fs::create_symlink("victim", folder.file(".postgresql.conf.kdb-new"));
  make(folder.edits());
  CHECK(read_file(folder.file("victim")) == "precious\n");
  CHECK(read_file(folder.file("kdb-tune.conf")) == settings);
  for (const std::string& name : names_of(folder.path)) CHECK_FALSE(name.ends_with(".kdb-new"));
}

TEST_CASE("two kdbs do not write at once") {
  const Folder folder("port = 5432\n");
  const State before = state_of(folder.path);
  const host::UniqueFd other(open(folder.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(flock(other.get(), LOCK_EX) == 0);
  const Error error = error_of([&] { make(folder.edits()); });
  CHECK(error.what() == "another kdb is at work in the folder of \"" + folder.file("kdb-tune.conf") + "\"");
  CHECK(error.problems().size() == 1);
  CHECK(state_of(folder.path) == before);
}

TEST_CASE("a disk that has no room leaves everything as before") {
  const std::string big(20'000, '#');
  // The limit is met by the copy of the server's file, when kdb's is there already; or by kdb's.
  for (const rlim_t limit : {rlim_t{4'000}, rlim_t{1}}) {
    CAPTURE(limit);
    const Folder folder(big);
    const std::vector<FileEdit> edits = folder.edits();
    const State before = state_of(folder.path);
    CHECK(in_child([&] {
            signal(SIGXFSZ, SIG_IGN);
            const rlimit lowered{.rlim_cur = limit, .rlim_max = limit};
            setrlimit(RLIMIT_FSIZE, &lowered);
            try {
              make(edits);
            } catch (const Error& error) {
              const std::string file = folder.file(limit == 1 ? "kdb-tune.conf" : "postgresql.conf");
              return error.what() == "cannot write \"" + file + "\": File too large" ? 7 : 8;
            }
            return 0;
          }) == 7);
    CHECK((state_of(folder.path) == before));
  }
}

TEST_CASE("where the name is taken by a folder the error says so, and what was made is taken back") {
  const Folder folder("port = 5432\n");
  const std::vector<FileEdit> edits = folder.edits();
  fs::create_directory(backup_path(edits[1]));  // a rename onto it fails
  const State before = state_of(folder.path);
  const Error error = error_of([&] { make(edits); });
  CHECK(error.what() == "cannot write \"" + folder.main + "\": Is a directory");
  CHECK(state_of(folder.path) == before);
}

TEST_CASE("somebody who may not write is told, and whom to be") {
  const Folder folder("port = 5432\n");
  if (geteuid() == 0) fs::permissions(folder.root.path(), fs::perms(0755));
  fs::permissions(folder.path, fs::perms(0555));
  const State before = state_of(folder.path);
  CHECK(in_child([&] {
          if (geteuid() == 0 && (setgid(nobody) != 0 || setuid(nobody) != 0)) return 1;
          try {
            make(folder.edits());
          } catch (const Error& error) {
            const bool is_clear =
                error.what() == "cannot write \"" + folder.file("kdb-tune.conf") + "\": Permission denied" &&
                error.problems().size() == 1 && has(error.problems()[0].hint, "as the server's user") &&
                has(error.problems()[0].hint, "--method alter-system");
            return is_clear ? 7 : 8;
          }
          return 0;
        }) == 7);
  CHECK(state_of(folder.path) == before);
  fs::permissions(folder.path, fs::perms(0755));
}

TEST_CASE("an owner that cannot be kept is refused") {
  if (!is_root()) return;
  const NobodysFolder folder("port = 5432\n");
  give(folder.main, 0);
  const State before = state_of(folder.path);
  const Error error = error_of([&] { make(folder.edits()); });
  CHECK(error.what() == "cannot write \"" + folder.file("kdb-tune.conf") + "\": Operation not permitted");
  CHECK(state_of(folder.path) == before);
}

TEST_CASE("as root what is in somebody's folder is done as he") {
  if (!is_root()) return;
  const NobodysFolder folder("port = 5432\n");
  fs::permissions(folder.main, fs::perms(0600));
  const State before = state_of(folder.path);
  const std::vector<FileEdit> edits = folder.edits();
  make(edits);
  for (const auto& file : state_of(folder.path)) {
    CAPTURE(file.first);
    CHECK(std::get<1>(file.second) == nobody);
  }
  CHECK(folder.edits().empty());
  take_back(edits);
  CHECK(without_backups(state_of(folder.path)) == before);

  fs::permissions(folder.path, fs::perms(0555));  // root alone could
  CHECK(error_of([&] { make(edits); }).what() ==
        "cannot write \"" + folder.file("kdb-tune.conf") + "\": Permission denied");
  CHECK(host::read_bytes(folder.main, "") == "port = 5432\n");
}

TEST_CASE("as root nobody's links lead to what is not his") {
  if (!is_root()) return;
  const TempDir secrets;  // closed to nobody
  secrets.write("victim", "s3cret\n");
  secrets.write("kdb-tune.conf", "s3cret\n");
  const fs::path open_to_all = secrets.path() / "roots";
  fs::create_directory(open_to_all);
  const State before = state_of(secrets.path());
  const auto refused = [&](const Folder& folder) {
    const Error error = error_of([&] { make(folder.edits()); });
    CHECK_FALSE(has(error.what(), "s3cret"));
    CHECK(state_of(secrets.path()) == before);
    return std::string(error.what());
  };
  SUBCASE("the server's file") {
    const NobodysFolder folder("");
    fs::remove(folder.main);
    fs::create_symlink(secrets.path() / "victim", folder.main);
    give(folder.main);
    CHECK(has(refused(folder), "in a folder of another user's"));
  }
  SUBCASE("a folder that is included") {
    const NobodysFolder folder("include_dir 'conf.d'\n");
    fs::create_directory_symlink(secrets.path(), folder.file("conf.d"));
    give(folder.file("conf.d"));
    CHECK(has(refused(folder), "Permission denied"));
  }
  SUBCASE("a folder that is included and that he may read") {
    fs::permissions(secrets.path(), fs::perms(0755));
    const State opened = state_of(secrets.path());
    const NobodysFolder folder("include_dir 'conf.d'\n");
    fs::create_directory_symlink(open_to_all, folder.file("conf.d"));
    give(folder.file("conf.d"));
    CHECK(has(error_of([&] { make(folder.edits()); }).what(), "Permission denied"));
    CHECK(state_of(secrets.path()) == opened);
  }
  SUBCASE("a folder that he names by its path") {
    fs::permissions(secrets.path(), fs::perms(0755));
    const State opened = state_of(secrets.path());
    for (const bool is_folder_his : {true, false}) {
      const NobodysFolder folder("include_dir '" + open_to_all.string() + "'\n");
      if (!is_folder_his) give(folder.path, 0);
      CHECK(folder.find().path == (open_to_all / "kdb-tune.conf").string());
      CHECK(error_of([&] { make(folder.edits()); }).what() ==
            "cannot write \"" + (open_to_all / "kdb-tune.conf").string() + "\": Permission denied");
      CHECK(state_of(secrets.path()) == opened);
    }
  }
  SUBCASE("the folder itself, between the look and the writing") {
    const NobodysFolder folder("port = 5432\n");
    const std::vector<FileEdit> edits = folder.edits();
    give(folder.root.path());
    fs::rename(folder.path, folder.root.path() / "moved");
    fs::create_directory_symlink(secrets.path(), folder.path);
    give(folder.path);
    CHECK(has(error_of([&] { make(edits); }).what(), "Permission denied"));
    CHECK(state_of(secrets.path()) == before);
  }
}

TEST_CASE("as root what is in a folder of root's is done as root, the owners kept") {
  if (!is_root()) return;
  const NobodysFolder folder("include_dir 'conf.d'\n");
  give(folder.path, 0);
  fs::create_directory(folder.path / "conf.d");
  give(folder.main, 0);
  make(folder.edits());
  CHECK(read_file(folder.file("conf.d/kdb-tune.conf")) == settings);
  folder.write("postgresql.conf", "port = 5432\n");
  give(folder.main);
  make(folder.edits());
  for (const char* name : {"postgresql.conf", "kdb-tune.conf"})
    CHECK(std::get<1>(state_of(folder.path).at(name)) == nobody);
}

TEST_CASE("the owner of a way is the first on it that is not root") {
  if (!is_root()) return;
  const TempDir folder;
  fs::create_directories(folder.path() / "a/b/c");
  const std::string way = (folder.path() / "a/b/c").string();
  CHECK(host::owner_of_way(way) == 0);
  give(folder.path() / "a/b/c", 7);
  CHECK(host::owner_of_way(way) == 7);
  give(folder.path() / "a", 8);
  CHECK(host::owner_of_way(way) == 8);
  fs::create_directory_symlink("a/b/c", folder.path() / "link");
  CHECK(host::owner_of_way((folder.path() / "link").string()) == 8);
  give(folder.path() / "link", 9);
  CHECK(host::owner_of_way((folder.path() / "link").string()) == 9);
  fs::create_directory_symlink("round", folder.path() / "round");
  CHECK(has(error_of([&] { host::owner_of_way((folder.path() / "round").string()); }).what(),
            "symbolic links"));
  CHECK(has(error_of([&] { host::owner_of_way(way + "/none"); }).what(), "No such file"));
}

namespace {

/// Makes the edits in a child that is killed where it enters or leaves its `step`th system call; false if it
/// ended before that.
bool is_killed_at(int step, const std::vector<FileEdit>& edits) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(77);
    raise(SIGSTOP);
    try {
      make(edits);
    } catch (const Error&) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFSTOPPED(status));
  for (int at = 0; at < step; ++at) {
    if (ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr) != 0 || waitpid(pid, &status, 0) != pid)
      FAIL("the child is gone");
    if (!WIFEXITED(status)) continue;
    REQUIRE(WEXITSTATUS(status) == 0);
    return false;
  }
  kill(pid, SIGKILL);
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return true;
}

bool can_trace() {
  const bool can = in_child([] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 0 : 1; }) == 0;
  if (!can) test::skip("a process cannot be traced here");
  return can;
}

}  // namespace

TEST_CASE("killed at any system call, each file is the old one or the new one, and the next run ends it") {
  if (!can_trace()) return;
  const std::string text(5'000, '#');
  const int stride =
      2 * static_cast<int>(test::harm_every());  // between a call's end and the next one's begin is nothing
  int step = 1 + 2 * static_cast<int>(test::seed() % test::harm_every());
  for (bool killed = true; killed; step += stride) {
    CAPTURE(step);
    const Folder folder(text);
    folder.write("kdb-tune.conf", "old = 1\n");
    const std::vector<FileEdit> edits = folder.edits();
    REQUIRE(edits.size() == 2);
    killed = is_killed_at(step, edits);
    const std::string own = read_file(edits[0].path);
    const std::string main = read_file(edits[1].path);
    REQUIRE((own == *edits[0].before || own == *edits[0].after));
    REQUIRE((main == *edits[1].before || main == *edits[1].after));
    REQUIRE((main == *edits[1].before || own == *edits[0].after));  // the line comes last
    for (const std::string& name : names_of(folder.path))
      if (name.ends_with(".kdb-backup"))
        REQUIRE((read_file(folder.path / name) == "old = 1\n" || read_file(folder.path / name) == text));
      else
        REQUIRE((name == "kdb-tune.conf" || name == "postgresql.conf" || !is_read_by_include_dir(name)));

    make(folder.edits());
    for (const std::string& name : names_of(folder.path)) REQUIRE_FALSE(name.ends_with(".kdb-new"));
    REQUIRE((read_file(edits[0].path) == *edits[0].after));
    REQUIRE((read_file(edits[1].path) == *edits[1].after));
    REQUIRE(folder.edits().empty());
  }
  CHECK(step > 40);  // else nothing has been shown
}

TEST_CASE("as root, killed at any moment, somebody's files are the old ones or the new ones") {
  if (!is_root()) return;
  const int interval = 200 * static_cast<int>(test::harm_every());
  for (int microseconds = 0; microseconds < 6000; microseconds += interval) {
    CAPTURE(microseconds);
    const NobodysFolder folder("port = 5432\n");
    const std::vector<FileEdit> edits = folder.edits();
    const pid_t pid = fork();
    if (pid == 0) {
      make(edits);
      _exit(0);
    }
    usleep(static_cast<useconds_t>(microseconds));
    kill(pid, SIGKILL);
    REQUIRE(waitpid(pid, nullptr, 0) == pid);
    const std::string main = read_file(folder.main);
    REQUIRE((main == *edits[1].before || main == *edits[1].after));
    const bool exists = fs::exists(edits[0].path);
    REQUIRE((!exists || read_file(edits[0].path) == settings));
    REQUIRE((exists || main == *edits[1].before));
  }
}

}  // namespace kdb::settings_file_test
