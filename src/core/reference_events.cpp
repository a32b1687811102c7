#include <array>
#include <memory>

#include "core/copy_text.hpp"
#include "core/random_draws.hpp"
#include "core/reference_arrival.hpp"
#include "core/reference_metrics.hpp"
#include "core/reference_payload.hpp"
#include "core/reference_rows.hpp"

namespace kdb {

namespace {

// In a million.
constexpr std::uint64_t late_by_days = 5'000;
constexpr std::uint64_t late_by_minutes = 95'000;
constexpr std::uint64_t value_as_string = 55'000;  // leaves 30.0 % of the events a number

/// Amounts in hundredths whose logarithm is normal: a median of 45.00 and a standard deviation of 0.9. The
/// sum of eight bytes is as good as normal, with a mean of 1020 and a standard deviation of 209.02, and each
/// step of it multiplies by exp(0.9 / 209.02): 1 + 72,394 / 2^24. In 44.20 fixed point.
class Amounts {
 public:
  Amounts() {
    std::uint64_t amount =
        (std::uint64_t{5'570} << 20U) / 100;  // 4500 * exp(-0.9 / 209.02 * 1020) hundredths
    for (std::uint64_t& step : steps_) {
      step = amount;
      amount += (amount * 72'394) >> 24U;
    }
  }

  std::int64_t draw(Draws& draws) const {
    size_t sum = 0;
    for (std::uint64_t bytes = draws.bits(); bytes > 0; bytes >>= 8U) sum += bytes & 255U;
    const std::uint64_t between = ((steps_[sum + 1] - steps_[sum]) * draws.below(1'024)) >> 10U;
    return static_cast<std::int64_t>((steps_[sum] + between) >> 20U);
  }

 private:
  std::array<std::uint64_t, 8 * 255 + 2> steps_{};
};

/// The rank of a profile, by a power law: the cube of an even draw. The first of 200,000 has 1.7 % of the
/// events, half of them belong to an eighth of the profiles.
std::int64_t draw_rank(std::int64_t profiles, Draws& draws) {
  const std::uint64_t even = draws.bits() >> 32U;
  const std::uint64_t cube = (((even * even) >> 32U) * even) >> 32U;
  return static_cast<std::int64_t>((cube * static_cast<std::uint64_t>(profiles)) >> 32U);
}

/// How long before it arrived something has happened: a browser that was offline, a shop that hands in the
/// orders of a day.
std::int64_t draw_lateness(Draws& draws) {
  const std::uint64_t chance = draws.below(1'000'000);
  if (chance < late_by_days) return 3'600 + 1 + static_cast<std::int64_t>(draws.below(47 * 3'600));
  if (chance < late_by_days + late_by_minutes) return 1 + static_cast<std::int64_t>(draws.below(3'600));
  return 0;
}

class EventWriter {
 public:
  explicit EventWriter(const ReferenceData& data)
      : data_(data),
        profiles_(data.rows(ReferenceTable::profiles)),
        draws_(data.seed, 4 + static_cast<std::uint64_t>(data.first_event)),
        arrivals_(data.start, data.days, data.events) {
    for (int ordinal = 0; ordinal < reference_metric_count; ++ordinal)
      metric_ids_.push_back(metric_id(ordinal));
  }

  void write(std::string& text, std::int64_t number) {
    const std::int64_t arrival = arrivals_.at(number, draws_);
    const int metric = metrics_.draw(draws_);
    ReferenceEvent event{.ordinal = data_.first_event + number,
                         .time = arrival - draw_lateness(draws_),
                         .metric = &reference_metrics()[static_cast<size_t>(metric)]};
    append_event_id(text, event.ordinal);
    text += '\t';
    text += metric_ids_[static_cast<size_t>(metric)];
    text += '\t';
    append_profile_id(text, draw_rank(profiles_, draws_));
    text += '\t';
    append_timestamp(text, event.time);
    text += '\t';
    append_value(text, event);
    text += '\t';
    append_payload(text, event, draws_);
    text += '\t';
    // What arrived in a minute is read at its end, in one go.
    append_timestamp(text, (arrival / 60 + 1) * 60);
    text += '\n';
  }

 private:
  void append_value(std::string& text, ReferenceEvent& event) {
    if (event.metric->payload == ReferencePayload::order) {
      event.cents = amounts_.draw(draws_);
      event.value_is_string = draws_.chance(value_as_string);
      if (!event.value_is_string) return append_hundredths(text, event.cents);
    }
    text += copy_null;
  }

  ReferenceData data_;
  std::int64_t profiles_;
  Draws draws_;
  ReferenceArrivals arrivals_;
  MetricDraws metrics_;
  Amounts amounts_;
  std::vector<std::string> metric_ids_;
};

}  // namespace

RowWriter event_rows(const ReferenceData& data) {
  return [writer = std::make_shared<EventWriter>(data)](std::string& text, std::int64_t number) {
    writer->write(text, number);
  };
}

}  // namespace kdb
