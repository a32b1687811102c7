#include "base/units.hpp"

#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace kdb::units_test {

using std::chrono::milliseconds;

TEST_CASE("durations are read as PostgreSQL reads its settings") {
  struct Row {
    std::string_view text;
    std::optional<long long> ms;
  };
  const std::vector<Row> rows{
      {"2s", 2000},
      {"1.5 min", 90000},
      {"250", 250},
      {"0", 0},
      {" 3 h ", 10800000},
      {"1d", 86400000},
      {"1500us", 2},
      {"1us", 1},
      {"0us", 0},
      {"1e3", 1000},
      {".5s", 500},
      {"24d", 2073600000},
      {"25d", std::nullopt},
      {"-1", std::nullopt},
      {"", std::nullopt},
      {"s", std::nullopt},
      {"2S", std::nullopt},
      {"2 s s", std::nullopt},
      {"inf", std::nullopt},
      {"nan", std::nullopt},
      {"2weeks", std::nullopt},
      {"1e999", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto parsed = parse_duration(row.text);
    CHECK(parsed.has_value() == row.ms.has_value());
    if (parsed && row.ms) CHECK(parsed->count() == *row.ms);
  }
  CHECK(parse_duration("5", std::chrono::seconds(1)) == milliseconds(5000));
  CHECK(parse_duration("5ms", std::chrono::seconds(1)) == milliseconds(5));
}

TEST_CASE("a formatted duration reads back as itself") {
  CHECK(format_duration(milliseconds(0)) == "0");
  CHECK(format_duration(milliseconds(1500)) == "1500ms");
  CHECK(format_duration(milliseconds(2000)) == "2s");
  CHECK(format_duration(milliseconds(90000)) == "90s");
  CHECK(format_duration(milliseconds(120000)) == "2min");
  CHECK(format_duration(milliseconds(7200000)) == "2h");
  CHECK(format_duration(milliseconds(86400000)) == "1d");
  for (const int ms : {1, 999, 1000, 61000, 3600000, 2147483647}) {
    CAPTURE(ms);
    CHECK(parse_duration(format_duration(milliseconds(ms))) == milliseconds(ms));
  }
}

TEST_CASE("sizes are read as PostgreSQL reads memory settings") {
  CHECK(parse_bytes("8GB") == 8ULL << 30U);
  CHECK(parse_bytes("1.5 kB") == 1536);
  CHECK(parse_bytes("512") == 512);
  CHECK(parse_bytes("16 MB") == 16ULL << 20U);
  CHECK(parse_bytes("2TB") == 2ULL << 40U);
  CHECK(parse_bytes("100B") == 100);
  CHECK_FALSE(parse_bytes("8gb").has_value());  // PostgreSQL refuses it too
  CHECK_FALSE(parse_bytes("-1").has_value());
  CHECK_FALSE(parse_bytes("lots").has_value());
  CHECK_FALSE(parse_bytes("99999999TB").has_value());
}

}  // namespace kdb::units_test
