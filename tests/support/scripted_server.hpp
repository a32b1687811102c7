#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/pg_endpoint.hpp"

namespace kdb::test {

/// A server that answers a client's first packet with the first reply, the second with the second, and so on:
/// what no real server can be made to say. One client after the other.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> replies);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  /// With a password, "hunter2", that must not be seen again.
  std::string url() const;
  /// Whether a client has closed its connection after the last reply.
  bool left() const { return left_; }

  /// Closes the connection after so many replies; without it, the client has to.
  void hang_up_after(int replies) { patience_ = replies; }

  /// AuthenticationOk, the version, ReadyForQuery.
  static std::string welcome();
  static std::string error(std::string_view sqlstate, std::string_view message);
  /// A message of the protocol: its type, its length, its body.
  static std::string message(char type, std::string_view body);

 private:
  void serve();
  bool wait(const Socket& socket) const;

  std::vector<std::string> replies_;
  int port_ = 0;  // before the listener, which sets it
  Socket listener_;
  Socket stop_event_;
  std::atomic<bool> left_{false};
  std::atomic<int> patience_{-1};
  std::thread thread_;  // last: it uses all the others
};

}  // namespace kdb::test
