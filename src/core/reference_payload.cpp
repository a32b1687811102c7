#include "core/reference_payload.hpp"

#include <string_view>

#include "core/copy_text.hpp"
#include "core/reference_campaigns.hpp"

namespace kdb {

namespace {

constexpr std::string_view systems[] = {"iOS 17.4",   "iOS 18.1", "Android 14",    "Android 15",
                                        "Windows 11", "OS X",     "Chrome OS 121", "Linux"};
constexpr std::string_view mail_clients[] = {"Apple Mail", "Gmail", "Outlook", "Yahoo! Mail", "Thunderbird"};
constexpr std::string_view browsers[] = {"Safari 17", "Chrome 121", "Firefox 122", "Edge 120"};
constexpr std::string_view products[] = {"Linen Shirt",  "Wool Scarf",   "Canvas Tote", "Leather Belt",
                                         "Rain Jacket",  "Running Cap",  "Silk Tie",    "Denim Jacket",
                                         "Cotton Socks", "Travel Mug",   "Yoga Mat",    "Candle Set",
                                         "Desk Lamp",    "Water Bottle", "Phone Case",  "Garden Gloves"};
constexpr std::string_view currencies[] = {"EUR", "EUR", "USD", "GBP"};
constexpr std::string_view sources[] = {"web", "web", "iphone", "android", "pos"};
constexpr std::string_view lists[] = {"Newsletter", "Members", "Waiting List", "Checkout Opt-in"};

/// Orders that follow from a campaign, in a million.
constexpr std::uint64_t attributed = 400'000;
/// Of 0.3176 of the events, which are orders, so many in a million: 0.05 % of all.
constexpr std::uint64_t large = 1'574;

/// `, "key": ` where a member stands before it.
void append_key(std::string& text, std::string_view key) {
  if (text.back() != '{') text += ", ";
  text += '"';
  text += key;
  text += "\": ";
}

void append_member(std::string& text, std::string_view key, std::string_view value) {
  append_key(text, key);
  text += '"';
  text += value;
  text += '"';
}

void append_hex(std::string& text, std::uint64_t number, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    text += "0123456789abcdef"[(number >> static_cast<unsigned>(shift)) & 15U];
}

/// A UUID that the event has where it came from, which is not its id.
void append_event_key(std::string& text, Draws& draws) {
  append_key(text, "$event_id");
  const std::uint64_t front = draws.bits();
  const std::uint64_t back = draws.bits();
  text += '"';
  append_hex(text, front >> 32U, 8);
  text += '-';
  append_hex(text, front >> 16U, 4);
  text += "-4";
  append_hex(text, front, 3);
  text += "-a";
  append_hex(text, back >> 48U, 3);
  text += '-';
  append_hex(text, back, 12);
  text += '"';
}

void append_integer(std::string& text, std::string_view key, std::int64_t number) {
  append_key(text, key);
  append_number(text, number);
}

void append_message(std::string& text, const ReferenceEvent& event, Draws& draws) {
  const ReferenceCampaign& campaign =
      reference_campaigns()[static_cast<size_t>(draw_campaign(event.time, draws))];
  append_member(text, "$message", campaign.id);
  append_member(text, "Campaign Name", campaign.name);
  append_member(text, "Subject", campaign.subject);
  append_member(text, " Client OS", draws.one_of(systems));
  append_member(text, "Client Name", draws.one_of(mail_clients));
  append_integer(text, "$ESP", static_cast<std::int64_t>(draws.below(3)));
  append_key(text, "$_cohort$message_send_cohort");
  text += '"';
  append_number(text, campaign.sent);
  text += ':';
  text.append(campaign.id, 20, 6);
  text += '"';
}

void append_site(std::string& text, Draws& draws) {
  const std::uint64_t page = draws.below(100'000);
  const std::string_view product = products[page % std::size(products)];
  append_member(text, "ProductName", product);
  append_integer(text, "ProductID", 7'400'000'000 + static_cast<std::int64_t>(page));
  append_key(text, "URL");
  text += "\"https://www.example.com/products/";
  append_number(text, static_cast<std::int64_t>(page));
  text += "?utm_source=klaviyo&utm_medium=email\"";
  append_key(text, "Categories");
  text += page % 2 == 0 ? "[\"Home\", \"Sale\"]" : "[\"Apparel\", \"New\"]";
  append_member(text, " Client OS", draws.one_of(systems));
  append_member(text, "Browser", draws.one_of(browsers));
  append_key(text, "$is_session_activity");
  text += "true";
}

void append_attribution(std::string& text, const ReferenceEvent& event, Draws& draws) {
  const ReferenceCampaign& campaign =
      reference_campaigns()[static_cast<size_t>(draw_campaign(event.time, draws))];
  append_member(text, "$message", campaign.id);
  append_key(text, "$attribution");
  text += '{';
  append_member(text, "$attributed_channel", campaign.channel);
  append_integer(text, "$send_ts", campaign.sent);
  append_member(text, "$message_interaction", campaign.id);
  text += '}';
}

/// What a shop hands through: random, so that neither TOAST nor a column store makes it smaller.
void append_extra(std::string& text, Draws& draws) {
  constexpr std::string_view base_64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  append_key(text, "$extra");
  text += "{\"checkout_snapshot\": \"";
  std::uint64_t chance = 0;
  for (std::uint64_t left = 5'120 + draws.below(15'360 - 512); left > 0; --left) {
    if (left % 10 == 0 || chance == 0) chance = draws.bits();
    text += base_64[chance & 63U];
    chance >>= 6U;
  }
  text += "\"}";
}

void append_order(std::string& text, const ReferenceEvent& event, Draws& draws) {
  append_key(text, "$value");
  if (event.value_is_string) text += '"';
  append_hundredths(text, event.cents);
  if (event.value_is_string) text += '"';
  append_member(text, "$currency_code", draws.one_of(currencies));
  append_integer(text, "OrderId", 1'000'000 + event.ordinal);
  append_key(text, "Items");
  text += '[';
  const std::uint64_t items = 1 + draws.below(3);
  for (std::uint64_t item = 0; item < items; ++item) {
    text += item == 0 ? "\"" : ", \"";
    text += draws.one_of(products);
    text += '"';
  }
  text += ']';
  append_integer(text, "Item Count", static_cast<std::int64_t>(items));
  if (draws.chance(attributed)) append_attribution(text, event, draws);
  if (draws.chance(large)) append_extra(text, draws);
}

}  // namespace

void append_payload(std::string& text, const ReferenceEvent& event, Draws& draws) {
  text += '{';
  append_event_key(text, draws);
  switch (event.metric->payload) {
    case ReferencePayload::message:
      append_message(text, event, draws);
      break;
    case ReferencePayload::site:
      append_site(text, draws);
      break;
    case ReferencePayload::order:
      append_order(text, event, draws);
      break;
    case ReferencePayload::list:
      append_member(text, "List", draws.one_of(lists));
      append_member(text, "$source", draws.one_of(sources));
      append_member(text, " Client OS", draws.one_of(systems));
      append_member(text, "$consent_method", "Klaviyo Form");
      break;
  }
  text += '}';
}

}  // namespace kdb
