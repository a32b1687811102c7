#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "flow/asked_server.hpp"

namespace kdb::flow {

/// A server that is proved to be on this machine.
struct LocalServer {
  pid_t pid = 0;
  std::string data;    // its data directory
  std::string pg_bin;  // the folder of its programs; empty where it cannot be told
};

std::optional<LocalServer> find_local_server(Session& session, const AskedServer& asked);

/// Starts a throwaway server with what that one would have at its next start, `lines` over it and the lines
/// of the file `replaced` left out. Returns what came of it, in a sentence or two. Throws Error(refused) with
/// the server's words where it does not start.
std::vector<std::string> try_settings(const Context& context, const AskedServer& asked,
                                      const std::optional<LocalServer>& local,
                                      const std::vector<SettingLine>& lines, const std::string& replaced);

}  // namespace kdb::flow
