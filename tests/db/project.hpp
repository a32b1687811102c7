#pragma once

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include "db/session.hpp"
#include "pg/connection.hpp"
#include "pg/watchdog.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace kdb::test {

/// The same server, another database.
inline std::string with_database(const std::string& url, const std::string& name) {
  const std::string wanted = "/postgres";
  const size_t query = std::min(url.find('?'), url.size());
  const size_t at = url.rfind(wanted, query);
  REQUIRE(at != std::string::npos);
  return url.substr(0, at + 1) + name + url.substr(at + wanted.size());
}

/// A session of the test's own.
class Session {
 public:
  explicit Session(const std::string& url) : connection_(settings_for(url), watchdog_) {}

  pg::Result exec(const std::string& sql) { return connection_.exec(sql); }
  std::string text(const std::string& sql) {
    const pg::Result result = exec(sql);
    REQUIRE_FALSE(result.empty());
    return result.is_null(0, 0) ? "" : result.text(0, 0);
  }
  pg::Connection& connection() { return connection_; }

 private:
  pg::Watchdog watchdog_;
  pg::Connection connection_;
};

/// Creates and drops databases, over a session that it keeps: a test may need hundreds.
class Administrator {
 public:
  void create_database(const std::string& name) {
    exec([&](Session& session) {
      // Without durability copying files is twice as fast as the default, through the WAL.
      const bool chooses = session.text("SELECT current_setting('server_version_num')::int >= 150000") == "t";
      session.exec(fmt::format("CREATE DATABASE {}{}", name, chooses ? " STRATEGY file_copy" : ""));
    });
  }
  void drop_database(const std::string& name) {
    exec([&](Session& session) {
      session.exec(fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name));
    });
  }

 private:
  /// A test may have ended the session, or the server: then with a new one.
  template <class Work>
  void exec(const Work& work) {
    try {
      if (session_) return work(*session_);
    } catch (const std::exception&) {
    }
    work(session_.emplace(server_url()));
  }

  std::optional<Session> session_;
};

inline Administrator& administrator() {
  static Administrator administrator;
  return administrator;
}

/// A database of the test's own, dropped at its end.
class Database {
 public:
  Database() : name_("t" + std::to_string(getpid()) + "_" + std::to_string(++number())) {
    administrator().create_database(name_);
  }
  ~Database() {
    try {
      administrator().drop_database(name_);
    } catch (const std::exception&) {
      // A test that stops the server has nothing left to drop.
    }
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& name() const { return name_; }
  std::string url() const { return with_database(server_url(), name_); }
  std::string tcp_url() const { return with_database(server_url("KDB_SANDBOX_TCP_URL"), name_); }
  /// Connecting costs the server more than most statements: one session serves them all, unless it is
  /// in use or the test has ended it.
  template <class Work>
  std::invoke_result_t<Work, Session&> in_session(const Work& work) const {
    const Use use(session_in_use_);
    if (!use.mine) {
      Session another(url());
      return work(another);
    }
    if (session_) {
      try {
        return work(*session_);
      } catch (const pg::ServerError& error) {
        if (!error.session_ended) throw;
      }
    }
    return work(session_.emplace(url()));
  }

  /// Each as if in a session of its own: what it sets for its session is not to be relied on.
  pg::Result exec(const std::string& sql) const {
    return in_session([&](Session& session) { return session.exec(sql); });
  }
  std::string text(const std::string& sql) const {
    return in_session([&](Session& session) { return session.text(sql); });
  }

  /// All that a run may leave behind: columns, indexes with their validity, rows, the history's verdicts.
  std::string state() const {
    return in_session([](Session& session) { return state_in(session); });
  }

 private:
  static std::string state_in(Session& session) {
    std::string state = session.text(R"(
      SELECT coalesce(string_agg(line, E'\n' ORDER BY line), '') FROM (
        SELECT format('column %s.%s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) AS line
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        UNION ALL
        SELECT format('index %s valid=%s ready=%s %s', i.indexrelid::regclass, i.indisvalid, i.indisready,
                      pg_get_indexdef(i.indexrelid))
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT format('partition %s of %s pending=%s', inhrelid::regclass, inhparent::regclass, inhdetachpending)
        FROM pg_inherits
        UNION ALL
        SELECT format('value %s', enumlabel) FROM pg_enum) lines)");
    const pg::Result tables = session.exec(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY "
        "1");
    for (size_t row = 0; row < tables.size(); ++row) {
      const std::string& table = tables.text(row, 0);
      state += "\nrows " + table + " " +
               session.text(
                   "SELECT count(*) || ' ' || md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) "
                   "FROM \"" +
                   table + "\" t");
    }
    if (session.text("SELECT to_regclass('kdb.migrations') IS NOT NULL") == "t")
      state +=
          "\nhistory " + session.text(
                             "SELECT string_agg(key || ' ' || state || ' ' || checksum, ', ' ORDER BY key) "
                             "FROM kdb.migrations");
    return state;
  }

  static int& number() {
    static int last = 0;
    return last;
  }
  struct Use {
    explicit Use(std::atomic<bool>& used) : in_use(used), mine(!used.exchange(true)) {}
    ~Use() {
      if (mine) in_use = false;
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    std::atomic<bool>& in_use;
    bool mine;
  };

  std::string name_;
  mutable std::atomic<bool> session_in_use_{false};
  mutable std::optional<Session> session_;
};

/// A folder of migrations, and kdb running on it.
class Project {
 public:
  /// A native migration.
  void migration(const std::string& version_and_name, const std::string& up, const std::string& down = {}) {
    file(version_and_name + ".sql",
         "-- migrate:up\n" + up + (down.empty() ? "" : "\n-- migrate:down\n" + down));
  }
  void file(const std::string& name, const std::string& text) { folder_.write("migrations/" + name, text); }
  std::string folder() const { return folder_.path() / "migrations"; }

  std::vector<std::string> command(const std::string& url, const std::vector<std::string>& words) const {
    std::vector<std::string> command = {KDB_BINARY};
    command.insert(command.end(), words.begin(), words.end());
    command.insert(command.end(), {"-d", url, "--migrations", folder()});
    // The default profile of the folder in which the tests run is not theirs.
    if (std::find(words.begin(), words.end(), "-p") == words.end())
      command.insert(command.end(), {"-p", folder_.write("empty.toml", "").string()});
    return command;
  }
  Run kdb(const std::string& url, const std::vector<std::string>& words) const {
    return run(command(url, words));
  }
  Run up(const std::string& url) const { return kdb(url, {"migrate", "up"}); }

 private:
  TempDir folder_;
};

}  // namespace kdb::test
