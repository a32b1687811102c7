#include "base/setting_value.hpp"

#include <string>

#include <doctest/doctest.h>

namespace kdb {

namespace {

const SettingType blocks{.vartype = "integer", .unit = "8kB"};
const SettingType kilobytes{.vartype = "integer", .unit = "kB"};
const SettingType milliseconds{.vartype = "integer", .unit = "ms"};
const SettingType cost_delay{.vartype = "real", .unit = "ms"};
const SettingType bare{.vartype = "integer", .unit = ""};

}  // namespace

TEST_CASE("numbers of settings are read as the server reads them") {
  struct Spelling {
    SettingType type;
    std::string text;
    std::optional<double> number;
  };
  // A case of tests/db asks servers for the same, of many more values.
  const Spelling rows[] = {
      {blocks, "64MB", 8192},
      {blocks, " 64 MB ", 8192},
      {blocks, "0.5GB", 65536},
      {blocks, "1.5MB", 192},
      {blocks, "0x40", 64},
      {blocks, "010", 8},
      {blocks, "1e3", 1000},
      {blocks, "4kB", 0},  // half to even
      {blocks, "12kB", 2},
      {blocks, "20kB", 2},
      {blocks, "30.1GB", 3945216},  // to a whole number of MB first
      {blocks, "64mb", std::nullopt},
      {blocks, "64KB", std::nullopt},
      {blocks, "64 M B", std::nullopt},
      {blocks, "64ms", std::nullopt},
      {blocks, "", std::nullopt},
      {blocks, "MB", std::nullopt},
      {blocks, "nan", std::nullopt},
      {kilobytes, "67108864B", 65536},
      {kilobytes, "2TB", std::nullopt},
      {kilobytes, "1.5", 2},
      {kilobytes, "2.5", 2},
      {kilobytes, "-1", -1},
      {milliseconds, "30s", 30'000},
      {milliseconds, "0.5min", 30'000},
      {milliseconds, "1500us", 2},
      {milliseconds, "1d", 86'400'000},
      {milliseconds, "30S", std::nullopt},
      {milliseconds, "5m", std::nullopt},
      {cost_delay, "1.5", 1.5},
      {cost_delay, "100us", 0.1},
      {cost_delay, "0x1p1ms", 2},
      {bare, "5", 5},
      {bare, "5kB", std::nullopt},
      {bare, "99999999999", std::nullopt},
      {bare, std::string("5\0", 2), std::nullopt},
  };
  for (const Spelling& row : rows) {
    CAPTURE(row.text);
    CHECK(setting_number(row.text, row.type) == row.number);
  }
}

TEST_CASE("booleans of settings are any beginning of their words") {
  for (const char* text : {"t", "TRUE", "tr", "y", "yes", "on", "ON", "1"})
    CHECK(setting_boolean(text) == true);
  for (const char* text : {"f", "fals", "n", "no", "of", "off", "0"}) CHECK(setting_boolean(text) == false);
  for (const char* text : {"", "o", "2", "truee", " t", "onn"}) CHECK_FALSE(setting_boolean(text));
}

TEST_CASE("lists of settings are split as the server splits them") {
  using Names = std::vector<std::string>;
  CHECK(setting_list("search_path", " \"$user\" , Public,\"A \"\"b\"\", c\" ") ==
        Names{"$user", "public", "A \"b\", c"});
  CHECK(setting_list("shared_preload_libraries", "a, $libdir/B") == Names{"a", "$libdir/B"});
  CHECK(setting_list("search_path", "  ") == Names{""});
  CHECK(setting_list("search_path", "\"\"") == Names{""});
  for (const char* text : {"a,", ",a", "a,,b", "\"a", "\"a\" b"})
    CHECK_FALSE(setting_list("search_path", text));
  CHECK(setting_sql("Search_Path", "a, 'x'); --") == "'a', '''x''); --'");
  CHECK(setting_sql("DateStyle", "ISO, MDY") == "'ISO, MDY'");
}

TEST_CASE("two spellings of one value are the same setting") {
  CHECK(same_setting("work_mem", kilobytes, "64MB", "65536kB"));
  CHECK(same_setting("work_mem", kilobytes, "64MB", "65536"));
  CHECK_FALSE(same_setting("work_mem", kilobytes, "64MB", "64"));
  CHECK_FALSE(same_setting("work_mem", kilobytes, "64mb", "64 mb"));
  CHECK(same_setting("jit", {.vartype = "bool"}, "off", "false"));
  CHECK(same_setting("search_path", {.vartype = "string"}, "\"$user\", App", "$user,app"));
  CHECK(same_setting("wal_level", {.vartype = "enum"}, "Logical", "logical"));
  CHECK_FALSE(same_setting("log_directory", {.vartype = "string"}, "Log", "log"));
  CHECK_FALSE(same_setting("my.tag", {}, "1", "1.0"));
}

TEST_CASE("a value that the server would refuse is refused in words") {
  SettingType memory = kilobytes;
  memory.least = 64;
  memory.most = 2147483647;
  const SettingType cost{.vartype = "real", .least = 0, .most = 1.79769e+308};
  const SettingType level{.vartype = "enum", .choices = {"minimal", "replica"}};
  CHECK(setting_problem(memory, "64MB").empty());
  CHECK(setting_problem(memory, "64mb") ==
        "takes a whole number with or without a unit (B, kB, MB, GB, TB), not 64mb");
  CHECK(setting_problem(memory, "63kB") == "takes 64kB to 2147483647kB, not 63kB");
  CHECK(setting_problem(memory, "3TB") == "takes 64kB to 2147483647kB, not 3TB");
  CHECK(setting_problem(cost, "-1") == "takes 0 or more, not -1");
  CHECK(setting_problem(cost, "much") == "takes a number, not much");
  CHECK(setting_problem({.vartype = "bool"}, "o") == "takes on or off, not o");
  CHECK(setting_problem(level, "logica") == "takes minimal, replica, not logica");
  CHECK(setting_problem(level, "Replica").empty());
  CHECK_FALSE(setting_problem(level, "on").empty());
  const SettingType commit{.vartype = "enum", .choices = {"local", "on", "off"}};
  CHECK(setting_problem(commit, "TRUE").empty());  // it takes this, and does not say so
  CHECK_FALSE(setting_problem(commit, "t").empty());
  const SettingType messages{.vartype = "enum", .choices = {"debug1", "log"}};
  CHECK(setting_problem(messages, "debug").empty());
  CHECK_FALSE(setting_problem(messages, "true").empty());
  CHECK(setting_problem({.vartype = "string"}, "anything").empty());
}

TEST_CASE("a number of a setting is written in its largest unit") {
  CHECK(setting_text(8192, blocks) == "64MB");
  CHECK(setting_text(1, blocks) == "8kB");
  CHECK(setting_text(1536, kilobytes) == "1536kB");
  CHECK(setting_text(30'000, milliseconds) == "30s");
  CHECK(setting_text(90'000, milliseconds) == "90s");
  CHECK(setting_text(0.5, cost_delay) == "500us");
  CHECK(setting_text(0, milliseconds) == "0");
  CHECK(setting_text(-1, milliseconds) == "-1");
  CHECK(setting_text(7, bare) == "7");
}

}  // namespace kdb
