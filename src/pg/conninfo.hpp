#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pg/connection.hpp"

namespace kdb::pg {

/// The keywords and values for libpq: what the user gave, then our own where the user gave none.
struct Conninfo {
  std::vector<std::pair<std::string, std::string>> options;
  std::chrono::milliseconds deadline{0};  // for the whole connect, all hosts together; 0: none
  bool own_tcp_user_timeout = false;      // ours, to be raised once the session is open

  /// The value of a keyword; empty where it is not set.
  std::string value(std::string_view keyword) const;
};

/// Whether it begins as libpq's URLs do.
bool is_url(std::string_view text);

/// A bare name is a database, as for psql; empty counts too.
bool is_database_name(std::string_view text);

/// An `@` or `/` of a password that was not percent-encoded: libpq would take a part of the password for a
/// host, a port or a database, and name it in its message.
bool has_stray_separator(std::string_view url);

/// Throws Error(usage), without any part of the URL, if it is malformed.
Conninfo make_conninfo(const ConnectSettings& settings);

/// `host:port` or the socket's folder, for messages, from what libpq would take; several hosts are joined by
/// commas.
std::string describe_target(const ConnectSettings& settings);

/// `host:port`, `[v6]:port`, or the folder alone.
std::string format_endpoint(std::string_view host, std::string_view port);

}  // namespace kdb::pg
