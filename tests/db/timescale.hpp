#pragma once

#include <optional>
#include <string>

#include "db/project.hpp"

namespace kdb::test {

/// The server with TimescaleDB of one edition. The community edition becomes the Apache one, for sessions
/// that begin then, by its setting; undone at the end.
class Timescale {
 public:
  explicit Timescale(bool apache) {
    Session session(server_url());
    if (session.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'") == "0")
      reason_ = "no TimescaleDB";
    else if (session.text("SHOW shared_preload_libraries").find("timescaledb") == std::string::npos)
      reason_ = "the server does not preload TimescaleDB";
    if (!reason_.empty()) return;
    probe_.emplace().exec("CREATE EXTENSION timescaledb");
    if (license() == "apache") {
      if (!apache) reason_ = "TimescaleDB is of the Apache edition";
    } else if (apache) {
      changed_ = true;
      set("SET timescaledb.license TO 'apache'", "apache");
    }
  }
  ~Timescale() {
    if (changed_) set("RESET timescaledb.license", "timescale");
  }
  Timescale(const Timescale&) = delete;
  Timescale& operator=(const Timescale&) = delete;

  /// Why it is not there; empty if it is.
  const std::string& reason() const { return reason_; }

  void make_tablespace(const std::string& name) const {
    Session session(server_url());
    if (session.text("SELECT count(*) FROM pg_tablespace WHERE spcname = '" + name + "'") != "0") return;
    session.exec("SET allow_in_place_tablespaces TO on");
    session.exec("CREATE TABLESPACE \"" + name + "\" LOCATION ''");
  }

 private:
  /// Of new sessions.
  std::string license() const { return probe_->text("SHOW timescaledb.license"); }

  void set(const std::string& change, const std::string& wanted) const {
    Session session(probe_->url());  // only there the server knows the setting
    session.exec("ALTER SYSTEM " + change);
    session.exec("SELECT pg_reload_conf()");
    CHECK(soon([&] { return license() == wanted; }));
  }

  std::optional<Database> probe_;
  std::string reason_;
  bool changed_ = false;
};

/// A database with TimescaleDB in a schema of its own, where names without one do not find it, that can be
/// emptied faster than it can be made.
class TimescaleDatabase : public Database {
 public:
  explicit TimescaleDatabase(std::string setup) : setup_(std::move(setup)) {
    exec("CREATE SCHEMA ts; CREATE EXTENSION timescaledb SCHEMA ts; CREATE SCHEMA \"o.dd\"");
    exec(setup_);
  }
  void start_again() const {
    exec("SET client_min_messages TO warning; DROP SCHEMA public, \"o.dd\" CASCADE");
    exec("CREATE SCHEMA public; CREATE SCHEMA \"o.dd\"");
    exec(setup_);
  }

 private:
  std::string setup_;
};

}  // namespace kdb::test
