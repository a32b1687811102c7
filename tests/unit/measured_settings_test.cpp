#include "core/measured_settings.hpp"

#include <string>

#include <doctest/doctest.h>

#include "host/trial_settings.hpp"
#include "model/known_settings.hpp"
#include "support/text.hpp"

namespace kdb::measured_settings_test {

TEST_CASE("what loads code, runs a command or leads to files is not measured, in whatever case") {
  for (const char* name : {"jit_provider",
                           "plperl.on_init",
                           "plperl.on_plperl_init",
                           "plperl.on_plperlu_init",
                           "pltcl.start_proc",
                           "pltclu.start_proc",
                           "oauth_validator_libraries",
                           "extension_control_path",
                           "shared_preload_libraries",
                           "session_preload_libraries",
                           "local_preload_libraries",
                           "dynamic_library_path",
                           "output_plugin_libraries",
                           "archive_library",
                           "archive_command",
                           "restore_command",
                           "ssl_passphrase_command",
                           "data_directory",
                           "config_file",
                           "hba_file",
                           "ident_file",
                           "Data_Directory",
                           "JIT_PROVIDER",
                           "listen_addresses",
                           "unix_socket_directories",
                           "port",
                           "timescaledb.ssl_dir",
                           "timescaledb.passfile",
                           "timescaledb.telemetry_level",
                           "timescaledb.some_library",
                           "timescaledb.a\ndata_directory",
                           "unheard_of",
                           ""}) {
    CAPTURE(name);
    CHECK_FALSE(only_changes_costs(name));
  }
}

TEST_CASE("what the planner, memory, WAL and vacuums are told is measured") {
  for (const char* name :
       {"work_mem", "Work_Mem", "shared_buffers", "random_page_cost", "jit", "jit_above_cost",
        "enable_partitionwise_join", "autovacuum_vacuum_cost_delay", "wal_compression", "io_method",
        "log_min_duration_statement", "timescaledb.enable_chunk_append"}) {
    CAPTURE(name);
    CHECK(only_changes_costs(name));
  }
}

// Of a new major's settings none is measured before somebody has put it into the list.
TEST_CASE("nothing that a trial forces, and nothing that sounds like a file or a program, is measured") {
  for (int major = oldest_known_major; major <= newest_known_major; ++major) {
    for (const auto& forced : host::forced_in_trial(major)) {
      const std::string& name = forced.first;
      CAPTURE(name);
      CHECK_FALSE(only_changes_costs(name));
    }
    for (const SettingFacts& facts : known_settings(major)) {
      bool sounds = false;
      for (const char* word :
           {"command", "librar", "_path", "_file", "directo", "provider", "conninfo", "addresses", "ssl"})
        sounds = sounds || test::has(facts.name, word);
      const bool is_number = facts.type.vartype == "integer";  // how many files, and not which
      CAPTURE(facts.name);
      if (sounds && !is_number) CHECK_FALSE(only_changes_costs(facts.name));
      if (facts.type.vartype == "string" && facts.name != "default_text_search_config")
        CHECK_FALSE(only_changes_costs(facts.name));
    }
  }
}

}  // namespace kdb::measured_settings_test
