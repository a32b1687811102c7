// What of the progress comes into a file or pipe.
#include "cli/log.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "support/temp_dir.hpp"

namespace kdb::test::log_test {

namespace {

/// What is written to stderr meanwhile.
class Stderr {
 public:
  Stderr() : before_(dup(STDERR_FILENO)) {
    const int file = open((folder_.path() / "err").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    dup2(file, STDERR_FILENO);
    close(file);
  }
  ~Stderr() { give_back(); }
  Stderr(const Stderr&) = delete;
  Stderr& operator=(const Stderr&) = delete;

  std::string take() {
    give_back();
    return read_file(folder_.path() / "err");
  }

 private:
  void give_back() {
    if (before_ < 0) return;
    dup2(before_, STDERR_FILENO);
    close(before_);
    before_ = -1;
  }

  TempDir folder_;
  int before_;
};

std::string written(const cli::LogOptions& options, const std::vector<Event>& events) {
  Stderr err;
  {
    cli::Log log(options);
    for (const Event& event : events) log(event);
  }
  return err.take();
}

const std::vector<Event> progress = {
    {.kind = Event::Kind::progress, .message = "index i"},
    {.kind = Event::Kind::progress,
     .message = "index i",
     .figures = " · 1 s · waits for a lock: pid 7\npid 8"},
    {.kind = Event::Kind::progress, .message = "index i", .figures = " · 2 s · 50 %"},
};

}  // namespace

TEST_CASE("progress is a line of its own where there is no terminal, and no more than one in a while") {
  CHECK(written({}, progress).empty());
  const std::string all = written({.line_interval = std::chrono::milliseconds(0)}, progress);
  CHECK(all.find('\r') == std::string::npos);
  CHECK(std::count(all.begin(), all.end(), '\n') == 2);
  CHECK(all.find("index i · 2 s · 50 %\n") != std::string::npos);
  CHECK(written({.quiet = true, .line_interval = std::chrono::milliseconds(0)}, progress).empty());
}

TEST_CASE("progress among lines of JSON is such a line") {
  const std::string all =
      written({.json = true, .width = 80, .line_interval = std::chrono::milliseconds(0)}, progress);
  CHECK(std::count(all.begin(), all.end(), '\n') == 2);
  CHECK(all.find(R"("message":"index i · 2 s · 50 %"})") != std::string::npos);
  CHECK(all.find("{\"time\":") == 0);
}

}  // namespace kdb::test::log_test
