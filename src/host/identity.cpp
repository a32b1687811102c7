#include "host/identity.hpp"

#include <array>

#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace kdb::host {

std::string who_and_where() {
  std::array<char, 256> name{};
  const std::string host = gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
  const passwd* user = getpwuid(geteuid());
  return (user != nullptr ? std::string(user->pw_name) : std::to_string(geteuid())) + "@" + host;
}

int terminal_width(int descriptor) {
  if (isatty(descriptor) == 0) return 0;
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace kdb::host
