// Every CHECK of the reference database's migrations holds for every row of the reference data, whatever the
// seed. The server's own verdict is in tests/db/bench_data_test.cpp.

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "base/instant.hpp"
#include "base/text.hpp"
#include "core/reference_data.hpp"
#include "support/cases.hpp"

namespace kdb::reference_data_property_test {

namespace {

using Cells = std::vector<std::string_view>;
constexpr std::string_view null = "\\N";
constexpr std::string_view base_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool is_of(std::string_view text, std::string_view alphabet, size_t least, size_t most) {
  return text.size() >= least && text.size() <= most && text.find_first_not_of(alphabet) == text.npos;
}

bool is_digits(std::string_view text, size_t least, size_t most) {
  return is_of(text, "0123456789", least, most);
}

/// A constraint that is NULL holds.
template <class Holds>
bool null_or(std::string_view cell, const Holds& holds) {
  return cell == null || holds(cell);
}

std::int64_t time_of(std::string_view text) { return parse_instant(text).value_or(0); }

bool is_email(std::string_view text) {
  const size_t at = text.find('@');
  return text.size() <= 320 && at != text.npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == text.npos && text.find(' ') == text.npos;
}

bool is_phone_number(std::string_view text) {
  return text.size() > 2 && text[0] == '+' && text[1] != '0' && is_digits(text.substr(1), 2, 15);
}

/// Braces outside of strings are balanced, and nothing needs an escape; json_at() is too slow for all.
bool is_object(std::string_view text) {
  int depth = 0;
  bool inside = false;
  for (const char c : text) {
    if (c == '"') inside = !inside;
    if (c == '\\' || static_cast<unsigned char>(c) < 0x20) return false;
    if (!inside && (c == '{' || c == '[')) ++depth;
    if (!inside && (c == '}' || c == ']')) --depth;
  }
  return text.starts_with('{') && text.ends_with('}') && depth == 0 && !inside;
}

bool is_numeric(std::string_view text) {
  const size_t point = text.find('.');
  return point != text.npos && is_digits(text.substr(0, point), 1, 9) &&
         is_digits(text.substr(point + 1), 2, 2);
}

bool metric_holds(const Cells& row) {
  return row.size() == 7 && is_of(row[0], base_62, 6, 6) && row[1] != null && !row[1].empty() &&
         time_of(row[5]) >= time_of(row[4]) && time_of(row[4]) > 0 && time_of(row[6]) > 0;
}

bool campaign_holds(const Cells& row) {
  constexpr std::string_view statuses[] = {"Cancelled", "Draft", "Scheduled", "Sending", "Sent"};
  constexpr std::string_view channels[] = {"email", "sms", "mobile_push"};
  return row.size() == 12 && is_of(row[0], crockford, 26, 26) && !row[1].empty() &&
         std::count(std::begin(channels), std::end(channels), row[2]) == 1 &&
         std::count(std::begin(statuses), std::end(statuses), row[3]) == 1 && is_of(row[4], "tf", 1, 1) &&
         is_object(row[5]) && is_object(row[6]) && time_of(row[9]) > 0 &&
         time_of(row[10]) >= time_of(row[9]) && (row[3] != "Sent" || time_of(row[8]) > 0) &&
         time_of(row[11]) > 0;
}

bool profile_holds(const Cells& row) {
  return row.size() == 12 && is_of(row[0], crockford, 26, 26) && null_or(row[1], is_email) &&
         null_or(row[2], is_phone_number) && !row[3].empty() && is_object(row[7]) && is_object(row[8]) &&
         time_of(row[9]) > 0 && time_of(row[10]) >= time_of(row[9]) && time_of(row[11]) > 0;
}

bool event_holds(const Cells& row) {
  return row.size() == 7 && is_of(row[0], base_62, 1, 64) && is_of(row[1], base_62, 6, 6) &&
         is_of(row[2], crockford, 26, 26) && time_of(row[3]) >= time_of("2012-01-01 00:00:00+00") &&
         time_of(row[3]) < time_of("2100-01-01 00:00:00+00") && null_or(row[4], is_numeric) &&
         is_object(row[5]) && time_of(row[6]) > 0;
}

template <class Holds>
std::vector<std::string> check(ReferenceTable table, const ReferenceData& data, const Holds& holds) {
  ReferenceRows rows(table, data);
  std::vector<std::string> ids;
  for (std::string text; rows.append(text, 500) > 0; text.clear())
    for (const std::string_view line : split(text, '\n')) {
      if (line.empty()) continue;
      const Cells cells = split(line, '\t');
      if (!holds(cells)) FAIL(line);
      ids.emplace_back(cells[0]);
    }
  return ids;
}

}  // namespace

TEST_CASE("every CHECK and every key of the migrations holds, whatever the seed") {
  const unsigned first = test::seed();
  CAPTURE(first);
  for (int i = 0; i < 1 + test::cases() / 100; ++i) {
    const ReferenceData data{.events = 20'000, .seed = first + static_cast<unsigned>(i)};
    CHECK(check(ReferenceTable::metrics, data, metric_holds).size() == 30);
    CHECK(check(ReferenceTable::campaigns, data, campaign_holds).size() == 400);
    CHECK(check(ReferenceTable::profiles, data, profile_holds).size() == 1'000);
    const std::vector<std::string> ids = check(ReferenceTable::events, data, event_holds);
    CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == 20'000);
  }
}

TEST_CASE("no two metrics have one name and one integration") {
  ReferenceRows rows(ReferenceTable::metrics, {});
  std::string text;
  rows.append(text, 100);
  std::set<std::string> names;
  int with_integration = 0;
  for (const std::string_view line : split(text, '\n')) {
    const Cells cells = split(line, '\t');
    if (cells.size() < 3 || cells[2] == null) continue;
    ++with_integration;
    names.insert(std::string(cells[1]) + "\t" + std::string(cells[2]));
  }
  CHECK(static_cast<int>(names.size()) == with_integration);
}

}  // namespace kdb::reference_data_property_test
