#include "pg/connect.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/conninfo.hpp"
#include "pg/failure.hpp"

namespace kdb::pg {
namespace {

using std::chrono::milliseconds;

struct Advice {
  std::string_view sign;  // an SQLSTATE, or a part of the message where there is none
  std::string_view hint;
};

constexpr Advice advice_by_sqlstate[] = {
    {"3D000", "create the database, or correct its name in the URL"},
    {"28P01", "check user and password: in the URL, in PGPASSWORD or in ~/.pgpass"},
    {"28000", "check the user, and that the server's pg_hba.conf lets it in from here"},
    {"42501", "grant the user CONNECT on the database"},
    {"53300", "close sessions or raise max_connections; a pooler in session mode works too"},
    {"57P03", "the server's log says what it is waiting for"},
    {"08P01", "a pooler answered: its log says more; it has to know this database and user"},
};

/// By libpq's text, which is English because kdb never sets a locale. The first that fits.
constexpr Advice advice_by_message[] = {
    {"password", "give a password in the URL, in PGPASSWORD or in ~/.pgpass"},
    {"does not support SSL", "use sslmode=prefer or disable, or switch TLS on at the server"},
    {"certificate", "check sslmode, sslrootcert, sslcert and sslkey"},
    {"private key", "check sslmode, sslrootcert, sslcert and sslkey"},
    {"SSL", "check sslmode, sslrootcert, sslcert and sslkey"},
    {"No such file or directory",
     "start the server, or name it with --database-url; `kdb sandbox` starts a throwaway one"},
    {"Connection refused", "check that the server runs and listens there: host, port, listen_addresses"},
    {"translate host name", "check the host's name in the URL"},
    {"service", "check the service's name and the service file (PGSERVICEFILE, ~/.pg_service.conf)"},
    {"session is read-only",
     "this server is a standby: name the primary, or all of them with "
     "target_session_attrs=read-write"},
    {"no answer within", "check the address, firewalls and VPN; connect_timeout in the URL sets the time"},
    {"timed out", "check the address, firewalls and VPN"},
    {"unreachable", "check the address, firewalls and VPN"},
    {"No route to host", "check the address, firewalls and VPN"},
};

[[noreturn]] void give_up(const std::string& target, const ServerError& error, int attempts,
                          milliseconds time) {
  std::string message = fmt::format("cannot connect to {}: {}", target, describe(error));
  if (attempts > 1) message += fmt::format(" ({} attempts in {})", attempts, human_duration(time));
  const std::string hint = connect_hint(error);
  ServerError shown = error;
  if (shown.hint == hint) shown.hint.clear();
  throw Error(Exit::failed, Problem{.message = message, .hint = hint, .details = details_of(shown, "")});
}

}  // namespace

std::string connect_hint(const ServerError& error) {
  for (const Advice& advice : advice_by_sqlstate) {
    if (error.sqlstate == advice.sign) return std::string(advice.hint);
  }
  if (!error.hint.empty()) return error.hint;
  if (!error.sqlstate.empty()) return {};
  for (const Advice& advice : advice_by_message) {
    if (error.message.find(advice.sign) != std::string::npos) return std::string(advice.hint);
  }
  return "check that the URL names a PostgreSQL server";
}

bool connect_may_pass(const ServerError& error) {
  switch (classify_error(Phase::connecting, error.sqlstate, true, error.message)) {
    case RetryClass::reconnect:
    case RetryClass::resources:
    case RetryClass::lost:
      return true;
    case RetryClass::never:
    case RetryClass::transaction:
    case RetryClass::lock:
    case RetryClass::in_doubt:
    case RetryClass::inspect:
      return false;
  }
  return false;
}

std::unique_ptr<Connection> connect_with_retry(const ConnectSettings& settings, const RetryPolicy& policy,
                                               const EventSink& events, const ConnectMeans& means) {
  const std::string target = describe_target(settings);
  const auto begin = means.now();
  const auto elapsed = [&] { return std::chrono::duration_cast<milliseconds>(means.now() - begin); };
  milliseconds pause{0};
  for (int attempt = 1;; ++attempt) {
    ConnectSettings limited = settings;
    // The deadline is for everything: the last attempt gets what is left of it, at least a second.
    if (policy.deadline.count() > 0)
      limited.connect_limit = std::max(policy.deadline - elapsed(), milliseconds(1'000));
    try {
      return means.open(limited);
    } catch (const ServerError& error) {
      const milliseconds so_far = elapsed();
      if (!connect_may_pass(error) || attempt >= policy.max_attempts) give_up(target, error, attempt, so_far);
      pause = backoff_delay(policy, attempt - 1, pause, means.random);
      const bool too_late = policy.deadline.count() > 0 && so_far + pause >= policy.deadline;
      if (too_late) give_up(target, error, attempt, so_far);
      events(
          {.kind = Event::Kind::retry,
           .message = fmt::format("cannot connect to {}: {}; retrying in {} (attempt {} of {})", target,
                                  describe(error), human_duration(pause), attempt + 1, policy.max_attempts)});
    }
    means.sleep(pause);
  }
}

std::unique_ptr<Connection> connect_with_retry(const ConnectSettings& settings, Watchdog& watchdog,
                                               const RetryPolicy& policy, const EventSink& events) {
  std::mt19937_64 engine(std::random_device{}());
  const ConnectMeans means{
      .open = [&](const ConnectSettings& limited) { return std::make_unique<Connection>(limited, watchdog); },
      .now = [] { return std::chrono::steady_clock::now(); },
      .sleep = [&](milliseconds time) { watchdog.sleep(time); },
      .random = [&] { return std::uniform_real_distribution<double>(0, 1)(engine); }};
  return connect_with_retry(settings, policy, events, means);
}

}  // namespace kdb::pg
