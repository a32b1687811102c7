#include "base/retry.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include <doctest/doctest.h>

namespace kdb::retry_test {

using std::chrono::milliseconds;

namespace {

const Random kNever = [] { return 0.0; };
const Random kAlways = [] { return 0.999999; };

struct Row {
  Phase phase;
  const char* sqlstate;
  bool ended;
  const char* message;
  RetryClass expected;
};

constexpr Phase kConnecting = Phase::connecting;
constexpr Phase kInside = Phase::in_transaction;
constexpr Phase kOutside = Phase::outside_transaction;
constexpr Phase kCommitting = Phase::committing;

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.phase));
    CAPTURE(row.sqlstate);
    CAPTURE(row.ended);
    CAPTURE(row.message);
    CHECK(static_cast<int>(classify_error(row.phase, row.sqlstate, row.ended, row.message)) ==
          static_cast<int>(row.expected));
  }
}

}  // namespace

TEST_CASE("what may pass is retried while connecting, and nothing else") {
  check({
      {kConnecting, "", true, "Connection refused", RetryClass::reconnect},
      {kConnecting, "", true, "No such file or directory", RetryClass::reconnect},
      {kConnecting, "", true, "Network is unreachable", RetryClass::reconnect},
      {kConnecting, "", true, "no answer within 10 s", RetryClass::reconnect},
      {kConnecting, "", true,
       "could not translate host name \"h\" to address: Temporary failure in name resolution",
       RetryClass::reconnect},
      {kConnecting, "", true, "server closed the connection unexpectedly", RetryClass::reconnect},
      {kConnecting, "", true, "SSL SYSCALL error: EOF detected", RetryClass::reconnect},
      {kConnecting, "", true, "session is read-only", RetryClass::reconnect},
      {kConnecting, "", true, "could not translate host name \"h\" to address: Name or service not known",
       RetryClass::never},
      {kConnecting, "", true, "server does not support SSL, but SSL was required", RetryClass::never},
      {kConnecting, "", true, "SSL error: certificate verify failed", RetryClass::never},
      {kConnecting, "", true, "root certificate file \"/x\" does not exist", RetryClass::never},
      {kConnecting, "", true, "fe_sendauth: no password supplied", RetryClass::never},
      {kConnecting, "", true, "invalid sslmode value: \"x\"", RetryClass::never},
      {kConnecting, "57P03", true, "the database system is starting up", RetryClass::reconnect},
      {kConnecting, "57P01", true, "", RetryClass::reconnect},
      {kConnecting, "57014", true, "canceling authentication due to timeout", RetryClass::reconnect},
      {kConnecting, "53300", true, "sorry, too many clients already", RetryClass::reconnect},
      {kConnecting, "53200", true, "", RetryClass::reconnect},
      {kConnecting, "08001", true, "", RetryClass::reconnect},
      {kConnecting, "08004", true, "", RetryClass::reconnect},
      {kConnecting, "08006", true, "", RetryClass::reconnect},
      {kConnecting, "28P01", true, "password authentication failed", RetryClass::never},
      {kConnecting, "28000", true, "no pg_hba.conf entry", RetryClass::never},
      {kConnecting, "3D000", true, "database does not exist", RetryClass::never},
      {kConnecting, "0A000", true, "", RetryClass::never},
      {kConnecting, "42501", true, "", RetryClass::never},
      {kConnecting, "53100", true, "", RetryClass::never},
      {kConnecting, "58030", true, "", RetryClass::never},
  });
}

TEST_CASE("a pooler's 08P01 is decided by its text") {
  check({
      {kConnecting, "08P01", true, "client_login_timeout (server down)", RetryClass::reconnect},
      {kConnecting, "08P01", true, "query_wait_timeout", RetryClass::reconnect},
      {kConnecting, "08P01", true, "the database system is shutting down", RetryClass::reconnect},
      {kConnecting, "08P01", true, "no more connections allowed (max_client_conn)", RetryClass::reconnect},
      {kConnecting, "08P01", true, "unsupported startup parameter: options", RetryClass::never},
      {kConnecting, "08P01", true, "no such database: x", RetryClass::never},
      {kInside, "08P01", true, "query_wait_timeout", RetryClass::lost},
      {kInside, "08P01", true, "invalid packet", RetryClass::never},
      {kInside, "08P01", false, "bind message supplies 1 parameters", RetryClass::never},
      {kCommitting, "08P01", true, "server conn crashed?", RetryClass::in_doubt},
  });
}

TEST_CASE("an error inside of a transaction is retried by its class") {
  check({
      {kInside, "40001", false, "could not serialize access", RetryClass::transaction},
      {kInside, "40P01", false, "deadlock detected", RetryClass::transaction},
      {kInside, "XX000", false, "tuple concurrently updated", RetryClass::transaction},
      {kInside, "XX000", false, "tuple concurrently deleted", RetryClass::transaction},
      {kInside, "72000", false, "snapshot too old", RetryClass::transaction},
      {kInside, "XX000", false, "cache lookup failed", RetryClass::never},
      {kInside, "55P03", false, "canceling statement due to lock timeout", RetryClass::lock},
      {kInside, "55006", false, "", RetryClass::lock},
      {kInside, "53200", false, "out of memory", RetryClass::resources},
      {kInside, "53400", false, "", RetryClass::resources},
      {kInside, "25006", false, "cannot execute in a read-only transaction", RetryClass::reconnect},
      {kInside, "57014", false, "canceling statement due to user request", RetryClass::never},
      {kInside, "53100", false, "could not extend file: No space left on device", RetryClass::never},
      {kInside, "58030", false, "", RetryClass::never},
      {kInside, "XX001", true, "", RetryClass::never},
      {kInside, "XX002", false, "", RetryClass::never},
      {kInside, "57P04", true, "the database was dropped", RetryClass::never},
      // COMMIT that the server refused is as certain as any other error.
      {kCommitting, "40001", false, "", RetryClass::transaction},
      {kCommitting, "23505", false, "deferred", RetryClass::never},
      {kCommitting, "57014", false, "", RetryClass::never},
  });
  for (const char* code : {"22012", "23505", "23503", "42601", "42P01", "42501", "21000", "2B000", "25P02",
                           "54000", "P0001", "0A000", "F0000", "08006", "28000"}) {
    check({{kInside, code, false, "", RetryClass::never}, {kOutside, code, false, "", RetryClass::never}});
  }
}

TEST_CASE("a lost session is decided by what it was doing") {
  for (const char* code : {"", "57P01", "57P02", "25P03", "57P05", "08006"}) {
    check({{kInside, code, true, "", RetryClass::lost},
           {kCommitting, code, true, "", RetryClass::in_doubt},
           {kOutside, code, true, "", RetryClass::inspect}});
  }
  check({
      // The code alone says that the session is over.
      {kInside, "57P01", false, "", RetryClass::lost},
      {kOutside, "25P03", false, "", RetryClass::inspect},
      {kCommitting, "40003", false, "", RetryClass::in_doubt},
      {kCommitting, "08007", false, "", RetryClass::in_doubt},
      {kCommitting, "57P04", true, "", RetryClass::in_doubt},
      {kOutside, "40003", false, "", RetryClass::inspect},
      {kOutside, "53100", true, "", RetryClass::inspect},
  });
}

TEST_CASE("outside of a transaction nothing is repeated blindly") {
  check({
      {kOutside, "40001", false, "", RetryClass::inspect},
      {kOutside, "40P01", false, "", RetryClass::inspect},
      {kOutside, "XX000", false, "tuple concurrently updated", RetryClass::inspect},
      {kOutside, "55P03", false, "", RetryClass::lock},
      {kOutside, "57014", false, "", RetryClass::never},
  });
}

TEST_CASE("pauses grow by the factor up to the maximum") {
  const RetryPolicy policy;
  const int expected[] = {100, 200, 400, 800, 1'600, 3'200, 5'000, 5'000};
  for (int attempt = 0; attempt < 8; ++attempt) {
    CAPTURE(attempt);
    CHECK(backoff_delay(policy, attempt, milliseconds(0), kNever).count() == expected[attempt]);
  }
}

TEST_CASE("jitter stays within its bounds") {
  RetryPolicy policy;
  policy.jitter = Jitter::additive;
  CHECK(backoff_delay(policy, 0, milliseconds(0), kAlways).count() == 119);
  CHECK(backoff_delay(policy, 9, milliseconds(0), kAlways) == policy.max_delay);
  policy.jitter = Jitter::full;
  CHECK(backoff_delay(policy, 3, milliseconds(0), kNever).count() == 0);
  CHECK(backoff_delay(policy, 3, milliseconds(0), kAlways).count() == 799);
  policy.jitter = Jitter::decorrelated;
  CHECK(backoff_delay(policy, 3, milliseconds(0), kAlways).count() == 100);
  CHECK(backoff_delay(policy, 3, milliseconds(400), kNever).count() == 100);
  CHECK(backoff_delay(policy, 3, milliseconds(400), kAlways).count() == 1'199);
  CHECK(backoff_delay(policy, 3, milliseconds(4'000), kAlways) == policy.max_delay);
}

TEST_CASE("any policy gives a pause between nothing and its maximum") {
  std::mt19937_64 engine(20260115);
  const auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine);
  };
  const double factors[] = {0,
                            0.5,
                            1,
                            1.5,
                            2,
                            1e9,
                            std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN(),
                            -2,
                            1e300};
  const milliseconds maxima[] = {milliseconds(-5), milliseconds(0), milliseconds(1), milliseconds(5'000),
                                 milliseconds::max()};
  for (int round = 0; round < 2'000; ++round) {
    RetryPolicy policy;
    policy.initial = milliseconds(static_cast<int>(uniform(-10, 10'000)));
    policy.max_delay = maxima[static_cast<size_t>(uniform(0, 5))];
    policy.factor = factors[static_cast<size_t>(uniform(0, 10))];
    policy.jitter = static_cast<Jitter>(static_cast<int>(uniform(0, 3)));
    const int attempt = static_cast<int>(uniform(-1, 1'000'000));
    const milliseconds previous(static_cast<milliseconds::rep>(uniform(0, 9e18)));
    const milliseconds pause = backoff_delay(policy, attempt, previous, [&] { return uniform(0, 1); });
    CAPTURE(round);
    CHECK(pause.count() >= 0);
    CHECK(pause <= std::max(policy.max_delay, milliseconds(0)));
  }
}

TEST_CASE("without jitter a later pause is never shorter") {
  for (const double factor : {1.0, 1.1, 2.0, 10.0}) {
    RetryPolicy policy;
    policy.factor = factor;
    policy.max_delay = milliseconds(60'000);
    milliseconds before{0};
    for (int attempt = 0; attempt < 200; ++attempt) {
      const milliseconds pause = backoff_delay(policy, attempt, before, kNever);
      CAPTURE(attempt);
      CHECK(pause >= before);
      before = pause;
    }
    CHECK(backoff_delay(policy, 1'000'000, before, kNever) >= before);
  }
}

}  // namespace kdb::retry_test
