#include "support/fault_proxy.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/fault_rules.hpp"
#include "support/pg_endpoint.hpp"
#include "support/pg_wire.hpp"

namespace kdb::test {
namespace {

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

/// One client's connection and the server's behind it. All but the flags belongs to its thread.
struct Session {
  int number = 0;
  Socket client;
  Socket server;
  Socket wake{checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")};
  ClientReader queries;
  ServerReader replies;
  std::optional<std::pair<FaultProxy::Rule, FaultProxy::Query>>
      awaited;       // a rule that waits for the whole reply
  std::string held;  // what has arrived of it
  int ready_before = 0;
  bool dark = false;

  std::atomic<bool> stop{false};
  std::atomic<bool> cut{false};
  std::atomic<bool> heal{false};
  std::atomic<bool> finished{false};
  std::thread thread;

  void notify() const { (void)eventfd_write(wake.fd(), 1); }
};

}  // namespace

struct FaultProxy::Impl {
  explicit Impl(const std::string& url);
  ~Impl();

  void accept_loop();
  void reap();
  void run(Session& session);
  bool step(Session& session);
  bool step_in_the_dark(Session& session);
  bool read_client(Session& session);
  bool read_server(Session& session);
  bool handle(Session& session, const ClientPacket& packet);
  bool handle_query(Session& session, const ClientPacket& packet);
  void forward_cancel(Session& session, const ClientPacket& packet);
  bool fire(Session& session, const Rule& rule, const Query& query);
  bool send_all(Session& session, const Socket& to, std::string_view bytes);
  bool wait_for(Session& session, int fd, short events, int timeout_ms);
  void for_each_session(const std::function<void(Session&)>& act);

  Endpoint server;
  int port = 0;  // before the listener, which sets it
  Socket listener;
  Socket stop_event{checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")};
  std::atomic<bool> dark{false};  // nothing passes at all
  std::atomic<int> cancel_delay_ms{0};

  RuleBook book;
  std::mutex mutex;  // guards the list
  std::list<Session> sessions;

  std::thread acceptor;  // last: it uses all the others
};

FaultProxy::Impl::Impl(const std::string& url) : server(url), listener(listen_on_loopback(port)) {
  // Signals are for the program under test: none of these threads may take one.
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  acceptor = std::thread([this] { accept_loop(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

FaultProxy::Impl::~Impl() {
  (void)eventfd_write(stop_event.fd(), 1);
  acceptor.join();
  for_each_session([](Session& session) {
    session.stop = true;
    session.notify();
  });
  for (Session& session : sessions) session.thread.join();
}

void FaultProxy::Impl::for_each_session(const std::function<void(Session&)>& act) {
  const std::lock_guard lock(mutex);
  for (Session& session : sessions) act(session);
}

void FaultProxy::Impl::accept_loop() {
  int number = 0;
  while (true) {
    std::array<pollfd, 2> events{pollfd{.fd = listener.fd(), .events = POLLIN, .revents = 0},
                                 pollfd{.fd = stop_event.fd(), .events = POLLIN, .revents = 0}};
    (void)poll(events.data(), events.size(), -1);
    if (events[1].revents != 0) return;
    Socket client(accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (client.fd() < 0) continue;
    const int on = 1;
    setsockopt(client.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    reap();
    const std::lock_guard lock(mutex);
    Session& session = sessions.emplace_back();
    session.number = ++number;
    session.client = std::move(client);
    session.thread = std::thread([this, &session] { run(session); });
  }
}

/// Joins the threads of sessions that are over.
void FaultProxy::Impl::reap() {
  std::list<Session> over;
  {
    const std::lock_guard lock(mutex);
    for (auto at = sessions.begin(); at != sessions.end();) {
      const auto next = std::next(at);
      if (at->finished) over.splice(over.end(), sessions, at);
      at = next;
    }
  }
  for (Session& session : over) session.thread.join();
}

void FaultProxy::Impl::run(Session& session) {
  while (step(session)) {
  }
  session.client.close();
  session.server.close();
  session.finished = true;
}

/// Waits for something to do and does it. False when the session is over.
bool FaultProxy::Impl::step(Session& session) {
  if (dark) session.dark = true;
  std::array<pollfd, 3> events{
      pollfd{.fd = session.wake.fd(), .events = POLLIN, .revents = 0},
      pollfd{.fd = session.client.fd(), .events = POLLIN, .revents = 0},
      pollfd{.fd = session.dark ? -1 : session.server.fd(), .events = POLLIN, .revents = 0}};
  (void)poll(events.data(), events.size(), -1);
  eventfd_t count = 0;
  (void)eventfd_read(session.wake.fd(), &count);
  if (session.stop) return false;
  if (session.cut) {
    session.client.reset();
    return false;
  }
  if (session.heal.exchange(false) && session.dark) return false;
  if (dark) session.dark = true;
  if (session.dark) return events[1].revents == 0 || step_in_the_dark(session);
  // The server first: what it said before a client's next query belongs before that query's faults.
  if (events[2].revents != 0 && !read_server(session)) return false;
  return session.dark || events[1].revents == 0 || read_client(session);
}

/// Takes what the client sends; its end is not passed on either, as nothing passes.
bool FaultProxy::Impl::step_in_the_dark(Session& session) {
  std::array<char, 65536> bytes{};
  const ssize_t count = recv(session.client.fd(), bytes.data(), bytes.size(), 0);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) session.client.close();
  return true;
}

bool FaultProxy::Impl::read_client(Session& session) {
  std::array<char, 65536> bytes{};
  const ssize_t count = recv(session.client.fd(), bytes.data(), bytes.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  session.queries.feed({bytes.data(), static_cast<size_t>(count)});
  while (const auto packet = session.queries.next()) {
    if (!handle(session, *packet)) return false;
    if (session.dark) return true;
  }
  return true;
}

bool FaultProxy::Impl::read_server(Session& session) {
  std::array<char, 65536> bytes{};
  const ssize_t count = recv(session.server.fd(), bytes.data(), bytes.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (count <= 0) {
    (void)send_all(session, session.client, session.held);
    return false;
  }
  const std::string_view reply(bytes.data(), static_cast<size_t>(count));
  session.replies.feed(reply);
  if (!session.awaited) return send_all(session, session.client, reply);

  session.held += reply;
  if (session.replies.ready() == session.ready_before) return true;
  const auto [rule, query] = *std::exchange(session.awaited, std::nullopt);
  const std::string held = std::exchange(session.held, {});
  if (!fire(session, rule, query)) return false;
  return session.dark || send_all(session, session.client, held);
}

bool FaultProxy::Impl::handle(Session& session, const ClientPacket& packet) {
  switch (packet.kind) {
    case ClientPacket::Kind::encryption_request:
      return send_all(session, session.client, "N");
    case ClientPacket::Kind::cancel_request:
      forward_cancel(session, packet);
      return false;
    case ClientPacket::Kind::startup:
      session.server = server.connect();
      return session.server.fd() >= 0 && send_all(session, session.server, packet.bytes);
    case ClientPacket::Kind::query:
      return handle_query(session, packet);
    case ClientPacket::Kind::terminate:
    case ClientPacket::Kind::other:
      break;
  }
  return send_all(session, session.server, packet.bytes);
}

bool FaultProxy::Impl::handle_query(Session& session, const ClientPacket& packet) {
  Query query{.sql = packet.sql, .connection = session.number, .backend_pid = session.replies.backend_pid()};
  const std::optional<Rule> rule = book.take(query);
  if (rule && rule->when == When::before_forward) {
    if (!fire(session, *rule, query)) return false;
    if (session.dark) return true;
  }
  if (rule && rule->when == When::reply_held) {
    session.ready_before = session.replies.ready();
    session.awaited = {*rule, query};
  }
  if (!send_all(session, session.server, packet.bytes)) return false;
  return !rule || rule->when != When::before_reply || fire(session, *rule, query);
}

/// Does the harm. False when the session is over.
bool FaultProxy::Impl::fire(Session& session, const Rule& rule, const Query& query) {
  book.count_fired();
  if (rule.callback) rule.callback(query);
  if (rule.delay.count() > 0) (void)wait_for(session, -1, 0, static_cast<int>(rule.delay.count()));
  switch (rule.fault) {
    case Fault::none:
      return !session.stop;
    case Fault::cut:
      session.client.reset();
      return false;
    case Fault::black_hole:
      session.dark = true;
      return true;
    case Fault::black_hole_all:
      session.dark = true;
      dark = true;
      for_each_session([](Session& other) { other.notify(); });
      return true;
  }
  return false;
}

/// The server answers a cancel request by closing the connection, once it has signalled the backend.
void FaultProxy::Impl::forward_cancel(Session& session, const ClientPacket& packet) {
  if (cancel_delay_ms > 0) (void)wait_for(session, -1, 0, cancel_delay_ms);
  session.server = server.connect();
  if (session.server.fd() < 0 || !send_all(session, session.server, packet.bytes)) return;
  (void)wait_for(session, session.server.fd(), POLLIN, -1);
  book.count_cancel();
}

bool FaultProxy::Impl::send_all(Session& session, const Socket& to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(to.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      if (!wait_for(session, to.fd(), POLLOUT, -1)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

/// Waits for the descriptor (none if negative) or for the time. False when the session shall end.
bool FaultProxy::Impl::wait_for(Session& session, int fd, short events, int timeout_ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!session.stop && !session.cut) {
    int left = -1;
    if (timeout_ms >= 0) {
      const auto time =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (time.count() <= 0) return true;
      left = static_cast<int>(time.count());
    }
    std::array<pollfd, 2> fds{pollfd{.fd = session.wake.fd(), .events = POLLIN, .revents = 0},
                              pollfd{.fd = fd, .events = events, .revents = 0}};
    (void)poll(fds.data(), fds.size(), left);
    if (fds[1].revents != 0) return true;
    eventfd_t count = 0;
    (void)eventfd_read(session.wake.fd(), &count);
  }
  return false;
}

FaultProxy::FaultProxy(const std::string& server_url) : impl_(std::make_unique<Impl>(server_url)) {}

FaultProxy::~FaultProxy() = default;

int FaultProxy::port() const { return impl_->port; }

std::string FaultProxy::url() const { return impl_->server.url_through(impl_->port); }

void FaultProxy::add(Rule rule) { impl_->book.add(std::move(rule)); }

int FaultProxy::fired() const { return impl_->book.fired(); }

std::vector<FaultProxy::Query> FaultProxy::queries() const { return impl_->book.queries(); }

int FaultProxy::cancel_requests() const { return impl_->book.cancels(); }

void FaultProxy::delay_cancels(std::chrono::milliseconds delay) {
  impl_->cancel_delay_ms = static_cast<int>(delay.count());
}

void FaultProxy::reset() { impl_->book.reset(); }

void FaultProxy::cut_all() {
  impl_->for_each_session([](Session& session) {
    session.cut = true;
    session.notify();
  });
}

void FaultProxy::black_hole_all() {
  impl_->dark = true;
  impl_->for_each_session([](Session& session) { session.notify(); });
}

void FaultProxy::heal() {
  impl_->dark = false;
  impl_->for_each_session([](Session& session) {
    session.heal = true;
    session.notify();
  });
}

}  // namespace kdb::test
