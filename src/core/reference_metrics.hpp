#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/random_draws.hpp"
#include "core/reference_ids.hpp"

namespace kdb {

/// What the payload of an event looks like.
enum class ReferencePayload { message, site, order, list };

struct ReferenceMetric {
  std::string_view name;
  std::string_view integration;  // empty: it came in over the API alone
  std::string_view category;
  ReferencePayload payload = ReferencePayload::message;
  int share = 0;  // of ten thousand events
};

// Their ordinals, for queries.
inline constexpr int received_email = 0;
inline constexpr int opened_email = 1;
inline constexpr int placed_order = 2;

/// By ordinal. The first three are 27, 18 and 9 % of all events, the share of the others falls with their
/// ordinal (Zipf). Those with the payload of an order have a value.
const std::array<ReferenceMetric, reference_metric_count>& reference_metrics();

/// Draws ordinals of metrics by their shares.
class MetricDraws {
 public:
  MetricDraws();
  int draw(Draws& draws) const { return slots_[draws.below(slots_.size())]; }

 private:
  std::vector<std::uint8_t> slots_;
};

}  // namespace kdb
