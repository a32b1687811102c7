#include <cstdlib>

#include <doctest/doctest.h>

#include "host/supervisor.hpp"

int main(int argc, char** argv) {
  // A test that makes a host::Sandbox starts this very program as its supervisor.
  if (kdb::host::is_supervisor(argc, argv)) return kdb::host::supervisor_main(argc, argv);
  // Looking for leaks is a third of what starting and ending kdb costs under AddressSanitizer, and these
  // tests do so thousands of times. The transcripts of tests/cli look, and so does this program.
  setenv("ASAN_OPTIONS", "detect_leaks=0", 0);
  return doctest::Context(argc, argv).run();
}
