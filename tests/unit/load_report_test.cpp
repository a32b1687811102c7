#include "core/load_report.hpp"

#include <doctest/doctest.h>

#include "render/formats.hpp"
#include "support/json.hpp"
#include "support/text.hpp"

namespace kdb::load_report_test {

namespace {

LoadResult result_of(double rate, int ms, std::uint64_t timeouts = 0) {
  LoadResult result{.offered_per_second = rate,
                    .time = std::chrono::seconds(10),
                    .drain = std::chrono::seconds(1),
                    .counts = {},
                    .latency = Histogram()};
  result.counts.done = static_cast<std::uint64_t>(rate * 10) - timeouts;
  result.counts.timeouts = timeouts;
  result.done_in_time = result.counts.done;
  result.latency.record_n(std::chrono::milliseconds(ms), static_cast<std::uint64_t>(rate * 10));
  return result;
}

}  // namespace

TEST_CASE("one rate is told in a sentence, several by where they break") {
  const Report one = report_load({result_of(50, 4)}, {}, {}, Arrivals::poisson);
  CHECK(one.summary == "500 of 500 requests done, 50/s of 50/s offered; p99 4.00 ms, 0 errors, 0 timeouts");
  const Report several =
      report_load({result_of(50, 4), result_of(100, 5), result_of(200, 900, 700)}, {}, {}, Arrivals::poisson);
  CHECK(several.summary.starts_with("100/s are borne; it breaks at 200 requests per second"));
  CHECK(test::json_at(render::render_json(several, {}), "/steps/2/timeouts") == "700");
}

TEST_CASE("what ends after the last request was due breaks no rate, and is part of none") {
  LoadResult few = result_of(2, 1'000);
  few.done_in_time -= 2;
  const Report report = report_load({few, result_of(4, 1'000)}, {}, {}, Arrivals::fixed);
  CHECK(report.summary == "4/s are borne; the knee is further up");
  const std::string json = render::render_json(report, {});
  CHECK(test::json_at(json, "/steps/0/achieved_per_second") == "1.8");
  CHECK(test::json_at(json, "/steps/0/done") == "20");
  CHECK(test::json_at(json, "/steps/0/milliseconds") == "10000");
  CHECK(test::json_at(json, "/steps/0/drain_milliseconds") == "1000");
}

TEST_CASE("a rate at which many requests wait in the end is not borne") {
  LoadResult behind = result_of(200, 5);
  behind.waiting = 400;
  CHECK(report_load({result_of(50, 4), behind}, {}, {}, Arrivals::fixed).summary ==
        "50/s are borne; it breaks at 200 requests per second: 400 of 2000 requests waited at the end");
}

TEST_CASE("a kdb that is busy itself says so") {
  LoadResult busy = result_of(50, 4);
  CHECK(report_load({busy}, {}, {}, Arrivals::fixed).warnings.empty());
  busy.client_cpu = 0.9;
  const Report report = report_load({busy}, {}, {}, Arrivals::fixed);
  REQUIRE(report.warnings.size() == 1);
  CHECK(test::has(report.warnings[0].message, "at 50/s kdb itself took 90 % of the processors"));
}

}  // namespace kdb::load_report_test
