#include "core/reference_campaigns.hpp"

#include <fmt/format.h>

namespace kdb {

namespace {

constexpr std::string_view occasions[] = {
    "Newsletter",    "Flash Sale",   "New Arrivals",  "Back in Stock",   "Members Only", "Spring Sale",
    "Summer Sale",   "Autumn Picks", "Winter Warmer", "Thank You",       "Last Chance",  "Best Sellers",
    "Free Shipping", "Early Access", "Gift Guide",    "Restock Reminder"};
constexpr std::string_view subjects[] = {"Your weekend starts here", "New in: the colours of the season",
                                         "20 % off, today only",     "You left something behind",
                                         "We picked these for you",  "Last chance: it ends tonight"};

/// The last ones are not through yet at the anchor, and some never go out.
std::string_view status_of(std::int64_t ordinal, std::int64_t sent) {
  constexpr std::int64_t drafts_from = reference_campaign_count - 4;
  if (ordinal >= drafts_from) return "Draft";
  if (sent >= reference_anchor()) return "Scheduled";
  if (sent >= reference_anchor() - 2 * 86'400) return "Sending";
  return ordinal % 40 == 17 ? "Cancelled" : "Sent";
}

ReferenceCampaign make_campaign(std::int64_t ordinal) {
  ReferenceCampaign made;
  made.id = campaign_id(ordinal);
  made.created = campaign_created(ordinal);
  made.sent = campaign_sent(ordinal);
  const std::uint64_t chance = scramble(static_cast<std::uint64_t>(ordinal));
  made.name = fmt::format("{} {}", occasions[chance % std::size(occasions)], ordinal + 1);
  made.subject = subjects[(chance >> 8U) % std::size(subjects)];
  made.channel = ordinal % 10 == 6 ? "sms" : (ordinal % 25 == 11 ? "mobile_push" : "email");
  made.status = status_of(ordinal, made.sent);
  made.was_sent = made.status == "Sent" || made.status == "Sending";
  return made;
}

}  // namespace

const std::vector<ReferenceCampaign>& reference_campaigns() {
  static const std::vector<ReferenceCampaign> campaigns = [] {
    std::vector<ReferenceCampaign> made;
    for (std::int64_t ordinal = 0; ordinal < reference_campaign_count; ++ordinal)
      made.push_back(make_campaign(ordinal));
    return made;
  }();
  return campaigns;
}

std::int64_t draw_campaign(std::int64_t time, Draws& draws) {
  const std::vector<ReferenceCampaign>& campaigns = reference_campaigns();
  const std::int64_t last = last_campaign_sent(time);
  // Of what is left, a quarter to all follows from each: how many get a campaign is its ordinal's.
  std::uint64_t chance = draws.bits();
  std::int64_t ordinal = last;
  for (int steps = 0; ordinal > 0 && steps < 20; ++steps, --ordinal) {
    if (!campaigns[static_cast<size_t>(ordinal)].was_sent) continue;
    const std::uint64_t audience = 1 + scramble(static_cast<std::uint64_t>(ordinal)) % 4;
    if ((chance & 7U) < 2 * audience) break;
    chance >>= 3U;
  }
  while (!campaigns[static_cast<size_t>(ordinal)].was_sent) --ordinal;
  return ordinal;
}

}  // namespace kdb
