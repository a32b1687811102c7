#include <doctest/doctest.h>

#include "host/supervisor.hpp"

int main(int argc, char** argv) {
  // A test that makes a host::Sandbox starts this very program as its supervisor.
  if (kdb::host::is_supervisor(argc, argv)) return kdb::host::supervisor_main(argc, argv);
  return doctest::Context(argc, argv).run();
}
