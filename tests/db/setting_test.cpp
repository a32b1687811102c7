// Settings of the server as objects of a plan: `kdb plan` and `kdb apply --only settings`.
#include <filesystem>

#include "db/own_server.hpp"

namespace kdb::test::setting_test {

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// A profile and the server that it is for.
class Declared {
 public:
  explicit Declared(const std::string& profile) {
    std::filesystem::create_directories(project_.folder());
    write(profile);
  }

  OwnServer& server() { return server_; }
  void write(const std::string& profile) { profile_ = folder_.write("p.toml", profile).string(); }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  Run kdb(std::vector<std::string> words) const { return kdb_at(server_.url(), std::move(words)); }
  Run kdb_at(const std::string& url, std::vector<std::string> words) const {
    words.insert(words.end(), {"-p", profile_});
    return project_.kdb(url, words);
  }
  Run settings(std::vector<std::string> words) const {
    words.insert(words.end(), {"--only", "settings"});
    return kdb(std::move(words));
  }

 private:
  OwnServer server_;
  Project project_;
  TempDir folder_;
  std::string profile_;
};

const std::string two_settings =
    "[server]\nmemory = \"8GB\"\ncpus = 2\n"
    "[server.settings]\nwork_mem = \"64MB\"\nmax_connections = 50\n";

}  // namespace

TEST_CASE("declared settings are planned, applied once, and wait for a restart without being pending") {
  Declared it(two_settings);
  // Others' plans leave them alone, and say so.
  const Run others = it.kdb({"plan", "--exit-code"});
  CHECK(others.exit == 0);
  CHECK(has(others.out, "setting, left as it is"));

  const Run planned = it.settings({"plan", "--exit-code"});
  CHECK(planned.exit == 2);
  CHECK(has(planned.out, "value: 4MB → 64MB"));
  CHECK(has(planned.out, "RESTART_REQUIRED"));
  CHECK(has(planned.out, "SELECT pg_catalog.pg_reload_conf()"));

  const Run refused = it.settings({"apply", "--yes"});
  CHECK(refused.exit == 3);
  CHECK(has(refused.err, "--allow 'RESTART_REQUIRED:max_connections'"));
  CHECK(Session(it.server().url()).text("SHOW work_mem") == "4MB");

  const Run applied = it.settings({"apply", "--yes", "--allow", "RESTART_REQUIRED"});
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(has(applied.out, "waits for a restart"));
  Session session(it.server().url());
  CHECK(session.text("SHOW work_mem") == "64MB");
  CHECK(session.text("SHOW max_connections") == "100");
  CHECK(session.text("SELECT string_agg(subject, ', ' ORDER BY id) FROM kdb.steps WHERE state = 'done'") ==
        "setting max_connections, setting work_mem, server configuration");
  const std::string conf = session.text("SELECT pg_read_file('postgresql.auto.conf')");

  const Run again = it.settings({"apply", "--yes"});
  CHECK(again.exit == 0);
  CHECK(has(again.out, "nothing to do"));
  CHECK(session.text("SELECT pg_read_file('postgresql.auto.conf')") == conf);
  const Run waits = it.settings({"plan", "--exit-code"});
  CHECK(waits.exit == 0);
  CHECK(has(waits.out, "waits for a restart"));
  it.server().restart(SIGINT);
  CHECK(!has(it.settings({"plan"}).out, "waits for a restart"));
}

TEST_CASE("what no server starts with is not written for its next start") {
  Declared it("[server.settings]\nwork_mem = \"64MB\"\nshared_preload_libraries = \"no_such_library\"\n");
  const Run refused = it.settings({"apply", "--yes", "--allow", "all"});
  CHECK(refused.exit == 3);
  CHECK_MESSAGE(has(refused.err, "no_such_library"), refused.err);
  Session session(it.server().url());
  CHECK(session.text("SELECT count(*) FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf'") == "0");
}

TEST_CASE("what was written and never read is read by the next apply") {
  Declared it("[server.settings]\nwork_mem = \"64MB\"\n");
  Session(it.server().url()).exec("ALTER SYSTEM SET work_mem = '65536kB'");
  const Run planned = it.settings({"plan", "--exit-code"});
  CHECK(planned.exit == 2);
  CHECK(has(planned.out, "has not read yet what its files say of work_mem"));
  CHECK(!has(planned.out, "ALTER SYSTEM"));
  const Run applied = it.settings({"apply", "--yes"});
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(Session(it.server().url()).text("SHOW work_mem") == "64MB");
}

TEST_CASE("what the files say otherwise than runs is put right before it is read") {
  Declared it("[server.settings]\nwork_mem = \"4MB\"\n");
  Session(it.server().url()).exec("ALTER SYSTEM SET work_mem = '5MB'");
  CHECK(has(it.settings({"plan"}).out, "value: 5MB → 4MB"));
  CHECK(it.settings({"apply", "--yes"}).exit == 0);
  CHECK(it.settings({"plan", "--exit-code"}).exit == 0);
}

TEST_CASE(
    "values that the server keeps in words of its own are as declared; those that it refuses change "
    "nothing") {
  Declared it("[server.settings]\nDateStyle = \"german\"\nclient_min_messages = \"debug\"\n");
  const Run applied = it.settings({"apply", "--yes"});
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(Session(it.server().url()).text("SELECT reset_val FROM pg_settings WHERE name = 'DateStyle'") ==
        "German, DMY");
  CHECK(it.settings({"plan", "--exit-code"}).exit == 0);
  it.write("[server.settings]\njit = false\ndefault_text_search_config = \"nope\"\n");
  const Run refused = it.settings({"apply", "--yes"});
  CHECK(refused.exit == 1);
  CHECK_MESSAGE(has(refused.err, "default_text_search_config = nope"), refused.err);
  CHECK(Session(it.server().url()).text("SHOW jit") == "on");
}

TEST_CASE("a profile may have them in every plan, and a plan file keeps them") {
  Declared it("[server]\napply = \"alter-system\"\n[server.settings]\nwork_mem = \"64MB\"\njit = false\n");
  CHECK(has(it.kdb({"plan"}).out, "alter    setting jit"));
  CHECK(!has(it.kdb({"plan", "--only", "profile"}).out, "alter    setting"));
  CHECK(it.kdb({"plan", "-o", it.path("plan.json")}).exit == 0);
  Session session(it.server().url());
  session.exec("ALTER SYSTEM SET work_mem = '5MB'");
  session.exec("SELECT pg_reload_conf()");
  const Run stale = it.kdb({"apply", it.path("plan.json"), "--yes"});
  CHECK(stale.exit == 3);
  CHECK(has(stale.err, "setting work_mem is not as it was when the plan was made"));
  session.exec("ALTER SYSTEM RESET work_mem");
  session.exec("SELECT pg_reload_conf()");
  CHECK(eventually([&] { return Session(it.server().url()).text("SHOW work_mem") == "4MB"; }));
  const Run applied = it.kdb({"apply", it.path("plan.json"), "--yes"});
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(Session(it.server().url()).text("SHOW jit") == "off");
}

TEST_CASE("what ALTER SYSTEM cannot change is said before anything is") {
  Declared it("[server.settings]\nfsync = \"on\"\nwork_mem = \"64MB\"\nshared_preload_libraries = \"\"\n");
  const Run of_command_line = it.settings({"apply", "--yes"});
  CHECK(of_command_line.exit == 1);
  CHECK(has(of_command_line.err, "setting fsync = on: the server's command line says it"));
  CHECK(Session(it.server().url()).text("SHOW work_mem") == "4MB");

  it.write("[server.settings]\nwork_mem = \"64MB\"\n");
  Session session(it.server().url());
  if (session.connection().server_version() >= 170000) {
    std::ofstream(session.text("SHOW data_directory") + "/postgresql.conf", std::ios::app)
        << "allow_alter_system = off\n";
    session.exec("SELECT pg_reload_conf()");
    CHECK(eventually([&] { return has(it.settings({"plan"}).out, "allow_alter_system = off"); }));
    CHECK(it.settings({"apply", "--yes"}).exit == 1);
  }
}

TEST_CASE("a role that may not change them is told each right that it lacks") {
  Declared it("[server.settings]\nwork_mem = \"64MB\"\njit = false\n");
  Session session(it.server().url());
  session.exec("CREATE ROLE weak LOGIN; GRANT CREATE ON DATABASE postgres TO weak");
  session.exec("GRANT pg_monitor TO weak; GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO weak");
  const std::string url = it.server().url() + "&user=weak";
  const Run refused = it.kdb_at(url, {"apply", "--yes", "--only", "settings"});
  CHECK(refused.exit == 1);
  CHECK(has(refused.err, "role weak may not change the server's jit"));
  CHECK(has(refused.err, "role weak may not change the server's work_mem"));
  CHECK(has(refused.err, "GRANT EXECUTE ON FUNCTION pg_reload_conf() TO"));
  CHECK(session.text("SELECT count(*) FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf'") == "0");
  if (session.connection().server_version() < 150000) return;
  session.exec("GRANT ALTER SYSTEM ON PARAMETER work_mem, jit TO weak");
  session.exec("GRANT EXECUTE ON FUNCTION pg_reload_conf() TO weak");
  const Run applied = it.kdb_at(url, {"apply", "--yes", "--only", "settings"});
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(Session(it.server().url()).text("SHOW jit") == "off");
}

}  // namespace kdb::test::setting_test
