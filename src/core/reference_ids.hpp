#pragma once

#include <cstdint>
#include <string>

namespace kdb {

/// Where the reference data ends: 2026-01-01 00:00:00+00, in seconds since 1970 UTC.
constexpr std::int64_t reference_anchor() { return 1'767'225'600; }
/// How far back it goes.
inline constexpr int reference_days = 730;
constexpr std::int64_t reference_start() {
  return reference_anchor() - std::int64_t{reference_days} * 86'400;
}

inline constexpr int reference_metric_count = 30;
inline constexpr int reference_campaign_count = 400;

// The ids of the reference data depend on kind and ordinal alone, neither on the seed nor on how much of it
// there is: a declared query may name a row by a literal. Ordinals begin at 0, and no two of a kind have one
// id.

/// 6 characters of base 62; `ordinal` is below 62^6.
std::string metric_id(std::int64_t ordinal);
/// A ULID, 26 characters of Crockford's base 32, of the second in which the campaign was made.
std::string campaign_id(std::int64_t ordinal);
/// A ULID of the second in which the profile was made. The lower the rank, the more events it has.
std::string profile_id(std::int64_t rank);
/// 11 characters of base 62, without any order in them.
std::string event_id(std::int64_t ordinal);

/// The same behind what is in `text` already.
void append_profile_id(std::string& text, std::int64_t rank);
void append_event_id(std::string& text, std::int64_t ordinal);

/// Seconds since 1970 UTC, all before reference_start(): no profile is younger than its events.
std::int64_t profile_created(std::int64_t rank);
/// When a campaign is sent: about two days after the one before, the first ones before reference_start(), the
/// last ones after reference_anchor().
std::int64_t campaign_sent(std::int64_t ordinal);
std::int64_t campaign_created(std::int64_t ordinal);
/// The last campaign that is sent by this time, as campaign_sent() says; from 0 on, and below
/// reference_campaign_count.
std::int64_t last_campaign_sent(std::int64_t time);

}  // namespace kdb
