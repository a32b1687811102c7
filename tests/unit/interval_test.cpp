#include "base/interval.hpp"

#include <doctest/doctest.h>

#include "base/instant.hpp"
#include "kinds/columnstore.hpp"
#include "kinds/span.hpp"

namespace kdb::interval_test {

TEST_CASE("an interval is read in every form in which PostgreSQL prints it and people write it") {
  struct Case {
    const char* text;
    Interval interval;
  };
  constexpr std::int64_t hour = 3'600'000'000;
  for (const Case& row : {
           Case{"7 days", {.days = 7}},
           Case{"2 years", {.months = 24}},
           Case{"12 hours", {.microseconds = 12 * hour}},
           Case{"1 day 06:00:00", {.days = 1, .microseconds = 6 * hour}},
           Case{"1 year 2 mons 3 days 04:05:06.5", {.months = 14, .days = 3, .microseconds = 14'706'500'000}},
           Case{"P90D", {.days = 90}},
           Case{"P1Y2M10DT2H30M", {.months = 14, .days = 10, .microseconds = 5 * hour / 2}},
           Case{"PT12H", {.microseconds = 12 * hour}},
           Case{"P-1W", {.days = -7}},
           Case{"1-2 3 4:05:06", {.months = 14, .days = 3, .microseconds = 14'706'000'000}},
           Case{"@ 1 hour ago", {.microseconds = -hour}},
           Case{"1.5 days", {.days = 1, .microseconds = 12 * hour}},
           Case{"1.5 months", {.months = 1, .days = 15}},
           Case{"0.5 years", {.months = 6}},
           Case{"2 WEEKS", {.days = 14}},
           Case{"7d", {.days = 7}},
           Case{"1h30m", {.microseconds = 3 * hour / 2}},
           Case{"-01:30", {.microseconds = -3 * hour / 2}},
           Case{"90", {.microseconds = 90'000'000}},
           Case{"500 ms", {.microseconds = 500'000}},
           Case{"2 centuries", {.months = 2400}},
       }) {
    CAPTURE(row.text);
    const auto interval = parse_interval(row.text);
    REQUIRE(interval);
    CHECK(interval->months == row.interval.months);
    CHECK(interval->days == row.interval.days);
    CHECK(interval->microseconds == row.interval.microseconds);
  }
  for (const char* text :
       {"", "days", "7 dais", "7 days 3 x", "P", "PT", "P1", "1:60", "99999999999 years", "1-13",
        "7 days; DROP TABLE t", "--1 day", "1..5 days", "9999999999999999999999999 hours"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_interval(text));
  }
}

TEST_CASE("an interval is printed as people write it") {
  for (const auto& [text, printed] : {std::pair("06:00:00", "6 hours"),
                                      {"1 year 2 mons 3 days", "1 year 2 months 3 days"},
                                      {"P1D", "1 day"},
                                      {"24:00:00", "24 hours"},
                                      {"00:01:30.5", "1 minute 30 seconds 500 milliseconds"},
                                      {"0", "0 seconds"},
                                      {"-1 mons +2 days", "-1 months 2 days"}}) {
    const std::string given = text;
    CAPTURE(given);
    CHECK(to_text(*parse_interval(text)) == printed);
    CHECK(equal_intervals({text}, {to_text(*parse_interval(text))}));
  }
}

TEST_CASE("intervals are equal where PostgreSQL says so") {
  for (const auto& [a, b] : {std::pair("720 days", "2 years"),
                             {"1 month", "30 days"},
                             {"1 day", "24 hours"},
                             {"1 day -1 hours", "23:00"},
                             {"7 days", "P1W"},
                             {"-1 hours", "-1 day 23:00"}}) {
    const std::string pair = std::string(a) + " = " + b;
    CHECK_MESSAGE(equal_intervals({a}, {b}), pair);
  }
  for (const auto& [a, b] :
       {std::pair("1 year", "365 days"), {"7 days", "8 days"}, {"7 days", ""}, {"x", "y"}}) {
    const std::string pair = std::string(a) + " <> " + b;
    CHECK_FALSE_MESSAGE(equal_intervals({a}, {b}), pair);
  }
  CHECK(Span{"604800000000", true} == Span{"7 days"});
  CHECK(Span{"1000", true} == Span{"1000", true});
  CHECK_FALSE(Span{"1000", true} == Span{"1000"});
  CHECK(compare_intervals({"2 years"}, {"90 days"}) > 0);
  CHECK(compare_intervals({"5", true}, {"50", true}) < 0);
}

TEST_CASE("a moment is the same in every time zone") {
  CHECK(parse_instant("1970-01-02T00:00:00Z") == 86'400'000'000);
  CHECK(parse_instant("2099-01-01 02:00:00.25+02") == parse_instant("2099-01-01T00:00:00.25Z"));
  CHECK(parse_instant("2024-02-29 12:00 -03:30") == parse_instant("2024-02-29 15:30+0000"));
  for (const char* text : {"2099-01-01", "2099-01-01 00:00", "2099-13-01 00:00Z", "now", "infinity", "",
                           "2099-01-01 00:00Z'; --"})
    CHECK_FALSE_MESSAGE(parse_instant(text), text);
}

TEST_CASE("a column of an order is read and written the same") {
  for (const auto& [text, written] : {std::pair("timestamp DESC", "timestamp DESC"),
                                      {"a asc", "a"},
                                      {"Value desc nulls first", "Value DESC"},
                                      {"a NULLS LAST", "a"},
                                      {"a NULLS FIRST", "a NULLS FIRST"},
                                      {"\"a \"\"b\" DESC NULLS LAST", "\"a \"\"b\" DESC NULLS LAST"},
                                      {"\"plain\"", "plain"}}) {
    const std::string given = text;
    CAPTURE(given);
    const auto order = parse_order_column(text);
    REQUIRE(order);
    CHECK(to_text(*order) == written);
    CHECK(parse_order_column(to_text(*order)) == order);
  }
  for (const char* text : {"", "a b", "a DESC DESC", "a NULLS", "a, b", "lower(a)", "\"a", "\"\"", "a'; --"})
    CHECK_FALSE_MESSAGE(parse_order_column(text), text);
}

}  // namespace kdb::interval_test
