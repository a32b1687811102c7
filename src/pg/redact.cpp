#include <memory>
#include <string>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "base/text.hpp"
#include "pg/connection.hpp"
#include "pg/conninfo.hpp"

namespace kdb::pg {
namespace {

constexpr std::string_view hidden = "***";

bool is_secret(std::string_view keyword) {
  return keyword.find("password") != std::string_view::npos ||
         keyword.find("secret") != std::string_view::npos || keyword.find("scram_") != std::string_view::npos;
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '%' && at + 2 < text.size();
    const int high = escape ? hex_value(text[at + 1]) : -1;
    const int low = escape ? hex_value(text[at + 2]) : -1;
    if (high >= 0 && low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

/// libpq reads everything up to an `@` before the first slash as user and password, question marks too.
std::string redact_authority(std::string_view authority) {
  const size_t at = authority.find('@');
  const size_t colon = authority.find(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon > at)
    return std::string(authority);
  return fmt::format("{}:{}{}", authority.substr(0, colon), hidden, authority.substr(at));
}

std::string redact_query(std::string_view query) {
  std::string text;
  for (const std::string_view parameter : split(query, '&')) {
    const size_t equals = parameter.find('=');
    const std::string_view keyword = parameter.substr(0, equals);
    const bool hide = equals != std::string_view::npos && is_secret(percent_decode(keyword));
    if (!text.empty()) text += '&';
    text += hide ? fmt::format("{}={}", keyword, hidden) : std::string(parameter);
  }
  return text;
}

std::string redact_url(std::string_view url) {
  const size_t begin = url.find("://") + 3;
  const size_t user_end = std::min(url.find_first_of("@/", begin), url.size());
  // The user's part may contain question marks; what follows it may not, up to the query.
  const size_t question = url.find('?', user_end < url.size() && url[user_end] == '@' ? user_end : begin);
  const std::string_view before = url.substr(0, question);
  const size_t slash = std::min(before.find('/', user_end), before.size());
  std::string text(url.substr(0, begin));
  text += redact_authority(before.substr(begin, slash - begin));
  text += before.substr(slash);
  if (question != std::string_view::npos) text += "?" + redact_query(url.substr(question + 1));
  return text;
}

/// Rebuilt from what libpq read, so that nothing of an oddly quoted password can stay.
std::string redact_keywords(const PQconninfoOption* options) {
  std::string text;
  for (; options->keyword != nullptr; ++options) {
    if (options->val == nullptr) continue;
    if (!text.empty()) text += ' ';
    const bool hide =
        is_secret(options->keyword) || std::string_view(options->val).find("://") != std::string_view::npos;
    const std::string_view value = hide ? hidden : std::string_view(options->val);
    const bool quote = value.empty() || value.find_first_of(" '\\") != std::string_view::npos;
    text += quote ? fmt::format("{}='{}'", options->keyword, value)
                  : fmt::format("{}={}", options->keyword, value);
  }
  return text;
}

}  // namespace

std::string redact(std::string_view url) {
  std::string text(url);
  if (is_database_name(text)) return text;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(text.c_str(), nullptr), PQconninfoFree);
  const bool malformed = !options || has_stray_separator(text);
  if (is_url(text))
    return malformed ? std::string(text.substr(0, text.find("://") + 3)) + "***" : redact_url(text);
  return malformed ? std::string(hidden) : redact_keywords(options.get());
}

}  // namespace kdb::pg
