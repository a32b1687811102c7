#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "db/project.hpp"
#include "host/initdb_cache.hpp"
#include "host/pg_bin.hpp"
#include "host/server_user.hpp"

namespace kdb::test {

/// A server of the test's own, that can be restarted and followed, which the sandbox's supervisor would not
/// understand. Commits survive `immediate`, as they do in production; nothing is written for a crash of the
/// machine.
class OwnServer {
 public:
  OwnServer() {
    take_folder();
    initialise();
    start();
  }

  struct StandbyOf {
    OwnServer& primary;
  };
  /// One that streams from `primary`, which is restarted: what is copied is a folder at rest, for which not
  /// every build of PostgreSQL's needs to have pg_basebackup.
  explicit OwnServer(StandbyOf of) {
    take_folder();
    of.primary.stop(SIGINT);
    const Run copied = run({"cp", "-a", of.primary.data(), data()});
    REQUIRE_MESSAGE(copied.exit == 0, copied.err);
    of.primary.start();
    std::ofstream(data() + "/standby.signal").flush();
    std::ofstream(data() + "/postgresql.auto.conf", std::ios::app)
        << "primary_conninfo = 'host=" << of.primary.folder_.path().string() << " user=postgres'\n";
    start();
  }

  std::string url() const { return "postgresql://postgres@/postgres?host=" + folder_.path().string(); }

  void start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = {pg_bin_ + "/postgres",
                                        "-D",
                                        data(),
                                        "-c",
                                        "listen_addresses=",
                                        "-c",
                                        "unix_socket_directories=" + folder_.path().string(),
                                        "-c",
                                        "fsync=off",
                                        "-c",
                                        "log_min_messages=panic"};  // nobody reads it: it would wait for that
    command.insert(command.end(), more.begin(), more.end());
    postgres_ = std::make_unique<Child>(as_user(command));
    REQUIRE(eventually([&] { return is_up(); }));
  }

  /// What pg_ctl does: SIGINT is -m fast, SIGQUIT is -m immediate (PG docs, "Shutting Down the Server").
  void stop(int signal) {
    postgres_->kill(signal);
    postgres_->wait();
  }
  void restart(int signal) {
    stop(signal);
    start();
  }

 private:
  std::string data() const { return folder_.path() / "data"; }

  void take_folder() {
    const char* bin = std::getenv("KDB_SANDBOX_PG_BIN");
    pg_bin_ = host::find_pg_bin(bin == nullptr ? "" : bin);
    REQUIRE(chown(folder_.path().c_str(), user_.uid, user_.gid) == 0);
  }

  /// A copy of what initdb made once, where KDB_SANDBOX_CACHE names a folder to keep it in: in a fifth of the
  /// time.
  void initialise() const {
    const std::vector<std::string> command = {
        pg_bin_ + "/initdb", "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"};
    const auto initdb = [&](const std::string& folder) {
      std::vector<std::string> all = command;
      all.insert(all.end(), {"-D", folder});
      const Run made = run(as_user(all));
      REQUIRE_MESSAGE(made.exit == 0, made.err);
    };
    const auto cache = host::InitdbCache::from_environment(user_);
    if (!cache) return initdb(data());
    const std::string kept = cache->folder(
        host::initdb_key(command), [&](const std::string& folder) { initdb(folder + "/data"); },
        [](std::chrono::milliseconds pause) { std::this_thread::sleep_for(pause); });
    const Run copied = run(as_user({"cp", "-a", kept + "/data", data()}));
    REQUIRE_MESSAGE(copied.exit == 0, copied.err);
  }

  std::vector<std::string> as_user(std::vector<std::string> command) const {
    if (!user_.differs) return command;
    std::vector<std::string> all = {"setpriv",        "--reuid=" + std::to_string(user_.uid),
                                    "--clear-groups", "--regid=" + std::to_string(user_.gid),
                                    "--pdeathsig",    "KILL"};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }

  bool is_up() const {
    try {
      return Session(url()).text("SELECT 1") == "1";
    } catch (const std::exception&) {
      return false;
    }
  }

  TempDir folder_;
  host::ServerUser user_ = host::server_user();
  std::string pg_bin_;
  std::unique_ptr<Child> postgres_;
};

}  // namespace kdb::test
