#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.hpp"

namespace kdb::pg {

/// A transaction in which statements are tried, and which is rolled back whatever happens.
class Rehearsal {
 public:
  using Refused = std::function<void(size_t number, const ServerError& error)>;

  /// No transaction may be open on the connection. `settings` are SET LOCAL statements.
  Rehearsal(Connection& connection, std::string_view settings);
  ~Rehearsal();
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  /// Runs all statements that the server takes, in their order, and calls `refused` for each other one. One
  /// message if all are taken; otherwise they are halved until those that are not stand alone. Throws what is
  /// no verdict on a statement: a lock that is not had, a signal, a lost session, a server without memory.
  void run(const std::vector<std::string>& statements, const Refused& refused);
  /// What the server would say of a statement that is taken back at once; nothing if it takes it.
  std::optional<ServerError> verdict(const std::string& statement);
  Result query(const std::string& sql) { return connection_.exec(sql, Phase::in_transaction); }
  /// The destructor's work where nothing failed, so that a failure of it is heard of.
  void roll_back();

 private:
  void run(const std::vector<std::string>& statements, size_t begin, size_t end, const Refused& refused);
  std::optional<ServerError> attempt(const std::string& sql);

  Connection& connection_;
  bool open_ = false;
};

}  // namespace kdb::pg
