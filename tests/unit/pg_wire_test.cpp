#include "support/pg_wire.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace kdb::pg_wire_test {

using namespace kdb::test;
using Kind = ClientPacket::Kind;

namespace {

std::string number(size_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(value >> shift & 0xFFU);
  return bytes;
}

std::string message(char type, const std::string& body) { return type + number(body.size() + 4) + body; }

std::string startup(size_t code, const std::string& body = {}) {
  return number(8 + body.size()) + number(code) + body;
}

const std::string kNul(1, '\0');

}  // namespace

TEST_CASE("a client's stream is cut into the same packets however it arrives") {
  const std::string parse = message('P', kNul + "SELECT $1" + kNul + std::string(2, '\0'));
  const std::string extended =
      parse + message('B', "b") + message('D', "d") + message('E', "e") + message('S', "");
  const std::string stream = startup(80877103) + startup(196608, "user" + kNul + "me" + kNul + kNul) +
                             message('p', "secret") + message('Q', "SELECT 1" + kNul) + extended +
                             message('d', "row") + parse + message('H', "") + message('X', "");
  for (size_t step = 1; step <= stream.size(); ++step) {
    ClientReader reader;
    std::vector<ClientPacket> packets;
    std::string whole;
    for (size_t at = 0; at < stream.size(); at += step) {
      reader.feed(std::string_view(stream).substr(at, step));
      while (auto packet = reader.next()) packets.push_back(*packet);
    }
    for (const ClientPacket& packet : packets) whole += packet.bytes;
    CAPTURE(step);
    CHECK(whole == stream);
    REQUIRE(packets.size() == 8);
    CHECK(packets[0].kind == Kind::encryption_request);
    CHECK(packets[1].kind == Kind::startup);
    CHECK(packets[2].kind == Kind::other);
    CHECK(packets[3].kind == Kind::query);
    CHECK(packets[3].sql == "SELECT 1");
    CHECK(packets[4].kind == Kind::query);
    CHECK(packets[4].sql == "SELECT $1");
    CHECK(packets[4].bytes == extended);
    CHECK(packets[5].kind == Kind::other);
    CHECK(packets[6].kind == Kind::query);
    CHECK(packets[7].kind == Kind::terminate);
  }
}

TEST_CASE("a cancel request is recognised") {
  ClientReader reader;
  reader.feed(startup(80877102, number(7) + number(8)));
  CHECK(reader.next()->kind == Kind::cancel_request);
  CHECK_FALSE(reader.next().has_value());
}

TEST_CASE("a server's readiness and pid are seen however its stream arrives") {
  const std::string stream = message('R', number(0)) + message('S', "TimeZone" + kNul + "Z" + kNul) +
                             message('K', number(4711) + number(1)) + message('Z', "I") + message('n', "") +
                             message('D', std::string(300, 'Z')) + message('Z', "T");
  for (size_t step = 1; step <= stream.size(); ++step) {
    ServerReader reader;
    for (size_t at = 0; at < stream.size(); at += step)
      reader.feed(std::string_view(stream).substr(at, step));
    CAPTURE(step);
    CHECK(reader.ready() == 2);
    CHECK(reader.backend_pid() == 4711);
  }
}

}  // namespace kdb::pg_wire_test
