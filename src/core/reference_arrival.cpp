#include "core/reference_arrival.hpp"

#include <algorithm>

#include "core/reference_ids.hpp"

namespace kdb {

namespace {

/// Hour by hour (UTC), in hundredths of the mean: shops whose customers sleep.
constexpr int wave_of_day[] = {48,  36,  28,  24,  26,  38,  62,  90,  116, 132, 140, 138,
                               134, 128, 124, 126, 132, 144, 158, 170, 166, 142, 106, 72};
/// From Monday to Sunday, in tenths.
constexpr int wave_of_week[] = {10, 10, 11, 11, 10, 9, 9};

constexpr std::int64_t seconds_of_hour = 3'600;

/// Two and a half times as many at the end of two years.
std::uint64_t weight_of(std::int64_t hour_since_start, std::int64_t hour_since_1970) {
  const auto growth = static_cast<std::uint64_t>(std::max<std::int64_t>(1'000 + hour_since_start / 12, 1));
  const std::int64_t weekday = (hour_since_1970 / 24 + 3) % 7;  // 1970 began on a Thursday
  return growth * static_cast<std::uint64_t>(wave_of_day[hour_since_1970 % 24]) *
         static_cast<std::uint64_t>(wave_of_week[weekday]) / 100;
}

}  // namespace

ReferenceArrivals::ReferenceArrivals(std::int64_t start, int days, std::int64_t events)
    : start_(start), events_(static_cast<std::uint64_t>(events)) {
  const std::int64_t hours = std::int64_t{days} * 24;
  passed_.reserve(static_cast<size_t>(hours) + 1);
  passed_.push_back(0);
  for (std::int64_t hour = 0; hour < hours; ++hour) {
    const std::int64_t since_1970 = start / seconds_of_hour + hour;
    passed_.push_back(passed_.back() +
                      weight_of((start - reference_start()) / seconds_of_hour + hour, since_1970));
  }
}

/// The weight of all hours is shared out evenly, to each event somewhere in its own part. Two years weigh
/// less than 2^29, and events are counted in 31 bits: nothing below needs more than 63.
std::int64_t ReferenceArrivals::at(std::int64_t number, Draws& draws) {
  const std::uint64_t all = passed_.back();
  const std::uint64_t parts = static_cast<std::uint64_t>(number) * all + draws.below(all);
  const std::uint64_t place = parts / events_;
  const std::uint64_t fraction = ((parts % events_) << 16U) / events_;
  if (place < passed_[hour_]) hour_ = 0;  // asked for an earlier one
  while (place >= passed_[hour_ + 1]) ++hour_;
  const std::uint64_t inside = ((place - passed_[hour_]) << 16U) + fraction;
  const std::uint64_t second = (inside * seconds_of_hour / (passed_[hour_ + 1] - passed_[hour_])) >> 16U;
  return start_ + static_cast<std::int64_t>(hour_) * seconds_of_hour + static_cast<std::int64_t>(second);
}

}  // namespace kdb
