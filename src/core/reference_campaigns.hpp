#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/random_draws.hpp"
#include "core/reference_ids.hpp"

namespace kdb {

/// A campaign as its row and the events that follow from it know it. Nothing of it depends on the seed.
struct ReferenceCampaign {
  std::string id;
  std::string name;
  std::string_view subject;
  std::string_view channel;
  std::string_view status;
  std::int64_t created = 0;  // seconds since 1970 UTC
  std::int64_t sent = 0;     // when it is, or was to be
  bool was_sent = false;
};

/// All of them, by ordinal, which is the order in which they are sent.
const std::vector<ReferenceCampaign>& reference_campaigns();

/// The ordinal of the campaign that something at this time follows from: mostly of the last one that was
/// sent, seldom of the twentieth before it, never of one that was not.
std::int64_t draw_campaign(std::int64_t time, Draws& draws);

}  // namespace kdb
