// What a standby must have at least as much of as its primary.
#include "core/standby_settings.hpp"

#include <doctest/doctest.h>

#include "host/control_data.hpp"
#include "model/known_settings.hpp"

namespace kdb::test::standby_settings_test {

namespace {

std::map<std::string, ServerSetting> server() {
  std::map<std::string, ServerSetting> settings;
  for (const char* name : {"max_connections", "max_wal_senders", "work_mem"})
    settings[name] = {.facts = *find_known_setting(17, name), .value = "100"};
  return settings;
}

SettingDifference difference(std::string name, std::string live, std::string desired) {
  return {.name = std::move(name), .live = std::move(live), .coming = {}, .desired = std::move(desired)};
}

}  // namespace

TEST_CASE("a primary with standbys is not given more of these before they are") {
  const auto settings = server();
  const ServerSettingLookup live = [&](std::string_view name) -> const ServerSetting* {
    const auto found = settings.find(std::string(name));
    return found == settings.end() ? nullptr : &found->second;
  };
  const std::vector<SettingDifference> raised = {difference("max_connections", "100", "200"),
                                                 difference("max_wal_senders", "10", "5"),
                                                 difference("work_mem", "4MB", "8MB")};
  const auto problems = primary_problems(raised, live, 2);
  REQUIRE(problems.size() == 1);
  CHECK(problems.front().message.starts_with("max_connections = 200 (now 100): its 2 standbys must have"));
  CHECK(primary_problems(raised, live, 0).empty());
}

TEST_CASE("a standby is not given less of these than its primary has") {
  const auto settings = server();
  const ServerSettingLookup live = [&](std::string_view name) -> const ServerSetting* {
    const auto found = settings.find(std::string(name));
    return found == settings.end() ? nullptr : &found->second;
  };
  const auto line = [](std::string name, std::string value) {
    SettingLine one;
    one.name = std::move(name);
    one.value = std::move(value);
    return one;
  };
  const std::map<std::string, std::int64_t> primary = {{"max_connections", 100}};
  CHECK(standby_problems({line("max_connections", "99")}, live, primary).size() == 1);
  CHECK(standby_problems({line("max_connections", "100")}, live, primary).empty());
  CHECK(standby_problems({line("max_wal_senders", "1"), line("work_mem", "64kB")}, live, primary).empty());
}

TEST_CASE("what pg_controldata prints of a primary is read by the settings' own names") {
  const auto settings = host::parse_primary_settings(
      "wal_level setting:                    replica\nmax_connections setting:              100\n"
      "max_prepared_xacts setting:           7\nmax_locks_per_xact setting:           64x\n");
  CHECK(settings ==
        std::map<std::string, std::int64_t>{{"max_connections", 100}, {"max_prepared_transactions", 7}});
}

}  // namespace kdb::test::standby_settings_test
