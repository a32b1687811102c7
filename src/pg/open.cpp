#include "pg/open.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <new>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/text.hpp"
#include "pg/watchdog_impl.hpp"

namespace kdb::pg {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int oldest_server = 90'000;  // libpqxx 6.4 refuses older ones, each version in its own way

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

ServerError no_session(std::string message) {
  ServerError error;
  error.phase = Phase::connecting;
  error.session_ended = true;
  error.message = std::move(message);
  return error;
}

/// The offset of the SQLSTATE in `SEVERITY:  XXXXX: text`. Severities are translated by the server, the form
/// is not.
std::optional<size_t> find_sqlstate(std::string_view line) {
  for (size_t at = line.find(":  "); at != std::string_view::npos; at = line.find(":  ", at + 1)) {
    const std::string_view code = line.substr(at + 3, 5);
    const bool five = code.size() == 5 && std::all_of(code.begin(), code.end(), [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                      });
    if (five && line.substr(at + 8, 2) == ": ") return at + 3;
  }
  return std::nullopt;
}

/// Without the password, should a message ever repeat it. One that equals another option stays: it is shown
/// anyway.
std::string scrub(std::string text, const Conninfo& conninfo) {
  for (const char* keyword : {"password", "sslpassword"}) {
    const std::string secret = conninfo.value(keyword);
    const bool public_too =
        std::any_of(conninfo.options.begin(), conninfo.options.end(), [&](const auto& option) {
          return option.second == secret && option.first != "password" && option.first != "sslpassword";
        });
    if (secret.empty() || public_too) continue;
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3)) {
      text.replace(at, secret.size(), "***");
    }
  }
  return text;
}

ServerError connect_error(const Conninfo& conninfo, std::string_view text) {
  ServerError error = parse_connect_error(text);
  for (std::string* part : {&error.message, &error.detail, &error.hint}) *part = scrub(*part, conninfo);
  return error;
}

/// Waits for the socket or a signal. False when the time is over.
bool wait_for(int socket, short events, SteadyTime until, Watchdog& watchdog) {
  std::array<pollfd, 2> fds{pollfd{.fd = socket, .events = events, .revents = 0},
                            pollfd{.fd = watchdog.impl().signalled_fd(), .events = POLLIN, .revents = 0}};
  while (true) {
    int timeout = -1;
    if (until != SteadyTime::max()) {
      const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
      if (left <= 0) return false;
      timeout = static_cast<int>(std::min<milliseconds::rep>(left, INT_MAX));
    }
    const int ready = poll(fds.data(), fds.size(), timeout);
    watchdog.check();
    if (ready > 0) return true;
  }
}

/// While connecting the limit was a share of the deadline; an open session is given what keepalives give an
/// idle one.
void relax_tcp_user_timeout(pg_conn* session, const Conninfo& conninfo) {
  const auto number = [&](std::string_view keyword) { return std::atoi(conninfo.value(keyword).c_str()); };
  const int all = number("keepalives_idle") + number("keepalives_interval") * number("keepalives_count");
  const unsigned int time_ms = all > 0 ? static_cast<unsigned int>(all) * 1'000U : 0U;
  // It fails on a unix socket, which needs none.
  (void)setsockopt(PQsocket(session), IPPROTO_TCP, TCP_USER_TIMEOUT, &time_ms, sizeof time_ms);
}

/// The lines of an error without a SQLSTATE, as one: without libpq's advice, and without the address if all
/// lines are about the same one.
std::string join_reasons(const std::vector<std::string_view>& lines) {
  std::vector<std::string> reasons;
  for (const std::string_view line : lines) {
    if (line.empty() || line.front() == '\t' || starts_with(line, "LOCATION:")) continue;
    reasons.emplace_back(trim(line));
  }
  if (reasons.size() == 1) {
    const size_t at = reasons[0].find(" failed: ");
    if (starts_with(reasons[0], "connection to server") && at != std::string::npos)
      reasons[0].erase(0, at + 9);
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

}  // namespace

void CloseSession::operator()(pg_conn* session) const { PQfinish(session); }

ServerError parse_connect_error(std::string_view text) {
  ServerError error = no_session({});
  const std::vector<std::string_view> lines = split(text, '\n');
  // With several hosts or a second try without TLS there are several errors; the last is what stopped libpq.
  bool inside = false;
  for (const std::string_view line : lines) {
    if (const auto at = find_sqlstate(line)) {
      error.sqlstate = line.substr(*at, 5);
      error.message = trim(line.substr(*at + 7));
      error.detail.clear();
      error.hint.clear();
      inside = true;
    } else if (starts_with(line, "connection to server") || starts_with(line, "LOCATION:  ")) {
      inside = false;
    } else if (inside && starts_with(line, "DETAIL:  ")) {
      error.detail = trim(line.substr(9));
    } else if (inside && starts_with(line, "HINT:  ")) {
      error.hint = trim(line.substr(7));
    }
  }
  if (error.sqlstate.empty()) error.message = join_reasons(lines);
  if (error.message.empty()) error.message = "the server closed the connection without a word";
  return error;
}

RawSession start_session(const Conninfo& conninfo) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : conninfo.options) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  RawSession session(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!session) throw std::bad_alloc();
  // Before the first answer: without it a failed connect has no SQLSTATE, only a translated sentence.
  PQsetErrorVerbosity(session.get(), PQERRORS_VERBOSE);
  if (PQstatus(session.get()) == CONNECTION_BAD) throw connect_error(conninfo, PQerrorMessage(session.get()));
  return session;
}

void finish_opening(pg_conn* session, const Conninfo& conninfo, Watchdog& watchdog) {
  const SteadyTime until =
      conninfo.deadline.count() > 0 ? steady_clock::now() + conninfo.deadline : SteadyTime::max();
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) throw connect_error(conninfo, PQerrorMessage(session));
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (!wait_for(PQsocket(session), events, until, watchdog)) {
      const double seconds = static_cast<double>(conninfo.deadline.count()) / 1000;
      throw no_session(fmt::format("no answer within {}", human_duration(seconds)));
    }
    state = PQconnectPoll(session);
  }
  if (PQserverVersion(session) < oldest_server) {
    throw no_session("the server hides its version or is older than PostgreSQL 9.0");
  }
  if (conninfo.own_tcp_user_timeout) relax_tcp_user_timeout(session, conninfo);
}

}  // namespace kdb::pg
