#include "support/typist.hpp"

#include <array>
#include <chrono>
#include <stdexcept>

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kdb::test {

Typist::Typist(const Environment& environment) {
  winsize size{};
  size.ws_col = 80;
  size.ws_row = 40;
  pid_ = forkpty(&terminal_, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::runtime_error("no terminal");
  if (pid_ > 0) return;
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  setenv("PS1", "$ ", 1);
  for (const int number : {SIGINT, SIGQUIT, SIGTSTP, SIGPIPE}) signal(number, SIG_DFL);
  execlp("bash", "bash", "--norc", "--noprofile", "--noediting", "-i", nullptr);
  _exit(127);
}

Typist::~Typist() {
  ::close(terminal_);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Typist::type(const std::string& text) const {
  if (::write(terminal_, text.data(), text.size()) < 0) throw std::runtime_error("the terminal is gone");
}

std::string Typist::expect(const std::string& text) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (std::size_t found = seen_.find(text); true; found = seen_.find(text)) {
    if (found != std::string::npos) {
      std::string before = seen_.substr(0, found);
      seen_.erase(0, found + text.size());
      return before;
    }
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("no " + text + " in: " + seen_);
    pollfd source{.fd = terminal_, .events = POLLIN, .revents = 0};
    std::array<char, 4096> buffer{};
    if (poll(&source, 1, 100) <= 0) continue;
    const ssize_t count = ::read(terminal_, buffer.data(), buffer.size());
    if (count > 0) seen_.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace kdb::test
