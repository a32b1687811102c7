// COMMAND at a terminal: it has the keyboard, and kdb behaves as a shell's job does.
#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/place.hpp"
#include "support/process.hpp"

using kdb::test::eventually;
using kdb::test::Place;

namespace {

// A shell at a terminal of its own; what is written to it is typed.
class Typist {
 public:
  explicit Typist(const Place& place) {
    pid_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (pid_ < 0) throw std::runtime_error("no terminal");
    if (pid_ > 0) return;
    for (const auto& [name, value] : place.environment) setenv(name.c_str(), value.c_str(), 1);
    setenv("PS1", "$ ", 1);
    for (const int number : {SIGINT, SIGQUIT, SIGTSTP, SIGPIPE}) signal(number, SIG_DFL);
    execlp("bash", "bash", "--norc", "--noprofile", "--noediting", "-i", nullptr);
    _exit(127);
  }
  ~Typist() {
    ::close(terminal_);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Typist(const Typist&) = delete;
  Typist& operator=(const Typist&) = delete;

  void type(const std::string& text) const {
    if (::write(terminal_, text.data(), text.size()) < 0) throw std::runtime_error("the terminal is gone");
  }

  // Reads until the text shows up, and forgets what was up to there.
  void expect(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (std::size_t found = seen_.find(text); true; found = seen_.find(text)) {
      if (found != std::string::npos) return static_cast<void>(seen_.erase(0, found + text.size()));
      if (std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error("no " + text + " in: " + seen_);
      pollfd source{.fd = terminal_, .events = POLLIN, .revents = 0};
      std::array<char, 4096> buffer{};
      if (poll(&source, 1, 100) <= 0) continue;
      const ssize_t count = ::read(terminal_, buffer.data(), buffer.size());
      if (count > 0) seen_.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  pid_t pid_ = -1;
  int terminal_ = -1;
  std::string seen_;
};

// What is typed is echoed: the scripts print words that they do not contain.
const std::string in_sandbox = std::string(KDB_BINARY) + " sandbox -- sh -c ";

}  // namespace

TEST_CASE("COMMAND reads what is typed, and the shell has the terminal again afterwards") {
  const Place place;
  Typist shell(place);
  shell.type(in_sandbox + "'echo up$((1+1)); read x; echo got-$x; exit 3'; echo exit=$?\n");
  shell.expect("up2");
  shell.type("hello\n");
  shell.expect("got-hello");
  shell.expect("exit=3");
  shell.type("echo again$((1+1))\n");
  shell.expect("again2");
  CHECK(place.is_clean());
}

TEST_CASE("Ctrl-C is COMMAND's to handle, and kdb does not hear of it") {
  const Place place;
  Typist shell(place);
  shell.type(in_sandbox +
             R"x('trap "echo caught\$((1+1)); exit 6" INT; echo up$((1+1)); while :; do sleep 0.1; done')x" +
             "; echo exit=$?\n");
  shell.expect("up2");
  shell.type("\x03");
  shell.expect("caught2");
  shell.expect("exit=6");
  CHECK(place.is_clean());
}

TEST_CASE("a COMMAND that Ctrl-C ends leaves nothing") {
  const Place place;
  Typist shell(place);
  shell.type(in_sandbox + "'echo up$((1+1)); exec sleep 1000'; echo exit=$?\n");
  shell.expect("up2");
  shell.type("\x03");
  shell.expect("exit=130");
  CHECK(place.is_clean());
}

TEST_CASE("Ctrl-Z stops the job, fg continues it") {
  const Place place;
  Typist shell(place);
  shell.type(in_sandbox + "'echo up$((1+1)); read x; echo got-$x; exit 4'\n");
  shell.expect("up2");
  shell.type("\x1a");
  shell.expect("Stopped");
  shell.type("fg >/dev/null; echo exit=$?\n");
  shell.expect("exit=$?");
  shell.type("hello\n");
  shell.expect("got-hello");
  shell.expect("exit=4");
  CHECK(place.is_clean());
}

TEST_CASE("a COMMAND in a pipeline may still read the terminal") {
  const Place place;
  Typist shell(place);
  shell.type(in_sandbox + "'echo up$((1+1)); read x; echo got-$x' | cat; echo exit=${PIPESTATUS[0]}\n");
  shell.expect("up2");
  shell.type("hello\n");
  shell.expect("got-hello");
  shell.expect("exit=0");
  CHECK(place.is_clean());
}

TEST_CASE("Ctrl-C ends a COMMAND in a pipeline too") {
  const Place place;
  Typist shell(place);
  shell.type(
      in_sandbox +
      "'echo up$((1+1)); exec sleep 1000' | sh -c 'trap \"\" INT; exec cat'; echo exit=${PIPESTATUS[0]}\n");
  shell.expect("up2");
  shell.type("\x03");
  shell.expect("exit=130");
  CHECK(place.is_clean());
}

TEST_CASE("Ctrl-C in a pipeline leaves COMMAND its server, to end well") {
  const Place place;
  Typist shell(place);
  shell.type(
      in_sandbox +
      R"x('trap "psql -Atc \"SELECT 40+2\"; exit 8" INT; echo up$((1+1)); while :; do sleep 0.1; done')x" +
      " | sh -c 'trap \"\" INT; exec cat'; echo exit=${PIPESTATUS[0]}\n");
  shell.expect("up2");
  shell.type("\x03");
  shell.expect("42");
  shell.expect("exit=130");
  CHECK(place.is_clean());
}
