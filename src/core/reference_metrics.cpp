#include "core/reference_metrics.hpp"

namespace kdb {

const std::array<ReferenceMetric, reference_metric_count>& reference_metrics() {
  using enum ReferencePayload;
  static constexpr std::array<ReferenceMetric, reference_metric_count> rows = {{
      {"Received Email", "Klaviyo", "Internal", message, 2700},
      {"Opened Email", "Klaviyo", "Internal", message, 1800},
      {"Placed Order", "Shopify", "eCommerce", order, 900},
      {"Clicked Email", "Klaviyo", "Internal", message, 532},
      {"Viewed Product", "API", "API", site, 426},
      {"Ordered Product", "Shopify", "eCommerce", order, 355},
      {"Active on Site", "API", "API", site, 304},
      {"Added to Cart", "API", "API", order, 266},
      {"Checkout Started", "Shopify", "eCommerce", order, 236},
      {"Fulfilled Order", "Shopify", "eCommerce", order, 213},
      {"Confirmed Shipment", "Shopify", "eCommerce", order, 193},
      {"Bounced Email", "Klaviyo", "Internal", message, 177},
      {"Subscribed to List", "Klaviyo", "Internal", list, 164},
      {"Refunded Order", "Shopify", "eCommerce", order, 152},
      {"Received SMS", "Klaviyo", "Internal", message, 142},
      {"Placed Order", "", "", order, 133},
      {"Clicked SMS", "Klaviyo", "Internal", message, 125},
      {"Cancelled Order", "Shopify", "eCommerce", order, 118},
      {"Unsubscribed from Email", "Klaviyo", "Internal", message, 112},
      {"Viewed Collection", "API", "API", site, 106},
      {"Renewed Subscription", "", "", order, 101},
      {"Paid Invoice", "", "", order, 97},
      {"Bought Gift Card", "", "", order, 93},
      {"Marked Email as Spam", "Klaviyo", "Internal", message, 89},
      {"Redeemed Points", "", "", order, 85},
      {"Donated", "", "", order, 82},
      {"Booked Appointment", "", "", order, 79},
      {"Consented to Receive SMS", "Klaviyo", "Internal", list, 76},
      {"Bought in Store", "", "", order, 73},
      {"Submitted Review", "", "", site, 71},
  }};
  return rows;
}

MetricDraws::MetricDraws() {
  std::uint8_t ordinal = 0;
  for (const ReferenceMetric& metric : reference_metrics())
    slots_.insert(slots_.end(), static_cast<size_t>(metric.share), ordinal++);
}

}  // namespace kdb
