#include <iostream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "host/sandbox.hpp"
#include "host/supervisor.hpp"

namespace {

int sandbox(const std::vector<std::string>& arguments) {
  kdb::host::SandboxOptions options;
  std::vector<std::string> command;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--") {
      command.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (arguments[i] == "--pg-bin" && i + 1 < arguments.size()) {
      options.pg_bin = arguments[++i];
      continue;
    }
    throw kdb::Error(kdb::Exit::usage, "unknown argument \"" + arguments[i] + "\"",
                     "kdb sandbox [--pg-bin DIR] [-- COMMAND …]");
  }
  return kdb::host::run_in_sandbox(options, command, [&](const kdb::host::Sandbox& started) {
    if (!command.empty()) return;
    std::cout << started.url() << '\n' << started.tcp_url() << std::endl;
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (kdb::host::is_supervisor(argc, argv)) return kdb::host::supervisor_main(argc, argv);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (!arguments.empty() && arguments[0] == "sandbox")
      return sandbox({arguments.begin() + 1, arguments.end()});
  } catch (const kdb::Error& error) {
    std::cerr << "kdb: error: " << error.what() << '\n';
    const std::string& hint = error.problems().front().hint;
    if (!hint.empty()) std::cerr << "hint: " << hint << '\n';
    return static_cast<int>(error.exit());
  }
  return 0;
}
