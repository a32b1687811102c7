#include "pg/connection.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-events.h>
#include <libpq-fe.h>
#include <poll.h>
#include <unistd.h>

#include "base/text.hpp"
#include "pg/driver.hpp"
#include "pg/open.hpp"
#include "pg/result.hpp"
#include "pg/watchdog_impl.hpp"

namespace kdb::pg {
namespace {

using std::chrono::milliseconds;

ServerError refusal(std::string sqlstate, std::string message) {
  ServerError error;
  error.sqlstate = std::move(sqlstate);
  error.message = std::move(message);
  return error;
}

/// libpq and libpqxx would silently run only what stands before it. 22021 is what the server would say of it.
void refuse_nul(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) throw refusal("22021", "the statement contains a NUL byte");
}

ServerError ended(Phase phase, std::string message) {
  ServerError error = refusal({}, std::move(message));
  error.session_ended = true;
  error.phase = phase;
  return error;
}

std::unique_ptr<Driver> hand_over(RawSession opened) {
  try {
    return std::make_unique<Driver>(opened.release());
  } catch (const std::exception& error) {
    throw ended(Phase::connecting, first_line(error.what()));
  }
}

}  // namespace

/// Everything that happens to a session arrives here through libpq's callbacks.
struct Connection::Impl {
  Impl(const ConnectSettings& settings, Watchdog& dog);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  template <typename Run>
  Result guarded(std::string_view sql, Phase phase, const Watch& watch, const Run& run);
  void see_result(PGresult* result);
  void see_notice(const PGresult* notice);
  void leave_copy();
  [[noreturn]] void fail(ServerError error, const Intervention& intervention, const Watch& watch);
  void close_duplicate();

  static int on_event(PGEventId id, void* info, void* self);
  static void on_notice(void* self, const PGresult* notice);

  Watchdog& watchdog;
  milliseconds response_timeout;
  PGconn* session = nullptr;  // the driver owns it
  // What libpq forgets when the session is lost, and what finding out about the loss needs.
  int announced_pid = 0;
  int server_version = 0;
  Watched watched;
  std::function<void(std::string_view)> notice_handler;
  std::vector<std::string> early_notices;

  // What the callbacks saw of the running statement.
  std::string_view sql;
  Result result;
  int results = 0;
  bool copying = false;
  std::optional<ServerError> error;
  std::optional<ServerError> farewell;  // a FATAL that came while nothing ran; libpq makes it a notice
  std::exception_ptr broken_callback;

  std::unique_ptr<Driver> driver;  // last: closing the session still calls back
};

Connection::Impl::Impl(const ConnectSettings& settings, Watchdog& dog)
    : watchdog(dog), response_timeout(settings.response_timeout) {
  watchdog.check();
  const Conninfo conninfo = make_conninfo(settings);
  RawSession opening = start_session(conninfo);
  session = opening.get();
  PQsetNoticeReceiver(session, on_notice, this);
  finish_opening(session, conninfo, watchdog);
  driver = hand_over(std::move(opening));
  // Again, because libpqxx installs a notice processor of its own.
  PQsetNoticeReceiver(session, on_notice, this);
  PQsetErrorVerbosity(session, PQERRORS_DEFAULT);
  if (PQregisterEventProc(session, on_event, "kdb", this) == 0) throw std::bad_alloc();
  watched.socket = fcntl(PQsocket(session), F_DUPFD_CLOEXEC, 0);
  if (watched.socket < 0)
    throw Error(Exit::failed, fmt::format("cannot watch the session: {}", std::strerror(errno)));
  announced_pid = PQbackendPID(session);
  server_version = PQserverVersion(session);
  watched.cancel = std::shared_ptr<PGcancel>(PQgetCancel(session), PQfreeCancel);
  watchdog.impl().add(watched);
}

Connection::Impl::~Impl() {
  watchdog.impl().remove(watched);
  driver.reset();
  close_duplicate();
}

/// The duplicate would keep the connection open after libpq has closed its end.
void Connection::Impl::close_duplicate() {
  if (watched.socket >= 0) close(std::exchange(watched.socket, -1));
}

int Connection::Impl::on_event(PGEventId id, void* info, void* self) {
  if (id != PGEVT_RESULTCREATE) return 1;
  auto* impl = static_cast<Impl*>(self);
  try {
    impl->see_result(static_cast<PGEventResultCreate*>(info)->result);
  } catch (...) {  // libpq is C: nothing may fly through it
    impl->broken_callback = std::current_exception();
  }
  return 1;
}

void Connection::Impl::on_notice(void* self, const PGresult* notice) {
  auto* impl = static_cast<Impl*>(self);
  try {
    impl->see_notice(notice);
  } catch (...) {
    impl->broken_callback = std::current_exception();
  }
}

void Connection::Impl::see_result(PGresult* seen) {
  ++results;
  switch (PQresultStatus(seen)) {
    case PGRES_TUPLES_OK:
      if (PQntuples(seen) > 0) result = rows_of(seen);
      break;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      copying = true;
      break;
    case PGRES_BAD_RESPONSE:
    case PGRES_FATAL_ERROR:
      // A terminated backend says why (57P01) before libpq reports the closed socket, without a code.
      if (!error || error->sqlstate.empty()) error = make_error(seen, sql);
      break;
    default:
      break;
  }
  const char* count = PQcmdTuples(seen);
  if (*count != '\0') result.affected = std::atoll(count);
}

void Connection::Impl::see_notice(const PGresult* notice) {
  if (is_farewell(notice)) {
    farewell = make_error(notice, {});
    return;
  }
  std::string text = describe_notice(notice);
  if (notice_handler) {
    notice_handler(text);
  } else {
    early_notices.push_back(std::move(text));
  }
}

/// Ends a COPY that nobody feeds or reads, so that the session can go on.
void Connection::Impl::leave_copy() {
  error = refusal("0A000", "COPY FROM STDIN and COPY TO STDOUT are not supported");
  error->hint = "use INSERT, or COPY with a file on the server";
  PQputCopyEnd(session, "not supported by kdb");
  char* buffer = nullptr;
  while (PQgetCopyData(session, &buffer, 0) > 0) PQfreemem(buffer);
  while (PGresult* rest = PQgetResult(session)) {
    PQclear(rest);
    if (PQstatus(session) != CONNECTION_OK) break;
  }
}

template <typename Run>
Result Connection::Impl::guarded(std::string_view text, Phase phase, const Watch& watch, const Run& run) {
  refuse_nul(text);
  if (PQstatus(session) != CONNECTION_OK) throw ended(phase, "the session has ended");
  sql = text;
  result = {};
  results = 0;
  copying = false;
  error.reset();
  broken_callback = nullptr;

  watchdog.impl().begin(watched, watch);
  const std::optional<std::string> complaint = run();
  if (copying) leave_copy();
  const Intervention intervention = watchdog.impl().end(watched, PQstatus(session) == CONNECTION_OK);

  if (broken_callback) std::rethrow_exception(broken_callback);
  // libpq shows no result for a session that is lost, so the results before it prove nothing. Of one that
  // goes on, the server's answers count, whatever libpqxx thinks of them.
  const bool open = PQstatus(session) == CONNECTION_OK;
  if (!error && (!complaint || (open && results > 0))) return std::move(result);
  if (!error) {
    error.emplace();
    error->message = first_line(PQerrorMessage(session));
    if (error->message.empty()) error->message = first_line(*complaint);
  }
  error->phase = phase;
  fail(*std::move(error), intervention, watch);
}

void Connection::Impl::fail(ServerError failure, const Intervention& intervention, const Watch& watch) {
  failure.session_ended = PQstatus(session) != CONNECTION_OK;
  if (failure.session_ended && failure.sqlstate.empty() && farewell) {
    failure.sqlstate = farewell->sqlstate;
    failure.message = farewell->message;
  }
  if (failure.session_ended) {
    // The server sees the end of the session only when both descriptors are closed.
    watchdog.impl().remove(watched);
    close_duplicate();
  }
  const bool silent = intervention.shut && failure.session_ended && failure.sqlstate.empty();
  const bool stopped = silent || failure.sqlstate == "57014";
  if (stopped && intervention.reason == Watched::Reason::signal && failure.phase != Phase::committing)
    watchdog.check();
  if (intervention.reason == Watched::Reason::deadline) {
    if (silent)
      failure.message = fmt::format("no answer from the server within {}", human_duration(watch.deadline));
    if (failure.sqlstate == "57014")
      failure.message = fmt::format("canceled after {}", human_duration(watch.deadline));
  } else if (silent) {
    failure.message = "no answer from the server before the command had to end";
  }
  throw failure;
}

Connection::Connection(const ConnectSettings& settings, Watchdog& watchdog)
    : impl_(std::make_unique<Impl>(settings, watchdog)) {}

Connection::~Connection() = default;

Result Connection::exec(std::string_view sql, Phase phase) {
  impl_->watchdog.check();
  const Watch watch{.deadline = impl_->response_timeout, .may_cancel = phase != Phase::committing};
  return impl_->guarded(sql, phase, watch, [&] { return impl_->driver->run(std::string(sql)); });
}

Result Connection::exec(std::string_view sql, const std::vector<Result::Value>& parameters, Phase phase) {
  impl_->watchdog.check();
  for (const auto& value : parameters) {
    if (value) refuse_nul(*value);
  }
  const Watch watch{.deadline = impl_->response_timeout, .may_cancel = phase != Phase::committing};
  return impl_->guarded(sql, phase, watch, [&] { return impl_->driver->run(std::string(sql), parameters); });
}

Result Connection::copy(std::string_view sql, const CopySource& source, Phase phase) {
  impl_->watchdog.check();
  const Watch watch{.deadline = impl_->response_timeout, .may_cancel = phase != Phase::committing};
  return impl_->guarded(sql, phase, watch, [&]() -> std::optional<std::string> {
    const auto stop = [&] { return impl_->watchdog.interrupted() ? "interrupted" : nullptr; };
    try {
      CopyFed fed = feed_copy(impl_->session, std::string(sql), source, stop);
      impl_->copying = fed.offers_rows;
      if (!impl_->error && fed.complaint) impl_->error = refusal({}, *fed.complaint);
      if (!impl_->error && !fed.asked) impl_->error = refusal("0A000", "the statement is no COPY FROM STDIN");
      return std::move(fed.complaint);
    } catch (...) {
      impl_->copying = false;
      impl_->broken_callback = std::current_exception();
      return std::nullopt;
    }
  });
}

Result Connection::exec_cleanup(std::string_view sql, milliseconds deadline) {
  const Watch watch{.deadline = deadline, .may_cancel = true, .shielded = true};
  return impl_->guarded(sql, Phase::outside_transaction, watch,
                        [&] { return impl_->driver->run(std::string(sql)); });
}

Result Connection::exec_or_end(std::string_view sql, milliseconds deadline) {
  const Watch watch{.deadline = deadline, .may_cancel = false, .shielded = true, .impatient = true};
  return impl_->guarded(sql, Phase::outside_transaction, watch,
                        [&] { return impl_->driver->run(std::string(sql)); });
}

bool Connection::peer_closed() const {
  if (!is_open()) return true;
  pollfd socket{.fd = PQsocket(impl_->session), .events = POLLIN | POLLRDHUP, .revents = 0};
  return poll(&socket, 1, 0) > 0 && (socket.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

int Connection::announced_pid() const { return impl_->announced_pid; }

int Connection::server_version() const { return impl_->server_version; }

bool Connection::is_open() const { return PQstatus(impl_->session) == CONNECTION_OK; }

bool Connection::conforming_strings() const {
  const char* value = PQparameterStatus(impl_->session, "standard_conforming_strings");
  return value == nullptr || std::string_view(value) == "on";
}

bool Connection::outside_transaction() const { return PQtransactionStatus(impl_->session) == PQTRANS_IDLE; }

bool Connection::in_transaction() const { return PQtransactionStatus(impl_->session) == PQTRANS_INTRANS; }

bool Connection::is_utf8() const {
  const char* encoding = PQparameterStatus(impl_->session, "client_encoding");
  return encoding == nullptr || std::string_view(encoding) == "UTF8";
}

std::string Connection::endpoint() const {
  return format_endpoint(PQhost(impl_->session), PQport(impl_->session));
}

std::string Connection::database() const { return PQdb(impl_->session); }

std::string Connection::user() const { return PQuser(impl_->session); }

void Connection::on_notice(std::function<void(std::string_view)> handler) {
  impl_->notice_handler = std::move(handler);
  if (!impl_->notice_handler) return;
  for (const std::string& text : std::exchange(impl_->early_notices, {})) impl_->notice_handler(text);
}

}  // namespace kdb::pg
