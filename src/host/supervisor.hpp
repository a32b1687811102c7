#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace kdb::host {

/// Whether this process was started to be a sandbox's supervisor; then main must call supervisor_main and
/// nothing else.
bool is_supervisor(int argc, char** argv);

/// Whether main has asked is_supervisor. A program that does not would, as a supervisor, do all that it does,
/// and if that makes sandboxes, without end.
bool can_be_supervisor();

/// The supervisor: `kdb __supervise PG_BIN [NAME=VALUE]…` with the link to kdb as file descriptor 3, or
/// `kdb __supervise PG_BIN --trial` with a packet of trial_fields waiting on the link.
int supervisor_main(int argc, char** argv);

/// What kdb and its supervisor tell each other, one message a packet.
namespace supervisor_link {

constexpr int fd = 3;
constexpr std::string_view command_word = "__supervise";
constexpr std::string_view trial_word = "--trial";  // no setting's name begins so
constexpr std::string_view ready = "ready";  // supervisor: url, tcp url, folder, pid of the server, left out…
constexpr std::string_view error = "error";       // supervisor: exit status, message, hint, details
constexpr std::size_t most_bytes = 16384;         // of a supervisor's packet
constexpr std::size_t most_trial_bytes = 131072;  // of a trial's; net.core.wmem_default is 212992

/// Fields to a packet and back.
std::string pack(const std::vector<std::string>& fields);
std::vector<std::string> unpack(std::string_view packet);

}  // namespace supervisor_link

}  // namespace kdb::host
