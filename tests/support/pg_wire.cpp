#include "support/pg_wire.hpp"

#include <algorithm>
#include <utility>

namespace kdb::test {
namespace {

constexpr std::size_t kCancelCode = 80877102;
constexpr std::size_t kSslCode = 80877103;
constexpr std::size_t kGssCode = 80877104;

bool is_extended(char type) { return std::string_view("PBDEC").find(type) != std::string_view::npos; }

/// The SQL in a Query or Parse message. Parse has the statement's name before it.
std::string_view sql_of(char type, std::string_view body) {
  if (type == 'P') body.remove_prefix(std::min(body.size(), body.find('\0') + 1));
  return body.substr(0, body.find('\0'));
}

}  // namespace

std::size_t read_length(std::string_view bytes, std::size_t at) {
  std::size_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::optional<ClientPacket> ClientReader::next() { return started_ ? next_message() : next_startup(); }

std::optional<ClientPacket> ClientReader::next_startup() {
  if (buffer_.size() < 8) return std::nullopt;
  const std::size_t length = read_length(buffer_, 0);
  if (buffer_.size() < length) return std::nullopt;
  const std::size_t code = read_length(buffer_, 4);
  ClientPacket packet;
  packet.bytes = buffer_.substr(0, length);
  buffer_.erase(0, length);
  if (code == kSslCode || code == kGssCode) {
    packet.kind = ClientPacket::Kind::encryption_request;
  } else if (code == kCancelCode) {
    packet.kind = ClientPacket::Kind::cancel_request;
  } else {
    packet.kind = ClientPacket::Kind::startup;
    started_ = true;
  }
  return packet;
}

std::optional<ClientPacket> ClientReader::next_message() {
  while (buffer_.size() >= 5) {
    const std::size_t length = 1 + read_length(buffer_, 1);
    if (buffer_.size() < length) return std::nullopt;
    const std::string bytes = buffer_.substr(0, length);
    buffer_.erase(0, length);
    const char type = bytes[0];
    if (type == 'Q' || type == 'P') {
      if (!extended_.sql.empty()) extended_.sql += "; ";
      extended_.sql += sql_of(type, std::string_view(bytes).substr(5));
    }
    extended_.bytes += bytes;
    if (is_extended(type)) {
      extended_.kind = ClientPacket::Kind::query;
      continue;
    }
    if (type == 'Q' || type == 'F') extended_.kind = ClientPacket::Kind::query;
    if (type == 'X') extended_.kind = ClientPacket::Kind::terminate;
    return std::exchange(extended_, {});
  }
  return std::nullopt;
}

void ServerReader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (header_.size() < 5) {
      header_ += bytes.front();
      bytes.remove_prefix(1);
      if (header_.size() < 5) continue;
      left_ = read_length(header_, 1) - 4;
      key_.clear();
    }
    const std::string_view body = bytes.substr(0, left_);
    if (header_[0] == 'K') key_ += body;
    left_ -= body.size();
    bytes.remove_prefix(body.size());
    if (left_ > 0) return;
    if (header_[0] == 'Z') ++ready_;
    if (header_[0] == 'K' && key_.size() >= 4) pid_ = static_cast<int>(read_length(key_, 0));
    header_.clear();
  }
}

}  // namespace kdb::test
