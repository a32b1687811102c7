#include <unistd.h>

#include "cli/command.hpp"
#include "host/supervisor.hpp"

int main(int argc, char** argv) {
  if (kdb::host::is_supervisor(argc, argv)) return kdb::host::supervisor_main(argc, argv);
  const int status = kdb::cli::run(argc, argv);
#ifndef KDB_SANITIZED  // a leak detector looks when a program returns
  // Nothing of kdb's waits for its destructor, nor is any output kept back; what the libraries' destructors
  // do takes a fiftieth of a short command.
  _exit(status);
#else
  return status;
#endif
}
