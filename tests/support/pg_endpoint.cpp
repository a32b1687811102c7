#include "support/pg_endpoint.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace kdb::test {
namespace {

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '_' || c == '-' || c == '.' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return encoded;
}

Socket connect_to_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return {};
  std::memcpy(address.sun_path, path.c_str(), path.size());
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(socket.fd(), raw, sizeof address) == 0 ? std::move(socket) : Socket();
}

Socket connect_to_host(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &list) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(list, freeaddrinfo);
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    Socket socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket.fd(), at->ai_addr, at->ai_addrlen) != 0) continue;
    const int on = 1;
    setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
  }
  return {};
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Socket::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

Endpoint::Endpoint(const std::string& url) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(url.c_str(), &message), PQconninfoFree);
  if (!options) throw std::runtime_error(message);
  for (const PQconninfoOption* at = options.get(); at->keyword != nullptr; ++at) {
    if (at->val != nullptr) options_.emplace(at->keyword, at->val);
  }
}

Socket Endpoint::connect() const {
  const auto otherwise = [](std::string value, const char* fallback) {
    return value.empty() ? fallback : value;
  };
  const std::string host = otherwise(value("host"), otherwise(value("hostaddr"), "localhost").c_str());
  const std::string port = otherwise(value("port"), "5432");
  return host.front() == '/' ? connect_to_path(host + "/.s.PGSQL." + port) : connect_to_host(host, port);
}

Socket Endpoint::connect_later() const {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(value("port"))));
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  (void)::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return socket;
}

std::string Endpoint::value(const std::string& keyword) const {
  const auto found = options_.find(keyword);
  return found == options_.end() ? std::string() : found->second;
}

std::string Endpoint::url_through(int port) const {
  Endpoint other = *this;
  other.options_.erase("hostaddr");
  other.options_["host"] = "127.0.0.1";
  return other.url_with("port", std::to_string(port));
}

std::string Endpoint::url_with(const std::string& changed, const std::string& to) const {
  std::map<std::string, std::string> options = options_;
  options[changed] = to;
  std::string url = "postgresql://";
  char separator = '?';
  for (const auto& [keyword, text] : options) {
    url += separator + keyword + "=" + percent_encode(text);
    separator = '&';
  }
  return url;
}

Socket listen_on_loopback(int& port, int backlog) {
  Socket listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener.fd(), raw, size) != 0 || listen(listener.fd(), backlog) != 0 ||
      getsockname(listener.fd(), raw, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "listen on 127.0.0.1");
  }
  port = ntohs(address.sin_port);
  return listener;
}

}  // namespace kdb::test
