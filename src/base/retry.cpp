#include "base/retry.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace kdb {
namespace {

using std::chrono::milliseconds;

/// Milliseconds within [0, max], whatever the arithmetic made of them: infinity is the maximum, NaN nothing.
milliseconds clamp_to(milliseconds max, double value) {
  if (std::isnan(value) || value <= 0) return milliseconds(0);
  if (value >= static_cast<double>(max.count())) return max;
  return milliseconds(static_cast<milliseconds::rep>(value));
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

template <size_t Size>
bool contains_any(std::string_view text, const std::array<std::string_view, Size>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return contains(text, part); });
}

/// Poolers answer everything with 08P01; only these say that the server behind them may come back.
/// (PgBouncer 1.18: "client_login_timeout (server down)", "query_wait_timeout", "no more connections
/// allowed".)
bool pooler_may_recover(std::string_view message) {
  constexpr std::array<std::string_view, 5> passing_signs = {
      "server down", "login_timeout", "query_wait_timeout", "shutting down", "no more connections"};
  return contains_any(message, passing_signs);
}

/// What libpq itself refuses, without a server's SQLSTATE, and will refuse again: names, certificates,
/// credentials.
bool client_refuses(std::string_view message) {
  constexpr std::array<std::string_view, 14> permanent = {
      "certificate",
      "does not support SSL",
      "SSL was required",
      "private key",
      "SSL error:",
      "no password supplied",
      "channel binding required",
      "authentication method",
      "Name or service not known",
      "No address associated with hostname",
      "invalid ",
      "definition of service",
      "expected authentication request from server",
      "Unix-domain socket path",
  };
  return contains_any(message, permanent);
}

RetryClass classify_connect(std::string_view sqlstate, std::string_view message) {
  if (sqlstate.empty()) return client_refuses(message) ? RetryClass::never : RetryClass::reconnect;
  if (sqlstate == "08P01") return pooler_may_recover(message) ? RetryClass::reconnect : RetryClass::never;
  if (sqlstate.substr(0, 2) == "08") return RetryClass::reconnect;
  // 57014 here is a server that shuts down while it authenticates us (ProcessInterrupts, postgres.c).
  constexpr std::array<std::string_view, 8> passing_codes = {"57P01", "57P02", "57P03", "53300",
                                                             "53200", "53400", "25006", "57014"};
  const bool passing = std::find(passing_codes.begin(), passing_codes.end(), sqlstate) != passing_codes.end();
  return passing ? RetryClass::reconnect : RetryClass::never;
}

/// Whether the code alone says that the server has ended the session.
bool ends_session(std::string_view sqlstate) {
  return sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "25P03" || sqlstate == "57P05" ||
         sqlstate == "25P04";
}

/// What an operator has to mend before it can work, even when the session ended with it.
bool needs_operator(std::string_view sqlstate) {
  return sqlstate == "53100" || sqlstate == "58030" || sqlstate == "57P04" || sqlstate == "XX001" ||
         sqlstate == "XX002";
}

/// The server answered with an error and the session lives: whatever the transaction did is undone.
RetryClass classify_answer(Phase phase, std::string_view sqlstate, std::string_view message) {
  const bool concurrent_update =
      sqlstate == "72000" || (sqlstate == "XX000" && contains(message, "tuple concurrently"));
  if (sqlstate == "40001" || sqlstate == "40P01" || concurrent_update) {
    // CREATE INDEX CONCURRENTLY loses a deadlock and leaves an invalid index: nothing outside of a
    // transaction is repeated without a look at the catalog.
    return phase == Phase::outside_transaction ? RetryClass::inspect : RetryClass::transaction;
  }
  if (sqlstate == "55P03" || sqlstate == "55006") return RetryClass::lock;
  if (sqlstate == "53200" || sqlstate == "53300" || sqlstate == "53400") return RetryClass::resources;
  if (sqlstate == "25006") return RetryClass::reconnect;
  return RetryClass::never;
}

}  // namespace

milliseconds backoff_delay(const RetryPolicy& policy, int attempt, milliseconds previous,
                           const Random& random) {
  const double initial = static_cast<double>(std::max(policy.initial, milliseconds(0)).count());
  const double max = static_cast<double>(std::max(policy.max_delay, milliseconds(0)).count());
  // 0 * inf is NaN: a policy without pauses must stay one after a million attempts.
  const double grown = initial == 0 ? 0 : initial * std::pow(policy.factor, std::max(attempt, 0));
  const double base = std::isnan(grown) ? max : std::min(max, grown);
  const double chance = std::clamp(random ? random() : 0.0, 0.0, 1.0);
  const milliseconds cap = std::max(policy.max_delay, milliseconds(0));
  switch (policy.jitter) {
    case Jitter::additive:
      return clamp_to(cap, base * (1.0 + 0.2 * chance));
    case Jitter::full:
      return clamp_to(cap, base * chance);
    case Jitter::decorrelated: {
      const double upper = std::max(initial, 3.0 * static_cast<double>(previous.count()));
      return clamp_to(cap, initial + (upper - initial) * chance);
    }
  }
  return cap;
}

RetryClass classify_error(Phase phase, std::string_view sqlstate, bool session_ended,
                          std::string_view message) {
  if (phase == Phase::connecting) return classify_connect(sqlstate, message);

  const bool ended = session_ended || ends_session(sqlstate);
  const bool unknown_outcome = sqlstate == "40003" || sqlstate == "08006" || sqlstate == "08007";
  if (phase == Phase::committing && (ended || unknown_outcome)) return RetryClass::in_doubt;
  if (phase == Phase::outside_transaction && (ended || sqlstate == "40003")) return RetryClass::inspect;
  if (needs_operator(sqlstate)) return RetryClass::never;
  if (ended && sqlstate == "08P01" && !pooler_may_recover(message)) return RetryClass::never;
  if (ended || sqlstate == "40003") return RetryClass::lost;
  return classify_answer(phase, sqlstate, message);
}

}  // namespace kdb
