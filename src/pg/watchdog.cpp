#include "pg/watchdog.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pg/watchdog_impl.hpp"

namespace kdb::pg {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// One key press or `timeout` can deliver a signal twice, to the process and to its group: that is one wish.
constexpr milliseconds burst{250};

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

/// Milliseconds for poll(), rounded up so that it never wakes too early; -1 is for ever.
int poll_timeout(SteadyTime until) {
  if (until == SteadyTime::max()) return -1;
  const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
  return static_cast<int>(std::clamp<milliseconds::rep>(left, 0, INT_MAX));
}

void write_event(int fd) {
  const eventfd_t one = 1;
  // It only fails when the counter is full, and then the reader is awake anyway.
  (void)eventfd_write(fd, one);
}

/// Whoever started us with a signal ignored (nohup, a shell's background job) wants it ignored.
bool is_ignored(int number) {
  struct sigaction action {};
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

/// Sends the request from a thread of its own. Its failure, and that of the thread, shows as a statement that
/// does not end: then the socket is shut.
std::shared_ptr<CancelInFlight> start_cancel(const std::shared_ptr<pg_cancel>& cancel) {
  auto flight = std::make_shared<CancelInFlight>();
  try {
    std::thread([flight, cancel] {
      std::array<char, 256> error{};
      (void)PQcancel(cancel.get(), error.data(), static_cast<int>(error.size()));
      flight->land();
    }).detach();
  } catch (const std::system_error&) {
    return nullptr;
  }
  return flight;
}

}  // namespace

Watchdog::Impl::Impl(milliseconds grace) : grace_(grace) {
  sigemptyset(&handled_);
  for (const int number : {SIGINT, SIGTERM}) {
    if (!is_ignored(number)) sigaddset(&handled_, number);
  }
  signal_fd_ = checked(signalfd(-1, &handled_, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
  wake_fd_ = checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  signalled_fd_ = checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  pthread_sigmask(SIG_BLOCK, &handled_, &previous_mask_);
  thread_ = std::thread([this] { run(); });
}

Watchdog::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake();
  thread_.join();
  for (const int fd : {signal_fd_, wake_fd_, signalled_fd_}) close(fd);
  pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

void Watchdog::Impl::wake() { write_event(wake_fd_); }

void Watchdog::Impl::add(Watched& session) {
  const std::lock_guard lock(mutex_);
  sessions_.push_back(&session);
}

void Watchdog::Impl::remove(Watched& session) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(std::remove(sessions_.begin(), sessions_.end(), &session), sessions_.end());
}

void Watchdog::Impl::begin(Watched& session, const Watch& watch) {
  const std::lock_guard lock(mutex_);
  session.stage = Watched::Stage::running;
  session.reason = Watched::Reason::none;
  session.may_cancel = watch.may_cancel;
  session.shielded = watch.shielded;
  session.impatient = watch.impatient;
  session.shut_at = SteadyTime::max();
  session.next = watch.deadline.count() > 0 ? steady_clock::now() + watch.deadline : SteadyTime::max();
  // A signal between the caller's check and here would find no statement to stop.
  if (signal_ != 0 && !session.shielded) escalate(session, Watched::Reason::signal, steady_clock::now());
  if (session.next < planned_) wake();
}

Intervention Watchdog::Impl::end(Watched& session, bool still_open) {
  std::unique_lock lock(mutex_);
  if (const auto flight = session.in_flight; flight && still_open && !session.shut) {
    lock.unlock();
    flight->wait();
    lock.lock();
  }
  session.in_flight.reset();
  session.stage = Watched::Stage::idle;
  session.next = SteadyTime::max();
  return {.reason = session.reason, .shut = session.shut};
}

void Watchdog::Impl::check() const {
  const int number = signal_.load();
  if (number == SIGINT) throw Error(Exit::interrupted, "interrupted by SIGINT");
  if (number == SIGTERM) throw Error(Exit::terminated, "interrupted by SIGTERM");
}

void Watchdog::Impl::run() {
  while (true) {
    SteadyTime until;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
      until = planned_ = act_on_deadlines();
    }
    std::array<pollfd, 2> events{pollfd{.fd = signal_fd_, .events = POLLIN, .revents = 0},
                                 pollfd{.fd = wake_fd_, .events = POLLIN, .revents = 0}};
    (void)poll(events.data(), events.size(), poll_timeout(until));
    eventfd_t count = 0;
    (void)eventfd_read(wake_fd_, &count);
    signalfd_siginfo info{};
    while (read(signal_fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      on_signal(static_cast<int>(info.ssi_signo));
    }
  }
}

void Watchdog::Impl::on_signal(int number) {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = steady_clock::now();
  if (signals_ > 0 && now - last_signal_ < burst) return;
  last_signal_ = now;
  ++signals_;
  if (signals_ == 1) {
    signal_ = number;
    write_event(signalled_fd_);
  }
  if (signals_ >= 3) end_process(number);
  for (Watched* session : sessions_) {
    if (session->stage == Watched::Stage::idle) continue;
    if (signals_ == 1) {
      const bool stop = session->stage == Watched::Stage::running && !session->shielded;
      if (stop) escalate(*session, Watched::Reason::signal, now);
    } else {
      session->stage = Watched::Stage::stopping;
      session->shut_at = now;
      escalate(*session, Watched::Reason::signal, now);
    }
  }
}

/// Something other than a server holds us up (name resolution, a full pipe): who asks three times is obeyed.
void Watchdog::Impl::end_process(int number) {
  std::signal(number, SIG_DFL);
  sigset_t only{};
  sigemptyset(&only);
  sigaddset(&only, number);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  raise(number);
}

/// Takes every step that is due; returns when the next one is.
SteadyTime Watchdog::Impl::act_on_deadlines() {
  const SteadyTime now = steady_clock::now();
  SteadyTime earliest = SteadyTime::max();
  for (Watched* session : sessions_) {
    if (session->next <= now) escalate(*session, Watched::Reason::deadline, now);
    earliest = std::min(earliest, session->next);
  }
  return earliest;
}

void Watchdog::Impl::escalate(Watched& session, Watched::Reason reason, SteadyTime now) {
  if (session.reason == Watched::Reason::none) session.reason = reason;
  if (session.stage == Watched::Stage::running) {
    session.stage = Watched::Stage::stopping;
    session.shut_at = session.impatient ? now : now + grace_;
  }
  if (now >= session.shut_at) {
    shut(session);
    return;
  }
  // Again and again: the server forgets a request that overtakes the statement it is meant for.
  const bool landed = !session.in_flight || session.in_flight->landed();
  if (session.may_cancel && landed) session.in_flight = start_cancel(session.cancel);
  session.next = std::min(now + grace_ / 8, session.shut_at);
}

void Watchdog::Impl::shut(Watched& session) {
  shutdown(session.socket, SHUT_RDWR);
  session.shut = true;
  session.next = SteadyTime::max();
  // Nobody needs to wait for a cancel request of a session that is over.
  if (session.in_flight) session.in_flight->land();
}

Watchdog::Watchdog(milliseconds grace) : impl_(std::make_unique<Impl>(grace)) {}

Watchdog::~Watchdog() = default;

bool Watchdog::interrupted() const { return impl_->signal() != 0; }

Exit Watchdog::interruption() const {
  switch (impl_->signal()) {
    case 0:
      return Exit::ok;
    case SIGTERM:
      return Exit::terminated;
    default:
      return Exit::interrupted;
  }
}

void Watchdog::check() const { impl_->check(); }

void Watchdog::sleep(milliseconds duration) {
  pollfd signalled{.fd = impl_->signalled_fd(), .events = POLLIN, .revents = 0};
  const SteadyTime until = steady_clock::now() + std::max(duration, milliseconds(0));
  do {
    (void)poll(&signalled, 1, poll_timeout(until));
    check();
  } while (steady_clock::now() < until);
}

void Watchdog::wait_readable(int descriptor) {
  std::array<pollfd, 2> events{
      pollfd{.fd = impl_->signalled_fd(), .events = POLLIN, .revents = 0},
      pollfd{.fd = descriptor, .events = POLLIN, .revents = 0},
  };
  do {
    (void)poll(events.data(), events.size(), -1);
    check();
  } while (events[1].revents == 0);
}

}  // namespace kdb::pg
