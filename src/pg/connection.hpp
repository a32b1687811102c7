#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/retry.hpp"
#include "pg/copy.hpp"

namespace kdb::pg {

class Watchdog;

/// How a server is reached and how a session is kept alive.
struct ConnectSettings {
  std::string url;  // URL or conninfo; empty: libpq's own environment (PGHOST, PGSERVICE, .pgpass …)
  std::string application_name = "kdb";
  std::chrono::milliseconds connect_timeout{10'000};  // all hosts together; the URL's own comes first
  std::chrono::milliseconds connect_limit{0};     // no attempt takes longer, whatever the URL says; 0: none
  std::chrono::milliseconds response_timeout{0};  // client-side deadline of each statement; 0: none
  std::chrono::milliseconds keepalives_idle{30'000};
  std::chrono::milliseconds keepalives_interval{10'000};
  int keepalives_count = 3;
};

/// An error of the server or of the way to it. SQLSTATE also for failed connects; empty where no server
/// spoke.
class ServerError : public std::exception {
 public:
  std::string sqlstate;
  std::string message;  // primary message, without "ERROR:" and without any password
  std::string detail;
  std::string hint;
  std::string context;  // the call stack inside of the server: "PL/pgSQL function f() line 3 at RAISE"
  int line = 0;         // in the text that was passed to exec, from 1; 0 where the server gave no position
  int column = 0;       // in characters, from 1; 0 where unknown
  bool session_ended = false;
  Phase phase = Phase::outside_transaction;

  const char* what() const noexcept override { return message.c_str(); }
};

/// Rows as text, copied out of the driver, all in one piece of memory.
class Result {
 public:
  using Value = std::optional<std::string>;

  Result() = default;
  explicit Result(std::vector<std::string> columns) : columns_(std::move(columns)) {}
  /// The next value, row by row; NULL is nothing.
  void add(std::optional<std::string_view> value);

  const std::vector<std::string>& columns() const { return columns_; }
  size_t size() const { return columns_.empty() ? 0 : ends_.size() / columns_.size(); }
  bool empty() const { return ends_.empty(); }
  /// The value of row and column as text, valid as long as the result; throws std::out_of_range. NULL is "".
  std::string_view view(size_t row, size_t column) const;
  std::string text(size_t row, size_t column) const { return std::string(view(row, column)); }
  bool is_null(size_t row, size_t column) const { return is_null_[index_of(row, column)]; }
  bool boolean(size_t row, size_t column) const { return view(row, column) == "t"; }
  std::int64_t integer(size_t row, size_t column) const;

  std::int64_t affected = 0;  // of the last statement that counts rows

 private:
  size_t index_of(size_t row, size_t column) const;

  std::vector<std::string> columns_;  // their names
  std::string bytes_;
  std::vector<size_t> ends_;  // where each value ends and the next begins
  std::vector<bool> is_null_;
};

/// One session, without silent reconnect: what was set or locked in it holds until it is destroyed or an
/// error with `session_ended` is thrown. One thread at a time.
class Connection {
 public:
  /// Opens the session; throws ServerError{phase = connecting}, Error(interrupted), or Error(usage) for a
  /// malformed URL. No retry in here: see connect_with_retry.
  Connection(const ConnectSettings& settings, Watchdog& watchdog);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs one or several statements by the simple protocol and returns the rows of the last one that has any.
  /// A signal or a passed deadline cancels them on the server: Error(interrupted/terminated), or ServerError
  /// 57014; where the server does not answer that either, Error(interrupted/terminated), or ServerError with
  /// session_ended. What is `committing` is never cancelled, and its loss is always a ServerError. What
  /// completes in spite of a signal returns normally; the next call throws.
  Result exec(std::string_view sql, Phase phase = Phase::outside_transaction);
  /// One statement with parameters ($1 …).
  Result exec(std::string_view sql, const std::vector<Result::Value>& parameters,
              Phase phase = Phase::outside_transaction);
  /// `COPY … FROM STDIN`, one statement, with the rows of the source; Result::affected says how many they
  /// were. Signals and the deadline, which is that of the whole statement, end it as they end exec(); what
  /// the source throws does too, and flies on. Throws ServerError as exec does: of a row its context names
  /// table, line and column.
  Result copy(std::string_view sql, const CopySource& source, Phase phase = Phase::outside_transaction);
  /// Runs statements that tidy up (ROLLBACK, the journal's last row, an unlock) even after a signal, but not
  /// longer than `deadline`. Throws ServerError as exec does.
  Result exec_cleanup(std::string_view sql,
                      std::chrono::milliseconds deadline = std::chrono::milliseconds(5'000));

  /// Runs statements of a session that is worth nothing unless it answers soon: after `deadline` (0: none) it
  /// is ended without a cancel, so that no silent network takes longer. A signal does not stop it. Throws as
  /// exec_cleanup does.
  Result exec_or_end(std::string_view sql, std::chrono::milliseconds deadline);
  /// Whether the server has closed its end, as far as this machine has heard: nothing is sent. libpq notices
  /// only when it next reads.
  bool peer_closed() const;

  /// The pid that the server announced when the session was opened (a pooler's is not that of the backend).
  int announced_pid() const;
  /// As server_version_num: 150020.
  int server_version() const;
  bool is_open() const;
  /// Whether the session reads '\\' as one character, as the SQL standard and kdb's scanner do: the server
  /// reports standard_conforming_strings whenever it changes.
  bool conforming_strings() const;
  /// Whether no transaction block is open, not even a failed one.
  bool outside_transaction() const;
  /// Whether a transaction block is open and has not failed.
  bool in_transaction() const;
  /// Whether text goes to and from the server as UTF-8, as it does until a statement sets client_encoding.
  bool is_utf8() const;
  /// `host:port`, or the socket's folder; never a password.
  std::string endpoint() const;
  std::string database() const;
  std::string user() const;

  /// Receives NOTICE and WARNING messages ("WARNING:  there is no transaction in progress"), trimmed; those
  /// that came before, while connecting, at once. The handler must not throw.
  void on_notice(std::function<void(std::string_view)> handler);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The URL or conninfo with any password replaced by `***`; what cannot be parsed is `***` from where a
/// password may begin.
std::string redact(std::string_view url);

}  // namespace kdb::pg
