// The reference data: the same bytes for the same seed, and distributed as its promises say.

#include "core/reference_data.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/checksum.hpp"
#include "base/instant.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "core/reference_metrics.hpp"
#include "support/cases.hpp"
#include "support/json.hpp"

namespace kdb::reference_data_test {

namespace {

std::string text_of(ReferenceTable table, const ReferenceData& data, std::int64_t batch = 1'000) {
  ReferenceRows rows(table, data);
  std::string text;
  while (rows.append(text, batch) > 0) continue;
  return text;
}

/// What an event's row says. NULL is nothing; columns are those of columns_of().
struct Row {
  std::string id, metric, profile, value, properties;
  std::int64_t time = 0;     // microseconds
  std::int64_t arrived = 0;  // when it was read
};

std::int64_t instant(std::string_view text) {
  const auto time = parse_instant(text);
  REQUIRE_MESSAGE(time.has_value(), text);
  return *time;
}

std::vector<Row> events_of(const ReferenceData& data) {
  const std::string text = text_of(ReferenceTable::events, data);
  std::vector<Row> rows;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    const std::vector<std::string_view> cells = split(line, '\t');
    REQUIRE(cells.size() == 7);
    rows.push_back({.id = std::string(cells[0]),
                    .metric = std::string(cells[1]),
                    .profile = std::string(cells[2]),
                    .value = cells[4] == "\\N" ? "" : std::string(cells[4]),
                    .properties = std::string(cells[5]),
                    .time = instant(cells[3]),
                    .arrived = instant(cells[6])});
  }
  return rows;
}

/// Where the rows say what the database will hold: not before they are read, and none of two days before.
std::int64_t lateness(const Row& row) { return row.arrived - row.time; }

template <class Is>
double share(const std::vector<Row>& rows, const Is& is) {
  return static_cast<double>(std::count_if(rows.begin(), rows.end(), is)) / static_cast<double>(rows.size());
}

bool is_about(double value, double expected, double tolerance) {
  return value > expected - tolerance && value < expected + tolerance;
}

}  // namespace

TEST_CASE("the first 1,000 events of seed 1, and the rows of all tables, have always been these bytes") {
  const ReferenceData data{.events = 1'000, .seed = 1};
  CHECK(sha256_hex(text_of(ReferenceTable::metrics, data)) ==
        "fef54345e22db07a98101db32c43d4d393e1b4a5fb42852e00aa41d1c673e779");
  CHECK(sha256_hex(text_of(ReferenceTable::campaigns, data)) ==
        "42cbb2936aebe6a43803969de3787ddb0e04f8bf77d8d33773974ab06f92b1ae");
  CHECK(sha256_hex(text_of(ReferenceTable::profiles, data)) ==
        "aaf4f1aeb4cb3b0b573af7c394d32e2d057040444d722ef8b64227469e36e3be");
  CHECK(sha256_hex(text_of(ReferenceTable::events, data)) ==
        "659036b22da383eeaa1358bc1090c4e283ae3ad23a2e55f6743d13fd5d776d6c");
}

TEST_CASE("the bytes depend on the seed, and not on how many rows are asked for at a time") {
  for (const ReferenceTable table : reference_tables()) {
    CAPTURE(to_string(table));
    const ReferenceData data{.events = 2'000, .seed = 7};
    const std::string text = text_of(table, data);
    CHECK(text == text_of(table, data, 17));
    CHECK(text != text_of(table, {.events = 2'000, .seed = 8}));
    CHECK(std::count(text.begin(), text.end(), '\n') == data.rows(table));
  }
}

TEST_CASE("ids are those of their ordinals, whatever the seed and the number of events") {
  for (const std::uint64_t seed : {1U, 99U})
    for (const std::int64_t count : {500, 3'000}) {
      const std::vector<Row> rows = events_of({.events = count, .seed = seed});
      REQUIRE(rows.size() == static_cast<size_t>(count));
      for (const std::int64_t ordinal : {0, 499})
        CHECK(rows[static_cast<size_t>(ordinal)].id == event_id(ordinal));
    }
  CHECK(text_of(ReferenceTable::metrics, {}).starts_with(metric_id(0) + "\tReceived Email\t"));
  CHECK(text_of(ReferenceTable::campaigns, {}).starts_with(campaign_id(0) + "\t"));
  CHECK(text_of(ReferenceTable::profiles, {.events = 1}).starts_with(profile_id(0) + "\t"));
}

TEST_CASE("shares of metrics, values, lateness and large payloads are as promised") {
  const std::vector<Row> rows = events_of({.events = 100'000, .seed = 3});
  std::map<std::string, int> metrics;
  for (const Row& row : rows) ++metrics[row.metric];
  CHECK(metrics.size() == reference_metric_count);
  for (int ordinal = 0; ordinal < reference_metric_count; ++ordinal) {
    CAPTURE(ordinal);
    const double expected = reference_metrics().at(static_cast<size_t>(ordinal)).share / 10'000.0;
    CHECK(is_about(metrics[metric_id(ordinal)] / 100'000.0, expected, 0.005));
  }
  CHECK(is_about(share(rows, [](const Row& row) { return !row.value.empty(); }), 0.30, 0.006));
  CHECK(is_about(share(rows, [](const Row& row) { return lateness(row) > usec::hour + usec::minute; }), 0.005,
                 0.0015));
  CHECK(is_about(share(rows, [](const Row& row) { return lateness(row) > usec::minute; }), 0.10, 0.005));
  const auto is_large = [](const Row& row) { return row.properties.size() > 5'000; };
  CHECK(is_about(share(rows, is_large), 0.0005, 0.0003));
  double bytes = 0;
  size_t most = 0;
  for (const Row& row : rows) {
    bytes += static_cast<double>(row.properties.size());
    most = std::max(most, row.properties.size());
  }
  CHECK(is_about(bytes / 100'000.0, 281, 6));
  CHECK(most < 20'480);
}

TEST_CASE("a few profiles have most of the events, and campaigns are followed only once they are sent") {
  const std::vector<Row> rows = events_of({.events = 50'000, .seed = 5});
  std::map<std::string, int> profiles;
  std::map<std::string, std::int64_t> sent;
  for (std::int64_t ordinal = 0; ordinal < reference_campaign_count; ++ordinal)
    sent[campaign_id(ordinal)] = campaign_sent(ordinal) * usec::second;
  size_t followed = 0;
  for (const Row& row : rows) {
    ++profiles[row.profile];
    constexpr std::string_view key = "\"$message\": \"";
    const size_t at = row.properties.find(key);
    if (at == std::string::npos) continue;
    ++followed;
    const auto campaign = sent.find(row.properties.substr(at + key.size(), 26));
    REQUIRE(campaign != sent.end());
    if (campaign->second > row.time) FAIL_CHECK(row.properties);
  }
  CHECK(followed > rows.size() / 2);
  CHECK(profiles.size() <= 2'000);
  CHECK(profiles[profile_id(0)] > profiles[profile_id(20)]);
  std::vector<int> counts;
  for (const auto& entry : profiles) counts.push_back(entry.second);
  std::sort(counts.rbegin(), counts.rend());
  int of_tenth = 0;
  for (size_t i = 0; i < 200; ++i) of_tenth += counts[i];
  CHECK(of_tenth > 20'000);
}

TEST_CASE("events come in the order of their arrival, more of them in the second year than in the first") {
  const std::vector<Row> rows = events_of({.events = 30'000, .seed = 11});
  CHECK(std::is_sorted(rows.begin(), rows.end(),
                       [](const Row& a, const Row& b) { return a.arrived < b.arrived; }));
  CHECK(rows.front().time > (reference_start() - 2 * 86'400) * usec::second);
  CHECK(rows.back().time < reference_anchor() * usec::second);
  CHECK(rows.back().arrived <= reference_anchor() * usec::second);
  const double early = share(rows, [](const Row& row) {
    return row.arrived < (reference_start() + reference_days / 2 * 86'400) * usec::second;
  });
  CHECK(is_about(early, 0.394, 0.02));
  const auto in_hours = [&](std::int64_t from, std::int64_t to) {
    return share(rows, [=](const Row& row) {
      const std::int64_t hour = row.arrived % usec::day / usec::hour;
      return hour >= from && hour < to;
    });
  };
  CHECK(in_hours(17, 21) > 4 * in_hours(1, 5));
}

TEST_CASE("a payload is a JSON object with the keys of real ones, and its $value is a number or a string") {
  const std::vector<Row> rows = events_of({.events = 400, .seed = 2});
  std::map<std::string, int> seen;
  for (const Row& row : rows) {
    REQUIRE_FALSE(test::json_at(row.properties, "/$event_id").empty());
    for (const char* key : {"/$message", "/Campaign Name", "/ Client OS", "/$attribution/$send_ts"})
      if (!test::json_at(row.properties, key).empty()) ++seen[key];
    const std::string value = test::json_at(row.properties, "/$value");
    if (value.empty()) continue;
    ++seen[value.front() == '"' ? "string" : "number"];
    CHECK((value.front() == '"') == row.value.empty());
  }
  for (const char* key :
       {"/$message", "/Campaign Name", "/ Client OS", "/$attribution/$send_ts", "string", "number"})
    CHECK_MESSAGE(seen[key] > 0, key);
}

TEST_CASE("what comes on top of a database begins where its data ends") {
  const ReferenceData more{
      .events = 1'000, .first_event = 5'000, .start = reference_anchor(), .days = 7, .profiles = 1'234};
  const std::vector<Row> rows = events_of(more);
  CHECK(rows.front().id == event_id(5'000));
  CHECK(rows.back().id == event_id(5'999));
  CHECK(rows.front().arrived > reference_anchor() * usec::second);
  CHECK(rows.back().arrived <= (reference_anchor() + 7 * 86'400) * usec::second);
  CHECK(more.rows(ReferenceTable::profiles) == 1'234);
}

TEST_CASE("no number of events is too small or too large") {
  CHECK(events_of({.events = 0}).empty());
  CHECK(events_of({.events = 1}).size() == 1);
  ReferenceRows rows(ReferenceTable::events, {.events = 2'147'483'647});
  std::string text;
  CHECK(rows.append(text, 10) == 10);
  CHECK(text.find("\t2024-01-02 00:0") != std::string::npos);
}

}  // namespace kdb::reference_data_test
