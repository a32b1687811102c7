#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct pg_conn;

namespace kdb::pg {

/// libpqxx behind one door: runs statements on a session that libpq has opened. It adapts to 6.4 (Debian 12)
/// and 7.10 (Debian 13). libpqxx shows only the last result and little of an error; Connection reads both
/// from libpq's events.
class Driver {
 public:
  /// Takes over the session and closes it in the end. Throws what libpqxx does if it does not like the
  /// server.
  explicit Driver(pg_conn* session);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// Runs the statements; what libpqxx says if it is not content.
  std::optional<std::string> run(const std::string& sql);
  std::optional<std::string> run(const std::string& sql,
                                 const std::vector<std::optional<std::string>>& parameters);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kdb::pg
