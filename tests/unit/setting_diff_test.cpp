#include "core/setting_diff.hpp"

#include <map>

#include <doctest/doctest.h>

#include "model/known_settings.hpp"

namespace kdb {

namespace {

/// A server of 17 with its defaults, but for what a case sets.
struct Server {
  std::map<std::string, ServerSetting> settings;
  ServerFiles files{.lines = std::vector<FileSetting>(), .overrides = {}};

  Server() {
    for (const SettingFacts& one : known_settings(17))
      settings[one.name] = {.facts = one, .value = one.standard, .source = "default"};
    settings["ext.workers"] = {
        .facts = {.name = "ext.workers", .context = "user", .type = {}, .standard = "1"},
        .value = "1",
        .source = "default"};
  }

  void in_file(const std::string& name, const std::string& raw, const std::string& text) {
    settings[name].value = raw;
    settings[name].source = "configuration file";
    files.lines->push_back({name, text, "/etc/postgresql.conf:7", ""});
  }

  SettingDiff diff(const std::string& name, const std::string& value) const {
    std::vector<std::string_view> names;
    for (const auto& [known, setting] : settings) names.push_back(known);
    return diff_settings(
        {{.name = name, .value = value, .group = "", .reason = "", .origin = "p.toml:1:1", .facts = {}}},
        [&](std::string_view one) -> const ServerSetting* {
          const auto found = settings.find(std::string(one));
          return found == settings.end() ? nullptr : &found->second;
        },
        files, names);
  }
};

}  // namespace

TEST_CASE("a server's value is compared in the setting's own unit") {
  Server server;
  server.in_file("work_mem", "65536", "64MB");
  CHECK(server.diff("work_mem", "65536kB").differences.empty());
  CHECK(server.diff("work_mem", "0.0625GB").differences.empty());
  const SettingDiff diff = server.diff("work_mem", "32MB");
  REQUIRE(diff.differences.size() == 1);
  CHECK(diff.differences.front() == SettingDifference{.name = "work_mem",
                                                      .live = "64MB",
                                                      .coming = "64MB",
                                                      .desired = "32MB",
                                                      .place = "/etc/postgresql.conf:7"});
  CHECK(server.diff("jit", "true").differences.empty());
  CHECK(server.diff("shared_buffers", "1GB").differences.front().restart);
}

TEST_CASE("what the files have already waits for a restart, and does not differ") {
  Server server;
  server.in_file("max_connections", "100", "300");
  server.settings["max_connections"].pending_restart = true;
  server.files.lines->back().error = "setting could not be applied";
  const SettingDiff diff = server.diff("max_connections", "300");
  CHECK(diff.differences.empty());
  CHECK(diff.findings.empty());
  REQUIRE(diff.waiting.size() == 1);
  CHECK(diff.waiting.front().live == "100");
  CHECK(server.diff("max_connections", "100").differences.size() == 1);
}

TEST_CASE("what is in the files and was not loaded yet is not what the server has") {
  Server server;
  server.in_file("work_mem", "4096", "32MB");  // written, not reloaded
  const SettingDiff diff = server.diff("work_mem", "32MB");
  CHECK(diff.differences.empty());
  REQUIRE(diff.waiting.size() == 1);
  CHECK(diff.waiting.front().live == "4MB");
  CHECK(!diff.waiting.front().restart);
}

TEST_CASE("a line that is gone waits for a restart with its default") {
  Server server;
  server.settings["max_worker_processes"].value = "20";
  server.settings["max_worker_processes"].source = "configuration file";
  server.settings["max_worker_processes"].pending_restart = true;
  server.files.lines->push_back(
      {"", "", ":0", "parameter \"max_worker_processes\" cannot be changed without restarting the server"});
  CHECK(server.diff("max_worker_processes", "20").differences.size() == 1);
  CHECK(server.diff("max_worker_processes", "20").findings.empty());
  CHECK(server.diff("max_worker_processes", "8").waiting.size() == 1);
}

TEST_CASE("a default that stands for what the server works out is that") {
  Server server;
  server.settings["wal_buffers"].value = "512";
  CHECK(server.diff("wal_buffers", "-1").differences.empty());
  CHECK(server.diff("wal_buffers", "4MB").differences.empty());
  CHECK(server.diff("wal_buffers", "8MB").differences.size() == 1);
}

TEST_CASE("what kdb sets for its own session is not the role's") {
  Server server;
  server.settings["lock_timeout"].value = "9000";
  server.settings["lock_timeout"].source = "session";
  CHECK(server.diff("lock_timeout", "9s").differences.empty());
  server.files.lines.reset();
  CHECK(!server.diff("lock_timeout", "9s").undecided);
  server.files.overrides = {{"lock_timeout", "9s", "me", ""}};
  CHECK(server.diff("lock_timeout", "9s").undecided);
}

TEST_CASE("a line that the server refuses does not count, and is said") {
  Server server;
  server.in_file("work_mem", "4096", "4MB");
  server.files.lines->push_back({"work_mem", "64mb", "/etc/postgresql.auto.conf:3", "invalid value"});
  CHECK(server.diff("work_mem", "4MB").differences.empty());
  const SettingDiff diff = server.diff("work_mem", "4MB");
  REQUIRE(diff.findings.size() == 1);
  CHECK(diff.findings.front().rule == "broken-server-file");
  CHECK(diff.findings.front().level == Finding::Level::error);
}

TEST_CASE("who overrides a value is named, and does not count as the server") {
  Server server;
  server.in_file("work_mem", "65536", "64MB");
  server.settings["work_mem"].value = "16384";  // this role's own
  server.settings["work_mem"].source = "user";
  server.files.overrides = {{"work_mem", "16MB", "reports", ""},
                            {"work_mem", "64MB", "same", ""},
                            {"work_mem", "8MB", "", "shop"},
                            {"jit", "off", "reports", ""}};
  const SettingDiff diff = server.diff("work_mem", "64MB");
  CHECK(diff.differences.empty());
  REQUIRE(diff.findings.size() == 2);
  CHECK(diff.findings[0].problem.message ==
        "work_mem = 64MB is not what sessions of role reports get: theirs is 16MB");
  CHECK(diff.findings[1].problem.message ==
        "work_mem = 64MB is not what sessions of every role in database shop get: theirs is 8MB");
}

TEST_CASE("a value that this role may not see is not guessed") {
  Server server;
  server.files.lines.reset();
  server.settings["work_mem"].value = "16384";
  server.settings["work_mem"].source = "user";
  const SettingDiff diff = server.diff("work_mem", "16MB");
  CHECK(diff.undecided);
  CHECK(diff.differences.empty());
  REQUIRE(diff.findings.size() == 1);
  CHECK(diff.findings.front().rule == "hidden-setting");
  CHECK(!server.diff("jit", "on").undecided);
}

TEST_CASE("the command line wins over every file") {
  Server server;
  server.settings["max_connections"].value = "200";
  server.settings["max_connections"].source = "command line";
  server.files.lines->push_back({"max_connections", "100", "/etc/postgresql.conf:7", ""});
  const SettingDiff diff = server.diff("max_connections", "100");
  REQUIRE(diff.differences.size() == 1);
  CHECK(diff.differences.front().live == "200");
  CHECK(!diff.differences.front().obstacle.empty());
  CHECK(server.diff("max_connections", "200").differences.empty());
}

TEST_CASE("a misspelt setting of an extension is found, where the server would take it") {
  Server server;
  server.files.lines->push_back({"ext.wrokers", "4", "/etc/postgresql.conf:9", ""});
  server.files.lines->push_back(
      {"other.thing", "4", "/etc/postgresql.conf:10", ""});  // of what is not loaded
  // Most of TimescaleDB's are known only where a database has it.
  server.settings["timescaledb.max_background_workers"] = {};
  server.files.lines->push_back({"timescaledb.telemetry_level", "off", "/etc/postgresql.conf:11", ""});
  const SettingDiff diff = server.diff("ext.worker", "4");
  REQUIRE(diff.findings.size() == 2);
  CHECK(diff.findings[0].problem.message ==
        "/etc/postgresql.conf:9: ext.wrokers is no setting of the extension: the server takes it and nothing "
        "uses it");
  CHECK(diff.findings[0].problem.hint == "did you mean \"ext.workers\"?");
  CHECK(diff.findings[1].problem.message ==
        "p.toml:1:1: ext.worker is no setting of the extension: the server takes it and nothing uses it");
}

}  // namespace kdb
