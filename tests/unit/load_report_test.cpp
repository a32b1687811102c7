#include "core/load_report.hpp"

#include <doctest/doctest.h>

#include "render/formats.hpp"
#include "support/json.hpp"
#include "support/text.hpp"

namespace kdb::load_report_test {

namespace {

LoadResult result_of(double rate, int ms, std::uint64_t timeouts = 0) {
  LoadResult result{
      .offered_per_second = rate, .time = std::chrono::seconds(10), .counts = {}, .latency = Histogram()};
  result.counts.done = static_cast<std::uint64_t>(rate * 10) - timeouts;
  result.counts.timeouts = timeouts;
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

TEST_CASE("a kdb that is busy itself says so") {
  LoadResult busy = result_of(50, 4);
  CHECK(report_load({busy}, {}, {}, Arrivals::fixed).warnings.empty());
  busy.client_cpu = 0.9;
  const Report report = report_load({busy}, {}, {}, Arrivals::fixed);
  REQUIRE(report.warnings.size() == 1);
  CHECK(test::has(report.warnings[0].message, "at 50/s kdb itself took 90 % of the processors"));
}

}  // namespace kdb::load_report_test
