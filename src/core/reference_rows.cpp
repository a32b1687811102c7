#include "core/reference_rows.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/copy_text.hpp"
#include "core/random_draws.hpp"
#include "core/reference_campaigns.hpp"
#include "core/reference_metrics.hpp"

namespace kdb {

namespace {

constexpr std::string_view first_names[] = {"Anna", "Ben",  "Clara", "David", "Emma",  "Finn",  "Greta",
                                            "Hugo", "Ida",  "Jonas", "Karla", "Liam",  "Mia",   "Noah",
                                            "Olga", "Paul", "Rosa",  "Sam",   "Tilda", "Victor"};
constexpr std::string_view last_names[] = {"Becker", "Brown",  "Dubois", "Fischer", "Garcia", "Hansen",
                                           "Ivanov", "Jensen", "Keller", "Larsen",  "Meyer",  "Novak",
                                           "Olsen",  "Peters", "Rossi",  "Schmidt", "Taylor", "Weber"};

struct Place {
  std::string_view locale;
  std::string_view prefix;  // of telephone numbers
  std::string_view location;
};
constexpr Place places[] = {
    {"de-DE", "+4915",
     R"({"city": "Hamburg", "country": "Germany", "region": "HH", "timezone": "Europe/Berlin"})"},
    {"en-US", "+1415",
     R"({"city": "San Francisco", "country": "United States", "region": "CA", "timezone": "America/Los_Angeles"})"},
    {"en-GB", "+4478",
     R"({"city": "Leeds", "country": "United Kingdom", "region": "England", "timezone": "Europe/London"})"},
    {"fr-FR", "+3361",
     R"({"city": "Lyon", "country": "France", "region": "ARA", "timezone": "Europe/Paris"})"},
    {"en-US", "+1212",
     R"({"city": "New York", "country": "United States", "region": "NY", "timezone": "America/New_York"})"},
};

/// All columns but the last one; nothing is NULL.
void append_column(std::string& text, std::string_view value) {
  append_copy_value(text, value);
  text += '\t';
}

void append_time_column(std::string& text, std::int64_t seconds) {
  append_timestamp(text, seconds);
  text += '\t';
}

void append_null_column(std::string& text) {
  text += copy_null;
  text += '\t';
}

void append_optional_column(std::string& text, bool there, std::string_view value) {
  if (there)
    append_column(text, value);
  else
    append_null_column(text);
}

/// Rows that are read again and again: last at the anchor.
void append_last_sync(std::string& text) {
  append_timestamp(text, reference_anchor());
  text += '\n';
}

}  // namespace

RowWriter metric_rows(const ReferenceData& data) {
  return [draws = Draws(data.seed, 1)](std::string& text, std::int64_t ordinal) mutable {
    const ReferenceMetric& metric = reference_metrics().at(static_cast<size_t>(ordinal));
    const std::int64_t created =
        reference_start() - 86'400 * (30 + static_cast<std::int64_t>(draws.below(700)));
    append_column(text, metric_id(ordinal));
    append_column(text, metric.name);
    append_optional_column(text, !metric.integration.empty(), metric.integration);
    append_optional_column(text, !metric.category.empty(), metric.category);
    append_time_column(text, created);
    append_time_column(text, created + static_cast<std::int64_t>(draws.below(86'400)));
    append_last_sync(text);
  };
}

RowWriter campaign_rows(const ReferenceData& data) {
  return [draws = Draws(data.seed, 2)](std::string& text, std::int64_t ordinal) mutable {
    const ReferenceCampaign& campaign = reference_campaigns().at(static_cast<size_t>(ordinal));
    append_column(text, campaign.id);
    append_column(text, campaign.name);
    append_column(text, campaign.channel);
    append_column(text, campaign.status);
    append_column(text, ordinal < 150 && draws.chance(500'000) ? "t" : "f");
    append_column(text, fmt::format(R"({{"included": ["{}"], "excluded": []}})",
                                    metric_id(reference_metric_count + static_cast<int>(draws.below(12)))));
    append_column(
        text, draws.chance(800'000) ? R"({"use_smart_sending": true})" : R"({"use_smart_sending": false})");
    if (campaign.status == "Draft")
      append_null_column(text);
    else
      append_time_column(text, campaign.sent);
    if (campaign.was_sent)
      append_time_column(text, campaign.sent);
    else
      append_null_column(text);
    append_time_column(text, campaign.created);
    append_time_column(text, campaign.created + static_cast<std::int64_t>(draws.below(3'600)));
    append_last_sync(text);
  };
}

/// A profile may be known by its email address, its telephone number, an id of the shop's, or by its browser
/// alone. When its last event was is nothing that could be known without keeping all of them: it is left out.
RowWriter profile_rows(const ReferenceData& data) {
  return [draws = Draws(data.seed, 3)](std::string& text, std::int64_t rank) mutable {
    const std::string_view first = draws.one_of(first_names);
    const std::string_view last = draws.one_of(last_names);
    const Place& place = draws.one_of(places);
    const bool named = draws.chance(850'000);
    // A statement each: in which order a compiler draws the arguments of a call is its own choice.
    const bool has_email = draws.chance(920'000);
    const bool has_phone = draws.chance(350'000);
    const std::uint64_t phone = draws.below(10'000'000);
    const bool has_shop = draws.chance(600'000);
    const bool has_location = draws.chance(900'000);
    const bool accepts = draws.chance(700'000);
    const std::uint64_t points = draws.below(5'000);
    append_profile_id(text, rank);
    text += '\t';
    append_optional_column(text, has_email,
                           fmt::format("{}.{}{}@example.com", to_lower(first), to_lower(last), rank));
    append_optional_column(text, has_phone, fmt::format("{}{:07}", place.prefix, phone));
    append_optional_column(text, has_shop, fmt::format("shop-{}", 100'000 + rank));
    append_optional_column(text, named, first);
    append_optional_column(text, named, last);
    append_column(text, place.locale);
    append_column(text, has_location ? place.location : "{}");
    append_column(text,
                  fmt::format(R"({{"$consent": ["email"], "Accepts Marketing": {}, "Loyalty Points": {}}})",
                              accepts, points));
    const std::int64_t created = profile_created(rank);
    append_time_column(text, created);
    append_time_column(text, created + static_cast<std::int64_t>(draws.below(86'400 * 30)));
    append_last_sync(text);
  };
}

}  // namespace kdb
