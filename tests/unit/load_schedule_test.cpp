#include "core/load_schedule.hpp"

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/cases.hpp"

namespace kdb::load_schedule_test {

namespace {

using std::chrono::nanoseconds;

LoadStep borne(double per_second, double p99_ms = 2) {
  return {.offered_per_second = per_second, .p99_ms = p99_ms, .requests = 10'000, .waiting = 40};
}

}  // namespace

TEST_CASE("fixed arrivals are evenly spaced and do not drift") {
  LoadSchedule schedule(Arrivals::fixed, 3000, 1);
  for (int i = 0; i <= 30'000; ++i) {
    const nanoseconds start = schedule.next();
    if (i == 0) CHECK(start.count() == 0);
    if (i == 1) CHECK(start.count() == 333'333);
    if (i == 30'000) CHECK(start == std::chrono::seconds(10));
  }
}

TEST_CASE("Poisson arrivals have the rate, exponential gaps, and are the same for a seed") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  LoadSchedule schedule(Arrivals::poisson, 500, seed);
  LoadSchedule again(Arrivals::poisson, 500, seed);
  constexpr int count = 40'000;
  nanoseconds before{0};
  double squares = 0;
  int long_gaps = 0;
  for (int i = 0; i < count; ++i) {
    const nanoseconds start = schedule.next();
    REQUIRE(start >= before);
    REQUIRE(start == again.next());
    const double gap = static_cast<double>((start - before).count()) / 2e6;  // in mean gaps
    squares += gap * gap;
    long_gaps += gap > 1 ? 1 : 0;
    before = start;
  }
  // Standard errors: 0.5 %, 2.2 % and 0.7 % of these.
  CHECK(static_cast<double>(before.count()) / 2e6 == doctest::Approx(count).epsilon(0.03));
  CHECK(squares / count == doctest::Approx(2).epsilon(0.12));
  CHECK(static_cast<double>(long_gaps) / count == doctest::Approx(std::exp(-1)).epsilon(0.04));
}

TEST_CASE("without a rate nothing ever starts") {
  for (const double rate : {0.0, -1.0, std::nan("")}) {
    CHECK(LoadSchedule(Arrivals::fixed, rate, 1).next() == nanoseconds::max());
    CHECK(LoadSchedule(Arrivals::poisson, rate, 1).next() == nanoseconds::max());
  }
}

TEST_CASE("the knee is where no greater load is borne, with its reason") {
  const LoadStep failing{800, 2, 10'000, 11};
  const LoadStep behind{800, 2, 10'000, 0, 600};
  const LoadStep chance{400, 2, 10'000, 0, 490};  // less than a twentieth
  const LoadStep few{100, 2, 10, 0, 6};           // of ten, chance makes six
  struct Row {
    const char* name;
    std::vector<LoadStep> steps;
    KneeRules rules;
    std::optional<double> holds;
    std::optional<double> breaks;
    const char* reason;
  };
  const Row rows[] = {
      {"none", {}, {}, {}, {}, "no load was tried"},
      {"all",
       {borne(100), borne(200)},
       {},
       200,
       {},
       "200 requests per second were borne, the largest load tried"},
      {"errors",
       {borne(400), failing},
       {},
       400,
       800,
       "breaks at 800 requests per second: 11 of 10000 requests failed"},
      {"chance", {few, chance}, {}, 400, {}, "400 requests per second were borne, the largest load tried"},
      {"behind",
       {borne(400), behind},
       {},
       400,
       800,
       "breaks at 800 requests per second: 600 of 10000 requests waited at the end"},
      {"slow",
       {borne(400), borne(800, 11)},
       {},
       400,
       800,
       "breaks at 800 requests per second: p99 was 11 ms, with the smallest load 2 ms"},
      {"a bound",
       {borne(400), borne(800, 3)},
       {.most_p99_ms = 2.5},
       400,
       800,
       "breaks at 800 requests per second: p99 was 3 ms, 2.5 ms are allowed"},
      {"a bound instead of growth",
       {borne(400), borne(800, 11)},
       {.most_p99_ms = 20},
       800,
       {},
       "800 requests per second were borne, the largest load tried"},
      {"a disturbance",
       {borne(100), borne(200, 50), borne(400), failing},
       {},
       400,
       800,
       "breaks at 800 requests per second: 11 of 10000 requests failed"},
      {"any order",
       {failing, borne(600, 3), borne(100)},
       {},
       600,
       800,
       "breaks at 800 requests per second: 11 of 10000 requests failed"},
      {"the first", {failing}, {}, {}, 800, "breaks at 800 requests per second: 11 of 10000 requests failed"},
      {"the reason is that of the smallest",
       {borne(100), behind, borne(1600, 90)},
       {},
       100,
       800,
       "breaks at 800 requests per second: 600 of 10000 requests waited at the end"},
      {"nothing asked",
       {LoadStep{100}},
       {},
       {},
       100,
       "breaks at 100 requests per second: no request was made"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Knee found = find_knee(row.steps, row.rules);
    CHECK(found.holds_per_second == row.holds);
    CHECK(found.breaks_per_second == row.breaks);
    CHECK(found.reason == row.reason);
  }
}

}  // namespace kdb::load_schedule_test
