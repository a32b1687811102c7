#include "host/sandbox.hpp"

#include "cli/commands.hpp"

namespace kdb::cli {

Exit sandbox(Context& context) {
  const auto started = [&](const host::Sandbox& server) {
    if (!context.rest().empty()) return;
    context.print_raw(server.url() + "\n" + server.tcp_url() + "\n");
    context.events()(
        {.kind = Event::Kind::info, .message = "a throwaway server is running; Ctrl-C ends and removes it"});
  };
  return static_cast<Exit>(
      host::run_in_sandbox({.pg_bin = context.arguments().value("pg-bin")}, context.rest(), started));
}

}  // namespace kdb::cli
