#include "support/scripted_server.hpp"

#include <array>
#include <csignal>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

namespace kdb::test {

ScriptedServer::ScriptedServer(std::vector<std::string> replies)
    : replies_(std::move(replies)),
      listener_(listen_on_loopback(port_)),
      stop_event_(eventfd(0, EFD_CLOEXEC)) {
  // Signals are for the program under test.
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { serve(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ScriptedServer::~ScriptedServer() {
  (void)eventfd_write(stop_event_.fd(), 1);
  thread_.join();
}

std::string ScriptedServer::url() const {
  return "postgresql://me:hunter2@127.0.0.1:" + std::to_string(port_) +
         "/shop?sslmode=disable&gssencmode=disable";
}

/// Until the socket has something. False when the server is to end.
bool ScriptedServer::wait(const Socket& socket) const {
  std::array<pollfd, 2> fds{pollfd{.fd = stop_event_.fd(), .events = POLLIN, .revents = 0},
                            pollfd{.fd = socket.fd(), .events = POLLIN, .revents = 0}};
  (void)poll(fds.data(), fds.size(), -1);
  return fds[0].revents == 0;
}

void ScriptedServer::serve() {
  std::array<char, 4096> packet{};
  while (wait(listener_)) {
    const Socket client(accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    int answered = 0;
    for (const std::string& reply : replies_) {
      if (!wait(client) || recv(client.fd(), packet.data(), packet.size(), 0) <= 0) break;
      (void)send(client.fd(), reply.data(), reply.size(), MSG_NOSIGNAL);
      ++answered;
    }
    while (answered != patience_ && wait(client) && recv(client.fd(), packet.data(), packet.size(), 0) > 0) {
    }
    left_ = true;
  }
}

std::string ScriptedServer::message(char type, std::string_view body) {
  const auto length = static_cast<unsigned>(body.size() + 4);
  std::string bytes(1, type);
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(length >> shift & 0xFFU);
  return bytes.append(body);
}

std::string ScriptedServer::error(std::string_view sqlstate, std::string_view text) {
  std::string body;
  for (const auto& [code, value] :
       {std::pair<char, std::string_view>{'S', "FATAL"}, {'V', "FATAL"}, {'C', sqlstate}, {'M', text}}) {
    body += code;
    body.append(value).append(1, '\0');
  }
  return message('E', body.append(1, '\0'));
}

std::string ScriptedServer::welcome() {
  const std::string version = std::string("server_version").append(1, '\0').append("15.0").append(1, '\0');
  return message('R', std::string(4, '\0')) + message('S', version) + message('Z', "I");
}

}  // namespace kdb::test
