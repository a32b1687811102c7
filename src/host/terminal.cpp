#include "host/terminal.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace kdb::host {

Terminal::Terminal() : fd_(open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  termios modes{};
  if (fd_ && tcgetattr(fd_.get(), &modes) == 0) modes_ = modes;
}

bool Terminal::is_ours() const { return fd_ && tcgetpgrp(fd_.get()) == getpgrp(); }

void Terminal::give_to(pid_t group) const { tcsetpgrp(fd_.get(), group); }

void Terminal::take_back() const {
  tcsetpgrp(fd_.get(), getpgrp());
  if (modes_) tcsetattr(fd_.get(), TCSADRAIN, &*modes_);
}

}  // namespace kdb::host
