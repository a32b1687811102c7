#pragma once

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "pg/connection.hpp"
#include "pg/watchdog.hpp"

namespace kdb::test {

/// The server's URL: over its socket, or over the loopback where a test puts something in between.
inline std::string server_url(const char* variable = "DATABASE_URL") {
  const char* url = std::getenv(variable);
  REQUIRE_MESSAGE(url != nullptr, variable << " names no server: run the tests in `kdb sandbox`");
  return url;
}

inline pg::ConnectSettings settings_for(const std::string& url) {
  pg::ConnectSettings settings;
  settings.url = url;
  return settings;
}

/// Whether the condition comes true within ten seconds.
template <typename Condition>
bool soon(const Condition& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// The error that the statement ends with.
inline pg::ServerError failure_of(pg::Connection& connection, const std::string& sql,
                                  Phase phase = Phase::outside_transaction) {
  try {
    connection.exec(sql, phase);
  } catch (const pg::ServerError& error) {
    return error;
  }
  FAIL("no error: " << sql);
  return {};
}

/// The error that connecting ends with.
inline pg::ServerError connect_failure(const pg::ConnectSettings& settings) {
  pg::Watchdog watchdog;
  try {
    const pg::Connection connection(settings, watchdog);
  } catch (const pg::ServerError& error) {
    return error;
  }
  FAIL("connected");
  return {};
}

}  // namespace kdb::test
