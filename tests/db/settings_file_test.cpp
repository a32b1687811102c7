// A real server reads what kdb writes beside its postgresql.conf, and nothing else of it.
#include "host/settings_file.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "base/text.hpp"
#include "db/own_server.hpp"
#include "host/conf_includes.hpp"
#include "host/server_user.hpp"

namespace kdb::test::settings_file_test {

namespace fs = std::filesystem;
using host::edits_for;
using host::FileEdit;
using host::find_settings_file;
using host::SettingsFile;

namespace {

/// A server whose configuration is in a folder of its own, with an odd name.
struct ConfiguredServer {
  OwnServer server;
  fs::path folder = fs::path(ask("SHOW data_directory")) / "it's a \"main\" \\ folder";
  std::string main = (folder / "postgresql.conf").string();

  explicit ConfiguredServer(const std::string& text) {
    for (const char* name : {"", "conf.d"}) {
      fs::create_directory(folder / name);
      give(folder / name);
    }
    write("postgresql.conf", text);
    server.stop(SIGINT);
    server.start({"-c", "config_file=" + main});
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    give(folder / name);
  }
  std::string path(const std::string& name) const { return (folder / name).string(); }

  std::string ask(const std::string& sql) const { return Session(server.url()).text(sql); }
  bool comes_true(const std::string& condition) const {
    return soon([&] { return ask("SELECT " + condition) == "t"; });
  }
  /// Has the server read its files; whether a setting is what it is to be then.
  bool reads(const std::string& setting, const std::string& value) const {
    ask("SELECT pg_reload_conf()");
    return comes_true("current_setting(" + quote_literal(setting) + ") = " + quote_literal(value));
  }
  /// The files that the server reads, those without settings excepted.
  std::string files() const {
    return ask(
        "SELECT string_agg(file, ' ' ORDER BY first) FROM (SELECT sourcefile AS file, min(seqno) AS first "
        "FROM pg_catalog.pg_file_settings GROUP BY 1) AS files");
  }
  std::string errors() const {
    return ask("SELECT coalesce(string_agg(error, ' '), 'none') FROM pg_catalog.pg_file_settings");
  }

 private:
  static void give(const fs::path& path) {
    const host::ServerUser user = host::server_user();
    REQUIRE(chown(path.c_str(), user.uid, user.gid) == 0);
  }
};

}  // namespace

TEST_CASE("a server without includes reads kdb's file, by a line that is added, until it is taken back") {
  const ConfiguredServer server("work_mem = '5MB'");
  REQUIRE(server.ask("SHOW config_file") == server.main);
  REQUIRE(server.ask("SHOW work_mem") == "5MB");
  const std::vector<FileEdit> edits =
      edits_for(find_settings_file(server.ask("SHOW config_file")), "work_mem = '7MB'\n");
  REQUIRE(edits.size() == 2);
  make(edits);
  CHECK(server.reads("work_mem", "7MB"));
  CHECK(server.ask("SELECT sourcefile FROM pg_catalog.pg_settings WHERE name = 'work_mem'") ==
        server.path("kdb-tune.conf"));
  CHECK(server.files() == server.main + " " + server.path("kdb-tune.conf"));
  CHECK(server.errors() == "none");
  take_back(edits);
  CHECK(server.reads("work_mem", "5MB"));
  CHECK(server.files() == server.main);
  CHECK(server.errors() == "none");
}

TEST_CASE("a server with an include_dir reads kdb's file there, and no copies or leftovers") {
  const ConfiguredServer server("work_mem = '5MB'\ninclude_dir = 'conf.d'\n");
  const SettingsFile file = find_settings_file(server.main);
  REQUIRE(file.included);
  make(edits_for(file, "work_mem = '6MB'\n"));
  CHECK(server.reads("work_mem", "6MB"));
  const std::vector<FileEdit> edits = edits_for(file, "work_mem = '7MB'\n");
  make(edits);
  REQUIRE(fs::exists(backup_path(edits.at(0))));
  server.write("conf.d/.kdb-tune.conf.kdb-new", "no such thing\n");
  server.write("conf.d/.kdb-tune.conf.0123456789abcdef.kdb-backup", "no such thing\n");
  CHECK(server.reads("work_mem", "7MB"));
  CHECK(server.files() == server.main + " " + server.path("conf.d/kdb-tune.conf"));
  CHECK(server.errors() == "none");
  take_back(edits);
  CHECK(server.reads("work_mem", "6MB"));
}

TEST_CASE("an included folder is the one that the server reads, however it is spelt") {
  const ConfiguredServer server("work_mem = '5MB'\n");
  server.write("conf.d/own.conf", "work_mem = '6MB'\n");
  for (const char* line : {
           "include_dir 'conf.d'",
           "include_dir = conf.d",  // no value to the server
           "include_dir = conf-d",
           "include_dir = './conf.d/'",
           "INCLUDE_DIR='c\\157nf.\\d' # why",
           "include_dir = ''",
           "include_dir = ' '",
           "include_dir == 'conf.d'",
           "include_dir 'conf.d' x",
           "#include_dir 'conf.d'",
           "include_dir = /etc",
           "include_dir 'conf.d'\r",
           "include_dir = 'it''s \\'here\\' \"too\" \\\\'",
           "include_dir = 'nowhere'",
       }) {
    CAPTURE(line);
    for (const char* name : {"conf-d", "it's 'here' \"too\" \\"}) {
      fs::create_directory(server.folder / name);
      server.write(name + std::string("/own.conf"), "work_mem = '6MB'\n");
    }
    server.write("postgresql.conf", "work_mem = '5MB'\n" + std::string(line) + "\n");
    const bool is_read = server.ask(
                             "SELECT count(*) FROM pg_catalog.pg_file_settings WHERE sourcefile LIKE "
                             "'%own.conf'") == "1";
    const SettingsFile file = find_settings_file(server.main);
    CHECK(file.included == is_read);
    if (is_read)
      CHECK(server.ask("SELECT sourcefile FROM pg_catalog.pg_file_settings ORDER BY seqno DESC LIMIT 1") ==
            (fs::path(file.path).parent_path() / "own.conf").string());
  }
}

TEST_CASE("a server whose file is a link reads what is beside the link") {
  const ConfiguredServer server("work_mem = '5MB'\n");
  server.write("conf.d/real", "work_mem = '6MB'\n");
  fs::remove(server.main);
  fs::create_symlink("conf.d/real", server.main);
  const host::ServerUser user = host::server_user();
  REQUIRE(lchown(server.main.c_str(), user.uid, user.gid) == 0);
  make(edits_for(find_settings_file(server.main), "work_mem = '7MB'\n"));
  CHECK(server.reads("work_mem", "7MB"));
  CHECK(fs::is_symlink(server.main));
  CHECK(server.errors() == "none");
}

}  // namespace kdb::test::settings_file_test
