// What `kdb tune` renders, given to a server; and what it finds out about one.
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.hpp"
#include "db/own_server.hpp"
#include "host/machine.hpp"
#include "host/postmaster.hpp"
#include "pg/tuning_facts.hpp"
#include "support/skip.hpp"

namespace kdb::test::tune_test {

namespace {

class Tuned {
 public:
  explicit Tuned(std::string url, const std::string& profile = {}) : url_(std::move(url)) {
    std::filesystem::create_directories(project_.folder());
    profile_ = folder_.write("p.toml", profile).string();
  }

  Run kdb(std::vector<std::string> words) const { return run(command(std::move(words))); }
  std::vector<std::string> command(std::vector<std::string> words) const {
    words.insert(words.end(), {"-p", profile_});
    return project_.command(url_, words);
  }

 private:
  Project project_;
  TempDir folder_;
  std::string url_;
  std::string profile_;
};

/// A file that the server reads behind its own.
void include_in_conf(Session& session, const std::string& text) {
  const std::string data = session.text("SHOW data_directory");
  std::ofstream(data + "/tuned.conf") << text;
  std::ofstream(data + "/postgresql.conf", std::ios::app) << "include 'tuned.conf'\n";
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const std::vector<std::string> small_machine = {"--memory", "512MB", "--cpus", "2"};

std::vector<std::string> with_machine(std::vector<std::string> words) {
  words.insert(words.end(), small_machine.begin(), small_machine.end());
  return words;
}

/// A cgroup of the test's own below the one that it is in, with so little memory; empty where it may not.
class SmallCgroup {
 public:
  SmallCgroup() {
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
      const std::vector<std::string_view> parts = split(line, ':');
      if (parts.size() != 3 || (parts[1] != "memory" && !parts[1].empty())) continue;
      const std::string root = parts[1].empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
      const std::string limit = parts[1].empty() ? "/memory.max" : "/memory.limit_in_bytes";
      const std::string folder = fmt::format("{}{}/kdb-test-{}", root, parts[2], getpid());
      std::error_code error;
      if (!std::filesystem::create_directory(folder, error)) continue;
      std::ofstream(folder + limit) << "268435456";
      std::string number;
      std::ifstream(folder + limit) >> number;
      if (number == "268435456") {
        folder_ = folder;
        return;
      }
      std::filesystem::remove(folder, error);
    }
  }
  ~SmallCgroup() {
    if (!folder_.empty()) rmdir(folder_.c_str());
  }
  SmallCgroup(const SmallCgroup&) = delete;
  SmallCgroup& operator=(const SmallCgroup&) = delete;

  const std::string& folder() const { return folder_; }
  Run run_in(const std::vector<std::string>& command) const {
    std::vector<std::string> words = {"sh", "-c", R"(echo $$ > "$0/cgroup.procs" && exec "$@")", folder_};
    words.insert(words.end(), command.begin(), command.end());
    return run(words);
  }

 private:
  std::string folder_;
};

}  // namespace

TEST_CASE("a server starts with what is rendered for it, and then nothing differs") {
  OwnServer server;
  for (const char* workload : {"oltp", "olap", "timeseries"}) {
    CAPTURE(workload);
    const Tuned tuned(server.url());
    const auto words = [&](std::vector<std::string> more) {
      more.insert(more.end(), {"--workload", workload, "--disk", "ssd"});
      return with_machine(std::move(more));
    };
    const Run conf = tuned.kdb(words({"tune"}));
    REQUIRE_MESSAGE(conf.exit == 0, conf.err);
    CHECK(tuned.kdb(words({"tune", "diff", "--exit-code"})).exit == 2);
    {
      Session session(server.url());
      include_in_conf(session, conf.out);
      session.exec("SELECT pg_reload_conf()");
    }
    // The server reads its files when it comes to it.
    CHECK(eventually([&] { return tuned.kdb(words({"tune", "diff", "--exit-code"})).exit == 0; }));
    const Run waits = tuned.kdb(words({"tune", "diff"}));
    if (workload == std::string("oltp")) CHECK(has(waits.out, "\nin the files, waiting  server  wanted"));
    server.restart(SIGINT);
    const Run after = tuned.kdb(words({"tune", "diff", "--exit-code"}));
    CHECK_MESSAGE(after.exit == 0, after.out);
    CHECK(has(after.out, "nothing differs: "));
    // Rendered again for what it is now, it is the same.
    CHECK(tuned.kdb(words({"tune"})).out == conf.out);
  }
  // With a line that it refuses it would not start again, though nothing differs yet.
  Session session(server.url());
  std::ofstream(session.text("SHOW data_directory") + "/tuned.conf", std::ios::app) << "jit = 'perhaps'\n";
  const Tuned tuned(server.url());
  const Run broken =
      tuned.kdb(with_machine({"tune", "diff", "--exit-code", "--workload", "timeseries", "--disk", "ssd"}));
  CHECK(has(broken.out, "nothing differs: "));
  CHECK(broken.exit == 2);
}

TEST_CASE("ALTER SYSTEM brings a server to the same values") {
  OwnServer server;
  const Tuned tuned(server.url());
  const Run sql = tuned.kdb(with_machine({"tune", "--format", "sql", "--workload", "web"}));
  REQUIRE_MESSAGE(sql.exit == 0, sql.err);
  Session session(server.url());
  for (const std::string_view line : split(sql.out, '\n'))
    if (line.ends_with(';')) session.exec(std::string(line));
  CHECK(eventually([&] {
    return tuned.kdb(with_machine({"tune", "diff", "--exit-code", "--workload", "web"})).exit == 0;
  }));
  server.restart(SIGINT);
  CHECK(has(tuned.kdb(with_machine({"tune", "diff", "--workload", "web"})).out, "nothing differs: "));
}

TEST_CASE(
    "a difference says which line says otherwise, what it takes, who gets another value and what is broken") {
  OwnServer server;
  const Tuned tuned(
      server.url(),
      "[server.settings]\nwork_mem = \"32MB\"\nmax_connections = 60\nlisten_addresses = \"*\"\n");
  Session session(server.url());
  const std::string data = session.text("SHOW data_directory");
  session.exec("CREATE ROLE reports");
  session.exec("ALTER ROLE reports SET work_mem = '64MB'");
  session.exec("ALTER DATABASE postgres SET work_mem = '32768kB'");  // the same
  session.exec("ALTER SYSTEM SET work_mem = '16MB'");
  session.exec("SELECT pg_reload_conf()");
  const Run diff = tuned.kdb(with_machine({"tune", "diff", "--format", "json"}));
  REQUIRE_MESSAGE(diff.exit == 0, diff.err);
  const auto row = [&](const std::string& name) -> std::string {
    const size_t at = diff.out.find("\"setting\": \"" + name + "\"");
    return at == std::string::npos ? "" : diff.out.substr(at, diff.out.find('}', at) - at);
  };
  CHECK(has(row("work_mem"), R"("live": "16MB")"));
  CHECK(has(row("work_mem"), R"("desired": "32MB")"));
  CHECK(has(row("work_mem"), R"("takes": "a reload")"));
  CHECK(has(row("work_mem"), data + "/postgresql.auto.conf:3"));
  CHECK(has(row("max_connections"), R"("takes": "a restart")"));
  CHECK(has(row("listen_addresses"), "the server's command line says it"));
  CHECK(has(diff.out, "work_mem = 32MB is not what sessions of role reports get: theirs is 64MB"));
  CHECK(!has(diff.out, "every role in database postgres"));

  // With a line that it refuses, the server takes no change of any other.
  include_in_conf(session, "jit = 'perhaps'\n");
  const Run broken = tuned.kdb(with_machine({"tune", "diff"}));
  CHECK(has(broken.out, "error[broken-server-file]"));
  CHECK(has(broken.out, "tuned.conf:1"));
}

TEST_CASE("the memory of a server counts, and not that of the cgroup that kdb is in") {
  const SmallCgroup small;
  if (small.folder().empty()) return skip("no cgroup may be made here");
  const Tuned tuned(server_url());
  const Run outside = tuned.kdb({"tune", "--format", "json"});
  const Run inside = small.run_in(tuned.command({"tune", "--format", "json"}));
  REQUIRE_MESSAGE(inside.exit == 0, inside.err);
  REQUIRE(has(outside.out, "\"memory\": "));
  CHECK(inside.out == outside.out);
  CHECK(!has(inside.out, "\"memory\": 268435456,"));
}

TEST_CASE("a server tells a superuser of its machine, wherever that is") {
  const Database database;
  Session session(database.url());
  pg::Connection& connection = session.connection();
  REQUIRE(pg::may_read_files(connection));
  CHECK(!pg::read_server_file(connection, "/proc/no such file"));
  const host::Machine told = host::read_machine(
      "self", [&](const std::string& path) { return pg::read_server_file(connection, path); });
  const pg::ServerTuning server = pg::read_tuning(connection);
  const auto pid = host::find_server(server.data_directory, server.started);
  REQUIRE(pid);
  CHECK(!host::find_server(server.data_directory, server.started + 60));  // another one by now
  const host::Machine seen = host::read_machine(std::to_string(*pid));
  CHECK(told.memory == seen.memory);
  CHECK(told.memory > 0);
  CHECK(told.memory_source == seen.memory_source);
  CHECK(told.cpus == seen.cpus);
}

TEST_CASE("nothing is guessed of a machine that is not proved to be the server's") {
  const Database database;
  database.exec("DROP ROLE IF EXISTS kdb_tune_weak; CREATE ROLE kdb_tune_weak LOGIN");
  const std::string url = database.url();
  const Tuned tuned(url + (has(url, "?") ? "&" : "?") + "user=kdb_tune_weak",
                    "[server.settings]\nshared_buffers = \"25%\"\n");
  const Run rendered = tuned.kdb({"tune"});
  CHECK(rendered.exit == 0);
  CHECK(has(rendered.out, "error[unknown-machine]: "));
  CHECK(!has(rendered.out, "\nshared_buffers"));
  CHECK(tuned.kdb({"tune", "--exit-code"}).exit == 2);
  CHECK(tuned.kdb({"tune", "diff", "--exit-code"}).exit == 2);
  CHECK(tuned.kdb(with_machine({"tune", "--exit-code"})).exit == 0);
  database.exec("DROP ROLE kdb_tune_weak");
}

TEST_CASE("a share that nobody can resolve is a difference by itself") {
  OwnServer server;
  Session session(server.url());
  session.exec("CREATE ROLE weak LOGIN");
  session.exec("CREATE SCHEMA kdb");  // into which it may not look
  session.exec(
      "GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO weak; GRANT SELECT ON pg_file_settings TO "
      "weak");
  const Tuned tuned(server.url() + "&user=weak", "[server.settings]\nshared_buffers = \"25%\"\n");
  const Run sql = tuned.kdb({"tune", "--format", "sql"});
  REQUIRE_MESSAGE(sql.exit == 0, sql.err);
  for (const std::string_view line : split(sql.out, '\n'))
    if (line.ends_with(';')) session.exec(std::string(line));
  server.restart(SIGINT);
  const Run diff = tuned.kdb({"tune", "diff", "--exit-code"});
  CHECK_MESSAGE(has(diff.out, "nothing differs: "), diff.out);
  CHECK(diff.exit == 2);
}

TEST_CASE("what the server would refuse is refused before anything is rendered") {
  const Tuned tuned(server_url(),
                    "[server.settings]\nshared_bufers = \"1GB\"\nwork_mem = \"64mb\"\nblock_size = 1\n");
  const Run refused = tuned.kdb({"tune"});
  CHECK(refused.exit == 64);
  CHECK(has(refused.err, "shared_bufers is no setting of this server"));
  CHECK(has(refused.err, "did you mean \"shared_buffers\"?"));
  CHECK(has(refused.err, "work_mem takes a whole number"));
  CHECK(has(refused.err, "block_size says how the server was built"));
  CHECK(refused.out.empty());
}

}  // namespace kdb::test::tune_test
