#include "cli/command.hpp"
#include "host/supervisor.hpp"

int main(int argc, char** argv) {
  if (kdb::host::is_supervisor(argc, argv)) return kdb::host::supervisor_main(argc, argv);
  return kdb::cli::run(argc, argv);
}
