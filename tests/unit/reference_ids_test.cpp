// The ids of the reference data: the same for ever, for declared queries name rows by them.

#include "core/reference_ids.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "support/cases.hpp"

namespace kdb::reference_ids_test {

namespace {

template <class Id>
void check_ids(const Id& id, std::int64_t count, size_t length, std::string_view alphabet) {
  std::vector<std::string> ids;
  for (std::int64_t ordinal = 0; ordinal < count; ++ordinal) ids.push_back(id(ordinal));
  const bool wrong = std::any_of(ids.begin(), ids.end(), [&](const std::string& one) {
    return one.size() != length || one.find_first_not_of(alphabet) != std::string::npos;
  });
  CHECK_FALSE(wrong);
  std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  CHECK_MESSAGE(twice == ids.end(), *twice);
}

constexpr std::string_view base_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

}  // namespace

TEST_CASE("ids are what they have always been") {
  CHECK(metric_id(0) == "cJflxh");
  CHECK(metric_id(2) == "qx1Jt5");
  CHECK(campaign_id(0) == "01HHMA52DCBZBB37V9607PHTDP");
  CHECK(campaign_id(399) == "01KDKYXYQZE1G5ES2SA1VM5ZM2");
  CHECK(profile_id(0) == "01FTY3TQ89S5EN5SA7CTFBN58V");
  CHECK(profile_id(1'000) == "01GQE9XV5K75KMCBFX1CZAZG34");
  CHECK(event_id(0) == "6TUJCIGCF3s");
  CHECK(event_id(4'999'999) == "AQyFul5CBKU");
}

TEST_CASE("no two ids of a kind are alike, and each has its form") {
  const int many = 1'000 * test::cases();
  check_ids(metric_id, many, 6, base_62);
  check_ids(campaign_id, 400, 26, crockford);
  check_ids(profile_id, many, 26, crockford);
  check_ids(event_id, many, 11, base_62);
}

TEST_CASE("events' ids have no order in them") {
  int rising = 0;
  for (std::int64_t ordinal = 0; ordinal < 1'000; ++ordinal)
    rising += event_id(ordinal) < event_id(ordinal + 1) ? 1 : 0;
  CHECK(rising > 400);
  CHECK(rising < 600);
}

TEST_CASE("campaigns are sent one after the other, each after it was made") {
  for (std::int64_t ordinal = 0; ordinal < reference_campaign_count; ++ordinal) {
    CAPTURE(ordinal);
    CHECK(campaign_created(ordinal) < campaign_sent(ordinal));
    CHECK(campaign_created(ordinal) < reference_anchor());
    if (ordinal > 0) CHECK(campaign_sent(ordinal - 1) <= campaign_sent(ordinal));
    CHECK(last_campaign_sent(campaign_sent(ordinal)) >= ordinal);
    CHECK(last_campaign_sent(campaign_sent(ordinal) - 1) == std::max<std::int64_t>(ordinal - 1, 0));
  }
  CHECK(campaign_sent(9) < reference_start());
}

}  // namespace kdb::reference_ids_test
