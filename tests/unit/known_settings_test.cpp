#include "model/known_settings.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"

namespace kdb::known_settings_test {

namespace {

/// All of a setting on a line; empty where the major has none such.
std::string described(int major, std::string_view name) {
  const SettingFacts* one = find_known_setting(major, name);
  if (one == nullptr) return {};
  std::string text = fmt::format("{}, {}, {}", one->context, one->type.vartype, one->standard);
  if (one->type.vartype == "integer" || one->type.vartype == "real")
    text += fmt::format(", {} to {} {}", one->type.least, one->type.most, one->type.unit);
  if (one->type.vartype == "enum") text += fmt::format(", {}", fmt::join(one->type.choices, "|"));
  return text;
}

}  // namespace

TEST_CASE("what changed about a setting from one major to the next is known") {
  struct Row {
    std::string_view name;
    int major;  // the first with the change
    std::string_view before;
    std::string_view after;
  };
  const std::vector<Row> rows{
      {"hash_mem_multiplier", 15, "user, real, 1, 1 to 1000 ", "user, real, 2, 1 to 1000 "},
      {"wal_compression", 15, "superuser, bool, off", "superuser, enum, off, pglz|lz4|zstd|on|off"},
      {"log_checkpoints", 15, "sighup, bool, off", "sighup, bool, on"},
      {"stats_temp_directory", 15, "sighup, string, pg_stat_tmp", ""},
      {"force_parallel_mode", 16, "user, enum, off, off|on|regress", ""},
      {"debug_parallel_query", 16, "", "user, enum, off, off|on|regress"},
      {"vacuum_buffer_usage_limit", 17, "user, integer, 256, 0 to 16777216 kB",
       "user, integer, 2048, 0 to 16777216 kB"},
      {"maintenance_work_mem", 17, "user, integer, 65536, 1024 to 2147483647 kB",
       "user, integer, 65536, 64 to 2147483647 kB"},
      {"transaction_timeout", 17, "", "user, integer, 0, 0 to 2147483647 ms"},
      {"old_snapshot_threshold", 17, "postmaster, integer, -1, -1 to 86400 min", ""},
      {"autovacuum_max_workers", 18, "postmaster, integer, 3, 1 to 262143 ",
       "sighup, integer, 3, 1 to 262143 "},
      {"effective_io_concurrency", 18, "user, integer, 1, 0 to 1000 ", "user, integer, 16, 0 to 1000 "},
      {"io_combine_limit", 18, "user, integer, 16, 1 to 32 8kB", "user, integer, 16, 1 to 128 8kB"},
      {"io_method", 18, "", "postmaster, enum, worker, sync|worker|io_uring"},
      {"log_connections", 18, "superuser-backend, bool, off", "superuser-backend, string, "},
      {"ssl_ecdh_curve", 18, "sighup, string, prime256v1", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(described(row.major - 1, row.name) == row.before);
    CHECK(described(row.major, row.name) == row.after);
  }
}

TEST_CASE("a setting that never changed is the same in all majors") {
  struct Row {
    std::string_view name;
    std::string_view facts;
  };
  const std::vector<Row> rows{
      {"search_path", "user, string, \"$user\", public"},
      {"work_mem", "user, integer, 4096, 64 to 2147483647 kB"},
      {"default_toast_compression", "user, enum, pglz, pglz|lz4"},
      {"max_pred_locks_per_relation", "sighup, integer, -2, -2147483648 to 2147483647 "},
      {"random_page_cost", "user, real, 4, 0 to 1.79769e+308 "},
      {"ssl_max_protocol_version", "sighup, enum, , |TLSv1|TLSv1.1|TLSv1.2|TLSv1.3"},
      {"transaction_isolation",
       "user, enum, read committed, serializable|repeatable read|read committed|read uncommitted"},
      {"output_plugin_libraries", "superuser, string, pgoutput, test_decoding"},  // of minor releases
      {"unix_socket_directories", "postmaster, string, /tmp"},  // not where a distribution has them
      {"extension_destdir", ""},                                // a distribution's own
  };
  for (int major = oldest_known_major; major <= newest_known_major; ++major)
    for (const Row& row : rows) {
      CAPTURE(major);
      CAPTURE(row.name);
      CHECK(described(major, row.name) == row.facts);
    }
}

TEST_CASE("the settings of a major are sorted, each is there once, and is found in any case of its name") {
  for (int major = oldest_known_major; major <= newest_known_major; ++major) {
    CAPTURE(major);
    std::string last;
    CHECK(known_settings(major).size() > 300);
    for (const SettingFacts& one : known_settings(major)) {
      CAPTURE(one.name);
      CHECK(last < to_lower(one.name));
      last = to_lower(one.name);
      CHECK(find_known_setting(major, one.name) == &one);
      CHECK(find_known_setting(major, to_lower(one.name)) == &one);
      CHECK(find_known_setting(major, to_upper(one.name)) == &one);
    }
    for (const std::string_view name : {"", "shared_buffer", "zzz", "plpgsql.extra_warnings"})
      CHECK(find_known_setting(major, name) == nullptr);
    REQUIRE(find_known_setting(major, "timezone") != nullptr);
    CHECK(find_known_setting(major, "timezone")->name == "TimeZone");
  }
}

TEST_CASE("each default is a value that the setting takes") {
  for (int major = oldest_known_major; major <= newest_known_major; ++major)
    for (const SettingFacts& one : known_settings(major)) {
      CAPTURE(one.name);
      CHECK(setting_problem(one.type, one.standard) == "");
    }
}

TEST_CASE("nothing is known of other majors") {
  for (const int major : {-1, 0, oldest_known_major - 1, newest_known_major + 1, 1'000'000}) {
    CHECK(known_settings(major).empty());
    CHECK(find_known_setting(major, "work_mem") == nullptr);
  }
}

}  // namespace kdb::known_settings_test
