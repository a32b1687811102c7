// A throwaway server with another one's settings: what is refused and why, and that nothing outside of it is
// touched.
#include "host/trial_start.hpp"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/error.hpp"
#include "host/machine.hpp"
#include "host/pg_bin.hpp"
#include "host/postmaster.hpp"
#include "host/process.hpp"
#include "host/sandbox.hpp"
#include "host/server_user.hpp"
#include "support/place.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"

namespace kdb::test::trial_start_test {

namespace fs = std::filesystem;

namespace {

using host::Settings;
using host::TrialOutcome;
using host::TrialStart;

/// TMPDIR of the scope: the trials of this program leave nothing in it. They share what initdb makes.
struct OwnTemporaryFolder {
  Place place;

  OwnTemporaryFolder() {
    setenv("KDB_SANDBOX_CACHE", shared().c_str(), 0);
    setenv("TMPDIR", place.folder.path().c_str(), 1);
  }
  ~OwnTemporaryFolder() {
    unsetenv("TMPDIR");
    CHECK(place.is_clean());
  }

 private:
  static std::string shared() {
    static const TempDir folder;
    fs::permissions(folder.path(), fs::perms(0777));  // the server's user makes the cache in it
    return (folder.path() / "cache").string();
  }
};

std::string pg_bin() {
  const char* given = std::getenv("KDB_SANDBOX_PG_BIN");
  return host::find_pg_bin(given == nullptr ? "" : given);
}

int major() {
  static const int number = [] {
    const std::string version = run({pg_bin() + "/postgres", "--version"}).out;
    return std::atoi(version.c_str() + version.find_first_of("0123456789"));
  }();
  return number;
}

TrialStart trial_of(const Settings& settings) {
  return {.pg_bin = pg_bin(), .data = "/no/such/data", .major = major(), .settings = settings};
}

TrialOutcome tried(const TrialStart& trial, const std::function<void(const std::string&)>& look = {}) {
  return host::try_start(
      trial, look ? look : [](const std::string&) {});
}

/// What a refusal says, all of it.
std::string refusal(const TrialOutcome& outcome) {
  CHECK(outcome.not_tried == "");
  if (!outcome.refused) return "it starts";
  return outcome.refused->message + "\n" + outcome.refused->details + "\n" + outcome.refused->hint;
}

/// A folder that the server's user can write to, as that of another server.
struct LiveFolder {
  TempDir folder;

  LiveFolder() { open(folder.path()); }
  static void open(const fs::path& path) { fs::permissions(path, fs::perms(0777)); }
  std::string operator/(const std::string& name) const { return (folder.path() / name).string(); }
  std::string add(const std::string& name) const {
    const fs::path path = folder.write(name, "live");
    open(path);
    open(path.parent_path());
    return path.string();
  }
  /// All that is in it, as one text.
  std::string names() const {
    std::set<std::string> sorted;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
      sorted.insert(entry.path().lexically_relative(folder.path()).string());
    std::string result;
    for (const std::string& name : sorted) result += name + ' ';
    return result;
  }
};

/// A self-signed certificate and its key; false where there can be none.
bool make_certificate(const LiveFolder& live, const std::string& certificate, const std::string& key) {
  if (!host::find_program("openssl")) return false;
  return run({"openssl", "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=trial", "-out",
              live / certificate, "-keyout", live / key})
             .exit == 0;
}

void give_to_server(const std::string& file, fs::perms mode) {
  const host::ServerUser user = host::server_user();
  fs::permissions(file, mode);
  REQUIRE(chown(file.c_str(), user.uid, user.gid) == 0);
}

}  // namespace

TEST_CASE("settings with which a server does not start are refused, with what it says") {
  const OwnTemporaryFolder folder;
  struct Row {
    const char* name;
    Settings settings;
    std::vector<std::string> says;
  };
  const std::vector<Row> rows = {
      {"unknown name",
       {{"shared_bufers", "1GB"}},
       {"unrecognized configuration parameter \"shared_bufers\""}},
      {"bad values, of what is forced too, with a log that hides them",
       {{"wal_level", "hot"},
        {"work_mem", "1kB"},
        {"max_connections", "many"},
        {"synchronous_standby_names", "FIRST 1 ("},
        {"log_min_messages", "panic"},
        {"log_destination", "syslog"},
        {"log_line_prefix", "%m %d "}},
       {"invalid value for parameter \"wal_level\": \"hot\"", "Available values: minimal, replica, logical",
        "is outside the valid range for parameter \"work_mem\" (64",
        "invalid value for parameter \"max_connections\": \"many\"", "synchronous_standby_names"}},
      {"more memory than the machine has",
       {{"shared_buffers", "900GB"}},
       {"GB of shared memory; the machine has ", "shared_buffers"}},
      {"max_wal_size below two segments",
       {{"max_wal_size", "2MB"}, {"min_wal_size", "2MB"}},
       {"must be at least twice \"wal_segment_size\""}},
      {"senders without WAL to send",
       {{"wal_level", "minimal"}, {"max_wal_senders", "10"}},
       {"WAL streaming (\"max_wal_senders\" > 0) requires \"wal_level\""}},
      {"archiving without WAL to archive, where the trial does not archive",
       {{"wal_level", "minimal"}, {"max_wal_senders", "0"}, {"archive_mode", "on"}},
       {"WAL archival cannot be enabled when wal_level is \"minimal\""}},
      {"a library that is not there",
       {{"shared_preload_libraries", "no_such_library"}},
       {"could not access file \"no_such_library\": No such file or directory"}},
      {"locks for which there is no memory",
       {{"max_locks_per_transaction", "2000000000"}},
       {"of shared memory; the machine has ", "max_locks_per_transaction"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    bool looked = false;
    std::string said = refusal(tried(trial_of(row.settings), [&](const std::string&) { looked = true; }));
    CHECK_FALSE(looked);
    // Quotes around the names of settings came with 17.
    const auto plain = [](std::string text) {
      std::erase(text, '"');
      return text;
    };
    for (const std::string& part : row.says) CHECK_MESSAGE(has(plain(said), plain(part)), said);
    CHECK_FALSE_MESSAGE(has(said, "kdb.conf"), said);
    CHECK_FALSE_MESSAGE(has(said, "kdb-sandbox"), said);
  }
}

TEST_CASE("what the server's build lacks is refused, and what it has starts") {
  const OwnTemporaryFolder folder;
  const std::vector<std::pair<std::string, std::string>> values = {
      {"wal_compression", "zstd"}, {"wal_compression", "lz4"}, {"io_method", "io_uring"}};
  const host::Sandbox sandbox({.pg_bin = pg_bin()});
  for (const auto& setting : values) {
    const std::string& name = setting.first;
    const std::string& value = setting.second;
    CAPTURE(name);
    CAPTURE(value);
    const std::string choices = ask(
        sandbox.url(), "SELECT coalesce((SELECT enumvals::text FROM pg_catalog.pg_settings WHERE name = '" +
                           name + "'), '')");
    if (choices == "" || has(choices, value)) continue;
    CHECK(has(refusal(tried(trial_of({{name, value}}))),
              "invalid value for parameter \"" + name + "\": \"" + value + "\""));
  }
}

TEST_CASE("huge pages that the machine has not are refused, with the way to get them") {
  const OwnTemporaryFolder folder;
  const auto meminfo = host::files_below("")("/proc/meminfo").value_or("");
  if (host::meminfo_number(meminfo, "HugePages_Total").value_or(0) > 0) {
    skip("this machine has huge pages");
    return;
  }
  const std::string said = refusal(tried(trial_of({{"huge_pages", "on"}, {"shared_buffers", "16MB"}})));
  CHECK_MESSAGE(has(said, "huge_pages is on"), said);
  if (host::meminfo_number(meminfo, "Hugepagesize").value_or(0) > 0)
    CHECK_MESSAGE(has(said, "sysctl vm.nr_hugepages="), said);
}

TEST_CASE("a limit of memory that the server has is what it is refused by") {
  const OwnTemporaryFolder folder;
  TrialStart trial = trial_of({{"shared_buffers", "128MB"}});
  trial.memory = std::uint64_t{64} << 20;
  const std::string said = refusal(tried(trial));
  CHECK_MESSAGE(has(said, "MB of shared memory; the machine has 64 MB"), said);
}

TEST_CASE("settings that a server starts with are tried in a session of it, and nothing else is set") {
  const OwnTemporaryFolder folder;
  int looked = 0;
  const TrialOutcome outcome = tried(
      trial_of({{"Work_Mem", "5MB"},
                {"application_name", "it's"},
                {"max_wal_size", "3GB"},
                {"app.secret", "a\\b"},
                {"huge_pages", "try"},
                {"lc_messages", "C"}}),
      [&](const std::string& url) {
        ++looked;
        CHECK(ask(url, "SHOW work_mem") == "5MB");
        CHECK(ask(url, "SHOW app.secret") == "a\\b");
        CHECK(ask(url, "SHOW max_wal_size") == "3GB");
        CHECK(ask(url, "SHOW wal_segment_size") == "16MB");
        CHECK(ask(url, "SHOW max_worker_processes") == "8");
        CHECK(ask(url, "SHOW shared_preload_libraries") == "");
        CHECK(ask(url, "SHOW full_page_writes") == "on");
        // As built in, which initdb would have changed.
        CHECK(ask(url,
                  "SELECT count(*) FROM pg_catalog.pg_settings WHERE sourcefile LIKE '%postgresql.conf'") ==
              "0");
        CHECK(ask(url, "SELECT pg_catalog.pg_is_in_recovery()") == "f");
      });
  CHECK(looked == 1);
  CHECK_FALSE(outcome.refused);
  CHECK(outcome.not_tried == "");
  CHECK(outcome.left_out.empty());
}

TEST_CASE("the trial has the server's segments") {
  const OwnTemporaryFolder folder;
  TrialStart trial = trial_of({{"max_wal_size", "4MB"}, {"min_wal_size", "4MB"}});
  trial.wal_segment_bytes = std::uint64_t{2} << 20;
  std::string size;
  const TrialOutcome outcome =
      tried(trial, [&](const std::string& url) { size = ask(url, "SHOW wal_segment_size"); });
  CHECK_FALSE(outcome.refused);
  CHECK(size == "2MB");
}

TEST_CASE("a server in which no session can be opened is refused; what ends kdb ends it") {
  const OwnTemporaryFolder folder;
  const TrialStart trial = trial_of({{"session_preload_libraries", "no_such_library"}});
  const std::string said = refusal(tried(trial, [](const std::string& url) {
    const std::string answer = ask(url, "SELECT 1");
    if (answer != "1") throw Error(Exit::failed, answer);
  }));
  CHECK_MESSAGE(has(said, "no session can be opened"), said);
  CHECK_MESSAGE(has(said, "no_such_library"), said);
  CHECK_THROWS_AS(tried(trial, [](const std::string&) { throw Error(Exit::interrupted, "interrupted"); }),
                  Error);
}

TEST_CASE("a trial touches nothing outside of its cluster") {
  const OwnTemporaryFolder folder;
  const LiveFolder live;
  live.add("stat/global.stat");
  live.add("promote");
  live.add("data/PG_VERSION");
  const std::string before = live.names();
  Settings settings = {{"ARCHIVE_MODE", "on"},
                       {"archive_command", "touch " + (live / "archived")},
                       {"restore_command", "touch " + (live / "restored")},
                       {"archive_cleanup_command", "touch " + (live / "cleaned")},
                       {"recovery_end_command", "touch " + (live / "ended")},
                       {"ssl_passphrase_command", "touch " + (live / "asked")},
                       {"primary_conninfo", "host=" + live.folder.path().string()},
                       {"External_pid_file", live / "pid"},
                       {"logging_collector", "on"},
                       {"log_directory", live / "log"},
                       {"log_destination", "csvlog"},
                       {"log_line_prefix", "%m %d "},
                       {"data_directory", live / "data"},
                       {"hba_file", live / "hba"},
                       {"ident_file", live / "ident"},
                       {"config_file", live / "config"},
                       {"unix_socket_directories", live.folder.path().string()},
                       {"listen_addresses", "*"},
                       {"port", "1"},
                       {"synchronous_standby_names", "nobody"},
                       {"default_tablespace", "none_such"}};
  if (major() == 14) settings.emplace_back("stats_temp_directory", live / "stat");
  if (major() <= 15) settings.emplace_back("promote_trigger_file", live / "promote");
  bool looked = false;
  const TrialOutcome outcome = tried(trial_of(settings), [&](const std::string& url) {
    looked = true;
    // A segment to archive, which a server does before it ends at the latest.
    ask(url, "SET synchronous_commit = local; CREATE TABLE a (n int)");
    CHECK(ask(url, "SHOW synchronous_standby_names") == "");
    CHECK(ask(url, "SELECT pg_catalog.pg_switch_wal() IS NOT NULL") == "t");
    CHECK(ask(url, "SHOW listen_addresses") == "");
    CHECK(live.names() == before);  // the pid file would go with the server
  });
  CHECK_MESSAGE(!outcome.refused, refusal(outcome));
  CHECK(outcome.not_tried == "");
  CHECK(looked);
  CHECK(live.names() == before);
}

TEST_CASE("a key that the trial may not read is left out, one that is not there is refused") {
  const OwnTemporaryFolder folder;
  const LiveFolder live;
  std::string ssl;
  const auto outcome_of = [&](Settings settings) {
    settings.emplace_back("ssl", "on");
    TrialStart trial = trial_of(settings);
    trial.data = live.folder.path().string();
    return tried(trial, [&](const std::string& url) { ssl = ask(url, "SHOW ssl"); });
  };
  const TrialOutcome missing = outcome_of({});
  if (has(refusal(missing), "SSL is not supported by this build")) {
    skip("this server is built without TLS");
    return;
  }
  CHECK(has(refusal(missing), (live / "server.crt") + "\": No such file or directory"));
  if (!make_certificate(live, "server.crt", "server.key")) {
    skip("no openssl");
    return;
  }
  give_to_server(live / "server.crt", fs::perms(0600));
  give_to_server(live / "server.key", fs::perms(0600));
  const TrialOutcome own = outcome_of({{"ssl_key_file", "server.key"}});
  CHECK_MESSAGE(!own.refused, refusal(own));
  CHECK(own.left_out.empty());
  CHECK(ssl == "on");
  const TrialOutcome with_command = outcome_of({{"ssl_passphrase_command", "echo secret"}});
  REQUIRE(with_command.left_out.size() == 1);
  CHECK(has(with_command.left_out[0], "passphrase"));
  CHECK(ssl == "off");
  if (geteuid() != 0) {
    skip("needs root, for the server to run as somebody else");
    return;
  }
  for (const bool can_read : {false, true}) {
    CAPTURE(can_read);
    fs::permissions(live / "server.key", fs::perms(can_read ? 0644 : 0000));
    REQUIRE(chown((live / "server.key").c_str(), can_read ? 12345 : 0, 0) == 0);
    const TrialOutcome foreign = outcome_of({});
    CHECK_MESSAGE(!foreign.refused, refusal(foreign));
    REQUIRE(foreign.left_out.size() == 1);
    CHECK(has(foreign.left_out[0], "may not use \"" + (live / "server.key") + "\""));
    CHECK(ssl == "off");
  }
}

TEST_CASE("what is no fault of the settings is not tried, with the reason") {
  const OwnTemporaryFolder folder;
  TrialStart trial = trial_of({});
  const auto reason = [&] {
    const TrialOutcome outcome = tried(trial);
    CHECK_FALSE(outcome.refused);
    return outcome.not_tried;
  };
  trial.major = 14 + (major() - 13) % 5;
  CHECK(has(reason(), "are of PostgreSQL " + std::to_string(major())));
  trial.major = 99;
  CHECK(has(reason(), "does not know the settings of PostgreSQL 99"));
  trial = trial_of({});
  trial.pg_bin = "/no/such/bin";
  CHECK(has(reason(), "no such folder"));
  trial = trial_of({{"a.b", std::string(200'000, 'x')}});
  CHECK(has(reason(), "more settings than a trial can be told"));
  trial = trial_of({});
  trial.wal_segment_bytes = std::uint64_t{3} << 20;  // no power of two
  CHECK(has(reason(), "initdb"));
}

TEST_CASE("what needs the memory that other programs have is not tried") {
  const OwnTemporaryFolder folder;
  const std::string meminfo = host::files_below("")("/proc/meminfo").value_or("");
  const std::uint64_t all = host::meminfo_number(meminfo, "MemTotal").value_or(0) >> 20;
  const std::uint64_t free = host::meminfo_number(meminfo, "MemAvailable").value_or(0) >> 20;
  if (all < free + 600) {
    skip("all of this machine's memory is free");
    return;
  }
  // The server has some percent more for itself.
  const std::uint64_t between = (free + (all - free) * 3 / 4) * 97 / 100;
  const TrialOutcome outcome = tried(trial_of({{"shared_buffers", std::to_string(between) + "MB"}}));
  CHECK_FALSE(outcome.refused);
  CHECK_MESSAGE(has(outcome.not_tried, "are free beside what runs"), outcome.not_tried);
}

TEST_CASE("a running server's programs are found") {
  const host::Sandbox sandbox({.pg_bin = pg_bin()});
  CHECK(fs::path(host::server_programs(sandbox.server_pid())) == fs::canonical(pg_bin()));
}

}  // namespace kdb::test::trial_start_test
