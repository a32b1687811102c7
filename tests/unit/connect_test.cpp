#include "pg/connect.hpp"

#include <deque>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace kdb::connect_test {

using namespace kdb::pg;
using std::chrono::milliseconds;

namespace {

ServerError failure(const char* sqlstate, const char* message) {
  ServerError error;
  error.sqlstate = sqlstate;
  error.message = message;
  error.phase = Phase::connecting;
  error.session_ended = true;
  return error;
}

RetryPolicy once() {
  RetryPolicy policy;
  policy.max_attempts = 1;
  return policy;
}

/// A world in which every attempt takes 100 ms and fails as it is told; then one works.
struct World {
  std::deque<ServerError> failures = {};
  bool for_ever = false;  // the last failure stays
  std::vector<milliseconds> limits = {};
  std::vector<milliseconds> pauses = {};
  std::vector<std::string> events = {};
  std::chrono::steady_clock::time_point time{};

  std::unique_ptr<Connection> open(const ConnectSettings& settings) {
    limits.push_back(settings.connect_limit);
    time += milliseconds(100);
    if (failures.empty()) return nullptr;
    const ServerError error = failures.front();
    if (!for_ever || failures.size() > 1) failures.pop_front();
    throw error;
  }

  std::unique_ptr<Connection> connect(const RetryPolicy& policy,
                                      const std::string& url = "postgresql://db:6432/shop") {
    ConnectSettings settings;
    settings.url = url;
    return connect_with_retry(settings, policy,
                              [this](const Event& event) {
                                CHECK(event.kind == Event::Kind::retry);
                                events.push_back(event.message);
                              },
                              {.open = [this](const ConnectSettings& limited) { return open(limited); },
                               .now = [this] { return time; },
                               .sleep =
                                   [this](milliseconds pause) {
                                     pauses.push_back(pause);
                                     time += pause;
                                   },
                               .random = [] { return 0.0; }});
  }

  Problem refusal(const RetryPolicy& policy = {}) {
    try {
      connect(policy);
    } catch (const Error& error) {
      CHECK(error.exit() == Exit::failed);
      return error.problems().front();
    }
    FAIL("connected");
    return {};
  }
};

}  // namespace

TEST_CASE("a starting server is waited for, and each attempt is reported") {
  World world{.failures = {failure("57P03", "the database system is starting up"),
                           failure("", "Connection refused")}};
  world.connect({});
  CHECK(world.pauses == std::vector<milliseconds>{milliseconds(100), milliseconds(200)});
  CHECK(world.events ==
        std::vector<std::string>{
            "cannot connect to db:6432: the database system is starting up (57P03); retrying in 100 ms "
            "(attempt 2 of 10)",
            "cannot connect to db:6432: Connection refused; retrying in 200 ms (attempt 3 of 10)"});
}

TEST_CASE("what will not pass is not tried again") {
  for (const char* code : {"28P01", "28000", "3D000", "42501", "0A000"}) {
    CAPTURE(code);
    World world{.failures = {failure(code, "no")}};
    const Problem problem = world.refusal();
    CHECK(problem.message == std::string("cannot connect to db:6432: no (") + code + ")");
    CHECK(world.limits.size() == 1);
    CHECK(world.events.empty());
  }
}

TEST_CASE("attempts end at their maximum") {
  World world{.failures = {failure("", "Connection refused")}, .for_ever = true};
  RetryPolicy policy;
  policy.max_attempts = 3;
  const Problem problem = world.refusal(policy);
  CHECK(problem.message == "cannot connect to db:6432: Connection refused (3 attempts in 600 ms)");
  CHECK(world.limits.size() == 3);
  CHECK(world.pauses.size() == 2);
}

TEST_CASE("attempts end at the deadline, pauses included") {
  World world{.failures = {failure("53300", "sorry, too many clients already")}, .for_ever = true};
  RetryPolicy policy;
  policy.max_attempts = 1'000;
  policy.deadline = milliseconds(5'000);
  world.refusal(policy);
  CHECK(world.time.time_since_epoch() <= policy.deadline);
  REQUIRE(world.limits.size() > 1);
  CHECK(world.limits.front() == milliseconds(5'000));
  CHECK(world.limits.back() < world.limits.front());
  CHECK(world.limits.back() >= milliseconds(1'000));
}

TEST_CASE("without a deadline only the number of attempts counts") {
  World world{.failures = {failure("", "Connection refused")}, .for_ever = true};
  RetryPolicy policy;
  policy.deadline = milliseconds(0);
  policy.max_attempts = 50;
  world.refusal(policy);
  CHECK(world.limits == std::vector<milliseconds>(50, milliseconds(0)));
}

TEST_CASE("every cause of a failed connect has its hint") {
  struct Row {
    const char* sqlstate;
    const char* message;
    const char* hint;
  };
  const Row rows[] = {
      {"3D000", "database \"x\" does not exist", "create the database"},
      {"28P01", "password authentication failed for user \"me\"", "~/.pgpass"},
      {"28000", "role \"me\" does not exist", "pg_hba.conf"},
      {"42501", "permission denied for database", "grant"},
      {"53300", "sorry, too many clients already", "max_connections"},
      {"57P03", "the database system is starting up", "log"},
      {"08P01", "no such database: x", "pooler"},
      {"", "fe_sendauth: no password supplied", "PGPASSWORD"},
      {"", "server does not support SSL, but SSL was required", "sslmode"},
      {"", "SSL error: certificate verify failed", "sslrootcert"},
      {"", "could not load private key file", "sslkey"},
      {"", "SSL error: tlsv1 alert", "sslmode"},
      {"", "No such file or directory", "kdb sandbox"},
      {"", "Connection refused", "listen_addresses"},
      {"", "could not translate host name \"h\" to address: Name or service not known", "host's name"},
      {"", "definition of service \"x\" not found", "service file"},
      {"", "session is read-only", "target_session_attrs"},
      {"", "no answer within 10.0 s", "firewalls"},
      {"", "Connection timed out", "firewalls"},
      {"", "Network is unreachable", "firewalls"},
      {"", "No route to host", "firewalls"},
      {"", "expected authentication request from server, but received H", "PostgreSQL server"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message);
    World world{.failures = {failure(row.sqlstate, row.message)}, .for_ever = true};
    const Problem problem = world.refusal(once());
    CAPTURE(problem.hint);
    CHECK(problem.hint.find(row.hint) != std::string::npos);
  }
}

TEST_CASE("the server's own detail and hint are shown") {
  ServerError error = failure("57P03", "the database system is not yet accepting connections");
  error.detail = "Consistent recovery state has not been yet reached.";
  World world{.failures = {error}, .for_ever = true};
  const Problem problem = world.refusal(once());
  CHECK(problem.message ==
        "cannot connect to db:6432: the database system is not yet accepting connections (57P03)");
  CHECK(problem.details == "detail: Consistent recovery state has not been yet reached.");
  ServerError other = failure("99999", "strange");
  other.hint = "do something";
  World strange{.failures = {other}};
  const Problem hinted = strange.refusal();
  CHECK(hinted.hint == "do something");
  CHECK(hinted.details.empty());  // not twice
}

TEST_CASE("an interrupted pause ends the attempts") {
  ConnectSettings settings;
  const ConnectMeans means{
      .open = [](const ConnectSettings&) -> std::unique_ptr<Connection> {
        throw failure("", "Connection refused");
      },
      .now = [] { return std::chrono::steady_clock::time_point(); },
      .sleep = [](milliseconds) { throw Error(Exit::interrupted, "interrupted by SIGINT"); },
      .random = [] { return 0.0; }};
  try {
    connect_with_retry(
        settings, {}, [](const Event&) {}, means);
    FAIL("connected");
  } catch (const Error& error) {
    CHECK(error.exit() == Exit::interrupted);
  }
}

}  // namespace kdb::connect_test
