#pragma once

#include <map>
#include <string>
#include <utility>

namespace kdb::test {

/// A descriptor that closes itself.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(); }

  int fd() const { return fd_; }
  void close();
  /// Closes with a reset instead of an orderly end.
  void reset();

 private:
  int fd_ = -1;
};

/// Where the server of a URL listens.
class Endpoint {
 public:
  /// Throws std::runtime_error for what libpq cannot read.
  explicit Endpoint(const std::string& url);

  /// A connection to it; without a descriptor if it cannot be reached.
  Socket connect() const;
  /// A connection that was begun and is not waited for.
  Socket connect_later() const;
  /// An option of the URL; empty where it is not set.
  std::string value(const std::string& keyword) const;
  /// The same URL for another port of 127.0.0.1.
  std::string url_through(int port) const;
  /// The same URL with one option changed.
  std::string url_with(const std::string& keyword, const std::string& value) const;

 private:
  std::map<std::string, std::string> options_;
};

/// Listens on a free port of 127.0.0.1, which is written to `port`. Never blocks in accept.
Socket listen_on_loopback(int& port, int backlog = 128);

}  // namespace kdb::test
