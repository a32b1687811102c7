#include "host/trial_settings.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "model/known_settings.hpp"
#include "support/text.hpp"

namespace kdb::trial_settings_test {

namespace {

using host::Settings;
using host::TrialStart;

std::string declared(const TrialStart& trial, const std::string& name) {
  return host::setting_of(host::declared_for_trial(trial), name).value_or("not there");
}

}  // namespace

TEST_CASE("a trial never sees another server's folder, in whatever case its settings are written") {
  const TrialStart trial{.data = "/live",
                         .major = 17,
                         .settings = {{"Data_Directory", "/live"},
                                      {"config_file", "/live/postgresql.conf"},
                                      {"HBA_FILE", "/live/pg_hba.conf"},
                                      {"ident_file", "/live/pg_ident.conf"},
                                      {"work_mem", "5MB"}}};
  for (const auto& setting : host::declared_for_trial(trial)) {
    const std::string& name = setting.first;
    CAPTURE(name);
    CHECK((name == "work_mem" || name.starts_with("ssl_")));
  }
  CHECK(declared(trial, "WORK_MEM") == "5MB");
}

TEST_CASE("names of files that are read are absolute in a trial") {
  const TrialStart trial{.data = "/live",
                         .major = 17,
                         .settings = {{"ssl_ca_file", "ca/root.crt"},
                                      {"SSL_CRL_file", "/etc/crl"},
                                      {"ssl_crl_dir", ""},
                                      {"krb_server_keyfile", "FILE:/etc/krb5.keytab"},
                                      {"ssl_cert_file", "mine.crt"}}};
  CHECK(declared(trial, "ssl_ca_file") == "/live/ca/root.crt");
  CHECK(declared(trial, "ssl_crl_file") == "/etc/crl");
  CHECK(declared(trial, "ssl_crl_dir") == "");
  CHECK(declared(trial, "krb_server_keyfile") == "FILE:/etc/krb5.keytab");
  CHECK(declared(trial, "ssl_cert_file") == "/live/mine.crt");
  CHECK(declared(trial, "ssl_key_file") == "/live/server.key");
  const std::vector<std::string> files = host::ssl_files(trial);
  CHECK(std::find(files.begin(), files.end(), "/live/server.key") != files.end());
  CHECK(std::find(files.begin(), files.end(), "FILE:/etc/krb5.keytab") == files.end());
}

TEST_CASE("what is forced is what the major knows") {
  for (int major = oldest_known_major; major <= newest_known_major; ++major) {
    CAPTURE(major);
    const Settings forced = host::forced_in_trial(major);
    for (const auto& setting : forced) {
      const std::string& name = setting.first;
      CAPTURE(name);
      const SettingFacts* facts = find_known_setting(major, name);
      REQUIRE(facts != nullptr);
      CHECK(setting_problem(facts->type, setting.second) == "");
    }
    const auto forces = [&](const std::string& name) {
      return std::any_of(forced.begin(), forced.end(), [&](const auto& one) { return one.first == name; });
    };
    CHECK(forces("archive_command"));
    CHECK(forces("archive_library") == (major >= 15));
    CHECK(forces("stats_temp_directory") == (major == 14));
    CHECK(forces("promote_trigger_file") == (major <= 15));
  }
}

// A new major's setting that runs a command or names a file is to be looked at: forced, or listed here.
TEST_CASE("every setting that sounds like reaching out of the cluster is forced or known to be harmless") {
  const std::vector<std::string> harmless = {
      "config_file",
      "data_directory",
      "hba_file",
      "ident_file",  // never sent
      "ssl_ca_file",
      "ssl_cert_file",
      "ssl_crl_dir",
      "ssl_crl_file",
      "ssl_dh_params_file",
      "ssl_key_file",
      "krb_server_keyfile",       // read
      "unix_socket_directories",  // the trial's own
      "log_file_mode",
      "log_filename",                // of the collector, which is off
      "bonjour_name",                // of what is off
      "synchronized_standby_slots",  // waited for by senders that have no receiver
      "ssl_passphrase_command_supports_reload",
      "file_copy_method",
      "file_extend_method",
      "log_temp_files",
      "max_files_per_process",
      "remove_temp_files_after_crash",
      "temp_file_limit",
      "archive_timeout",
      "max_standby_archive_delay",
      "log_replication_commands"};
  const auto stands_in = [](const auto& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (int major = oldest_known_major; major <= newest_known_major; ++major) {
    std::vector<std::string> forced;
    for (const auto& [name, value] : host::forced_in_trial(major)) forced.push_back(name);
    for (const SettingFacts& facts : known_settings(major)) {
      const std::string& name = facts.name;
      bool sounds = false;
      for (const char* word : {"command", "file", "directo", "archive_", "conninfo", "trigger_file",
                               "addresses", "bonjour", "_slot_name", "standby_names", "standby_slots"})
        sounds = sounds || test::has(name, word);
      if (!sounds || facts.context == "internal") continue;
      CAPTURE(major);
      CAPTURE(name);
      CHECK((stands_in(forced, name) || stands_in(harmless, name)));
    }
  }
}

TEST_CASE("a name that is none of a setting is not written to any file") {
  for (const char* name :
       {"", "a b", "a\ndata_directory", "a=1", "include", "Include_dir", "include_if_exists"}) {
    CAPTURE(name);
    CHECK(host::trial_name_problem({{"work_mem", "1MB"}, {name, "x"}}));
  }
  CHECK_FALSE(host::trial_name_problem({{"work_mem", "1MB"}, {"timescaledb.max_background_workers", "8"}}));
}

TEST_CASE("a log's telling lines are those that say why") {
  CHECK(host::telling_lines("LOG:  starting PostgreSQL 17\nFATAL:  \"max_wal_size\" must be at least twice\n"
                            "HINT:  raise it\n\tto 32MB\nLOG:  database system is shut down\n",
                            false) ==
        "FATAL:  \"max_wal_size\" must be at least twice\nHINT:  raise it\n\tto 32MB");
  CHECK(host::telling_lines(
            "LOG:  unrecognized configuration parameter \"foo\" in file \"/tmp/x/kdb.conf\" line "
            "37\nFATAL:  configuration file \"/tmp/x/postgresql.conf\" contains errors\n",
            true) == "LOG:  unrecognized configuration parameter \"foo\"");
  CHECK(host::telling_lines("WARNING:  a thing\nHINT:  of it\nFATAL:  another\n", false) ==
        "FATAL:  another");
  CHECK(host::telling_lines("postgres: error while loading shared libraries\n", false) ==
        "postgres: error while loading shared libraries");
}

TEST_CASE("a trial's fields come back as they were") {
  const TrialStart trial{.pg_bin = "/bin",
                         .data = "/live",
                         .wal_segment_bytes = 64 << 20,
                         .major = 18,
                         .memory = 12345678901,
                         .settings = {{"a", ""}, {"b.c", "it's\n=1"}}};
  const TrialStart back = host::trial_from(host::trial_fields(trial));
  CHECK(back.pg_bin == trial.pg_bin);
  CHECK(back.data == trial.data);
  CHECK(back.wal_segment_bytes == trial.wal_segment_bytes);
  CHECK(back.major == trial.major);
  CHECK(back.memory == trial.memory);
  CHECK(back.settings == trial.settings);
  CHECK_THROWS_AS(host::trial_from({}), Error);
}

TEST_CASE("a postgresql.conf holds any value") {
  CHECK(host::configuration_text({{"a", "it's"}, {"b", "x\\y\nz"}}) == "a = 'it''s'\nb = 'x\\\\y\\nz'\n");
}

}  // namespace kdb::trial_settings_test
