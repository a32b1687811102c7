#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flow/session.hpp"
#include "host/sandbox.hpp"
#include "pg/owned_database.hpp"

namespace kdb::flow {

struct SandboxDatabaseOptions {
  std::string name;    // of the database
  std::string pg_bin;  // as of host::SandboxOptions
  /// Sessions are the superuser's; otherwise those of a role that owns the database and reaches neither files
  /// nor programs.
  bool trust = false;
  std::vector<pg::WantedExtension> extensions;
  std::vector<std::pair<std::string, std::string>> settings;  // of the server, over kdb's own
};

/// A stretch of the WAL, in bytes from its beginning.
struct WalRange {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

/// A database on a throwaway server, gone with this object. libpq's variables are gone too.
class SandboxDatabase {
 public:
  SandboxDatabase(const Context& outside, const SandboxDatabaseOptions& options);
  SandboxDatabase(const SandboxDatabase&) = delete;
  SandboxDatabase& operator=(const SandboxDatabase&) = delete;

  /// For flows that work in it. Its profile expects nothing of the database, and refuses no hazards.
  const Context& inside() const { return inside_; }
  /// The extensions that were made.
  const std::vector<std::string>& extensions() const { return extensions_; }
  /// The roles that were.
  const std::vector<std::string>& roles() const { return roles_; }
  bool trusts() const { return database_.login.empty(); }

  /// Calls `work`, again while it ends with the want of a role: roles belong to a server and not to a
  /// database. Each is made without any rights, with a warning.
  void with_roles(const std::function<void()>& work);
  /// Makes a role so, if there is none of the name.
  void make_role(const std::string& name);
  /// The same for those of the profile's `[roles]`.
  void make_declared_roles();
  /// Writes out what the whole server has in memory.
  void checkpoint() const;
  /// What of these stretches are whole pages, in bytes; nothing where the server cannot tell, or has these
  /// stretches no more: pg_walinspect came with PostgreSQL 15, and not with every package of it.
  std::optional<std::int64_t> full_page_bytes(const std::vector<WalRange>& ranges) const;

 private:
  std::unique_ptr<pg::Connection> connect_as_superuser(const std::string& database) const;

  const Context& outside_;
  files::Profile profile_;
  pg::OwnedDatabase database_;
  host::Sandbox sandbox_;
  Context inside_;
  std::vector<std::string> extensions_;
  std::vector<std::string> roles_;
};

}  // namespace kdb::flow
