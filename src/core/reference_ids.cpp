#include "core/reference_ids.hpp"

#include <algorithm>
#include <string_view>

#include "core/random_draws.hpp"

namespace kdb {

namespace {

constexpr std::string_view base_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// Of each kind, so that the fifth profile has nothing of the fifth campaign.
constexpr std::uint64_t profile_salt = 0x70726f66'00000000U;
constexpr std::uint64_t campaign_salt = 0x63616d70'00000000U;
constexpr std::uint64_t event_salt = 0x65766e74'00000000U;

/// Campaigns are sent this far apart, each at some time of its own in it. Ten of them come before the events:
/// also the first of these follow several.
constexpr std::int64_t campaign_interval = std::int64_t{reference_days} * 86'400 / 380;
constexpr std::int64_t campaigns_before = 10;

std::uint64_t salted(std::uint64_t salt, std::int64_t ordinal) {
  return scramble(salt ^ static_cast<std::uint64_t>(ordinal));
}

void append_base_62(std::string& text, std::uint64_t number, size_t digits) {
  text.append(digits, '0');
  for (size_t at = text.size(); digits-- > 0; number /= 62) text[--at] = base_62[number % 62];
}

void append_crockford(std::string& text, std::uint64_t number, size_t digits) {
  text.append(digits, '0');
  for (size_t at = text.size(); digits-- > 0; number >>= 5U) text[--at] = crockford[number & 31U];
}

/// 48 bits of milliseconds, 80 of chance. -- https://github.com/ulid/spec
void append_ulid(std::string& text, std::int64_t created, std::uint64_t salt, std::int64_t ordinal) {
  const std::uint64_t chance = salted(salt, ordinal);  // no two alike: it is a bijection
  const std::uint64_t more = scramble(~chance);
  append_crockford(text, static_cast<std::uint64_t>(created) * 1000 + more % 1000, 10);
  append_crockford(text, ((more >> 48U) << 24U) | (chance >> 40U), 8);
  append_crockford(text, chance & ((std::uint64_t{1} << 40U) - 1), 8);
}

}  // namespace

std::string metric_id(std::int64_t ordinal) {
  // A factor that has no divisor in common with 62^6 makes another number below it of each; this one is its
  // golden section, which keeps neighbours apart.
  constexpr std::uint64_t all = 62ULL * 62 * 62 * 62 * 62 * 62;
  constexpr std::uint64_t factor = 35'103'753'817;
  static_assert(factor % 2 != 0 && factor % 31 != 0);
  std::uint64_t number = 0;  // step by step: the product may need more than 64 bits
  std::uint64_t term = factor;
  for (auto rest = static_cast<std::uint64_t>(ordinal) + 1; rest > 0; rest >>= 1U) {
    if ((rest & 1U) != 0) number = (number + term) % all;
    term = term * 2 % all;
  }
  std::string id;
  append_base_62(id, number, 6);
  return id;
}

std::string campaign_id(std::int64_t ordinal) {
  std::string id;
  append_ulid(id, campaign_created(ordinal), campaign_salt, ordinal);
  return id;
}

void append_profile_id(std::string& text, std::int64_t rank) {
  append_ulid(text, profile_created(rank), profile_salt, rank);
}

std::string profile_id(std::int64_t rank) {
  std::string id;
  append_profile_id(id, rank);
  return id;
}

void append_event_id(std::string& text, std::int64_t ordinal) {
  append_base_62(text, salted(event_salt, ordinal), 11);  // 2^64 is less than 62^11
}

std::string event_id(std::int64_t ordinal) {
  std::string id;
  append_event_id(id, ordinal);
  return id;
}

std::int64_t profile_created(std::int64_t rank) {
  constexpr std::int64_t span = 3LL * 365 * 86'400;
  const std::uint64_t chance = scramble(salted(profile_salt, rank));
  // Events come late by two days at most.
  return reference_start() - 3LL * 86'400 - static_cast<std::int64_t>(chance % span);
}

std::int64_t campaign_sent(std::int64_t ordinal) {
  const std::uint64_t chance = scramble(salted(campaign_salt, ordinal));
  return reference_start() + (ordinal - campaigns_before) * campaign_interval +
         static_cast<std::int64_t>(chance % campaign_interval);
}

std::int64_t campaign_created(std::int64_t ordinal) {
  const std::uint64_t chance = scramble(~salted(campaign_salt, ordinal));
  // The last ones are planned already: all are made before the anchor.
  return std::min(campaign_sent(ordinal), reference_anchor() - 86'400) - 3'600 -
         static_cast<std::int64_t>(chance % (14 * 86'400));
}

std::int64_t last_campaign_sent(std::int64_t time) {
  std::int64_t last =
      std::max<std::int64_t>(time - reference_start(), -campaigns_before * campaign_interval) /
      campaign_interval;
  last = std::clamp<std::int64_t>(last + campaigns_before, 0, reference_campaign_count - 1);
  while (last > 0 && campaign_sent(last) > time) --last;
  return last;
}

}  // namespace kdb
