// What kdb knows of a major's settings, against a server of that major.
#include "model/known_settings.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "db/session.hpp"
#include "kinds/row.hpp"
#include "support/skip.hpp"

namespace kdb::test::known_settings_test {

namespace {

bool is_among(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Debian's own.
bool is_patched_in(std::string_view name) { return is_among(name, {"extension_destdir"}); }

/// Those of minor releases that the server may be older than.
bool may_lack(std::string_view name) {
  return is_among(name, {"composite_type_mismatch", "output_plugin_libraries"});
}

/// Of the release: defaults, and bounds too.
bool is_version(std::string_view name) { return is_among(name, {"server_version", "server_version_num"}); }

/// The folders of whoever built the server.
bool is_folder_of_build(std::string_view name) {
  return is_among(name, {"krb_server_keyfile", "unix_socket_directories"});
}

/// Enums with choices for libraries that a build may do without.
bool may_lack_choices(std::string_view name) {
  return is_among(name, {"default_toast_compression", "io_method", "wal_compression"});
}

std::vector<SettingFacts> settings_of_server(pg::Connection& session) {
  const pg::Result rows = session.exec(
      "SELECT name, context, vartype, coalesce(boot_val, ''), coalesce(unit, ''), coalesce(min_val, '0'), "
      "coalesce(max_val, '0'), coalesce(enumvals, '{}') FROM pg_catalog.pg_settings WHERE name NOT LIKE "
      "'%.%' ORDER BY pg_catalog.lower(name) COLLATE \"C\"");
  std::vector<SettingFacts> settings;
  for (size_t row = 0; row < rows.size(); ++row)
    settings.push_back({.name = rows.text(row, 0),
                        .context = rows.text(row, 1),
                        .type = {.vartype = rows.text(row, 2),
                                 .unit = rows.text(row, 4),
                                 .least = std::stod(rows.text(row, 5)),
                                 .most = std::stod(rows.text(row, 6)),
                                 .choices = read_array(rows.text(row, 7))},
                        .standard = rows.text(row, 3)});
  return settings;
}

/// Whether the first come in the second in the same order.
bool are_some_of(const std::vector<std::string>& some, const std::vector<std::string>& all) {
  size_t found = 0;
  for (const std::string& one : all)
    if (found < some.size() && some[found] == one) ++found;
  return found == some.size();
}

}  // namespace

TEST_CASE("kdb knows the settings of this server's major as the server has them") {
  pg::Watchdog watchdog;
  pg::Connection session(settings_for(server_url()), watchdog);
  const int major = std::stoi(session.exec("SHOW server_version_num").text(0, 0)) / 10'000;
  if (major < oldest_known_major || major > newest_known_major) {
    skip(fmt::format("kdb knows the settings of {} to {}, this is {}", oldest_known_major, newest_known_major,
                     major));
    return;
  }
  const std::vector<SettingFacts> server = settings_of_server(session);
  CHECK(server.size() > 300);
  for (const SettingFacts& theirs : server) {
    CAPTURE(theirs.name);
    const SettingFacts* ours = find_known_setting(major, theirs.name);
    CHECK((ours == nullptr) == is_patched_in(theirs.name));
    if (ours == nullptr) continue;
    CHECK(ours->name == theirs.name);
    CHECK(ours->context == theirs.context);
    CHECK(ours->type.vartype == theirs.type.vartype);
    CHECK(ours->type.unit == theirs.type.unit);
    if (may_lack_choices(theirs.name))
      CHECK(are_some_of(theirs.type.choices, ours->type.choices));
    else
      CHECK(ours->type.choices == theirs.type.choices);
    if (is_version(theirs.name)) continue;
    CHECK(ours->type.least == theirs.type.least);
    CHECK(ours->type.most == theirs.type.most);
    if (!is_folder_of_build(theirs.name)) CHECK(ours->standard == theirs.standard);
  }
  for (const SettingFacts& ours : known_settings(major)) {
    CAPTURE(ours.name);
    const bool is_there = std::any_of(server.begin(), server.end(),
                                      [&](const SettingFacts& one) { return one.name == ours.name; });
    CHECK((is_there || may_lack(ours.name)));
  }
}

}  // namespace kdb::test::known_settings_test
