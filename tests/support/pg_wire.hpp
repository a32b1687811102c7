#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kdb::test {

/// What a client sends, cut into what a proxy handles as one (PG docs 55.7 "Message Formats").
struct ClientPacket {
  enum class Kind {
    encryption_request,  // SSLRequest or GSSENCRequest: answered with one byte
    cancel_request,
    startup,
    query,      // Query, or Parse/Bind/Describe/Execute/Close up to Sync or Flush, or a function call
    terminate,  // the client says goodbye
    other,      // passwords, COPY data
  };
  Kind kind = Kind::other;
  std::string bytes;
  std::string sql;  // of a query: the texts of its Query or Parse messages, separated by "; "
};

/// Cuts a client's stream into packets.
class ClientReader {
 public:
  void feed(std::string_view bytes) { buffer_ += bytes; }
  /// The next whole packet, if it has arrived.
  std::optional<ClientPacket> next();

 private:
  std::optional<ClientPacket> next_startup();
  std::optional<ClientPacket> next_message();

  std::string buffer_;
  ClientPacket extended_;  // an extended query whose end has not arrived
  bool started_ = false;
};

/// Follows a server's stream without keeping it.
class ServerReader {
 public:
  void feed(std::string_view bytes);
  /// How many times the server has been ready for the next query.
  int ready() const { return ready_; }
  /// Of BackendKeyData; 0 before it came.
  int backend_pid() const { return pid_; }

 private:
  std::string header_;    // type and length of the message that is arriving
  std::size_t left_ = 0;  // bytes of its body still to come
  std::string key_;       // the body of BackendKeyData
  int ready_ = 0;
  int pid_ = 0;
};

/// The length that stands in the four bytes at `at`, in network order.
std::size_t read_length(std::string_view bytes, std::size_t at);

}  // namespace kdb::test
