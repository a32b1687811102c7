#include "flow/tuning_facts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "host/machine.hpp"
#include "host/postmaster.hpp"
#include "host/server_disk.hpp"
#include "model/known_settings.hpp"

namespace kdb::flow {

namespace {

/// The command line's word, or else the profile's.
template <class T>
std::optional<Known<T>> given(const std::optional<T>& option, std::string_view flag,
                              const std::optional<T>& profile, std::string_view key) {
  if (option) return Known<T>{*option, std::string(flag)};
  if (profile) return Known<T>{*profile, fmt::format("[server] {}", key)};
  return std::nullopt;
}

bool counts_on_timescaledb(const files::Profile& profile) {
  const auto& extensions = profile.desired.of<Extension>();
  const auto& settings = profile.server.settings;
  return !profile.desired.of<Hypertable>().empty() ||
         std::any_of(extensions.begin(), extensions.end(),
                     [](const auto& one) { return !one.absent && one.value.name.name == "timescaledb"; }) ||
         std::any_of(settings.begin(), settings.end(),
                     [](const WantedSetting& one) { return one.name.starts_with("timescaledb."); });
}

}  // namespace

TuningFacts given_facts(const files::Profile& profile, const TuneOptions& options) {
  const files::ServerSection& server = profile.server;
  TuningFacts facts;
  facts.memory = given(options.memory, "--memory", server.memory, "memory");
  facts.cpus = given(options.cpus, "--cpus", server.cpus, "cpus");
  facts.disk = given(options.disk, "--disk", parse_disk(server.disk), "disk");
  facts.connections = given(options.connections, "--connections", server.connections, "connections");
  if (const auto workload =
          given(options.workload, "--workload", parse_workload(server.workload), "workload"))
    facts.workload = *workload;
  facts.major = options.major.value_or(newest_known_major);
  facts.major_source = options.major ? "--pg" : "the newest that kdb knows";
  facts.timescaledb = options.timescaledb || counts_on_timescaledb(profile);
  return facts;
}

namespace {

void add_machine(TuningFacts& facts, const host::Machine& machine, std::string_view whose) {
  if (!facts.memory && machine.memory > 0)
    facts.memory = Known<std::uint64_t>{machine.memory, fmt::format("{}{}", whose, machine.memory_source)};
  if (!facts.cpus && machine.cpus > 0)
    facts.cpus = Known<double>{machine.cpus, fmt::format("{}{}", whose, machine.cpus_source)};
  facts.shared_memory = machine.shared_memory;
}

/// What this machine says of a server's process on it.
void add_local_facts(const pg::ServerTuning& server, pid_t pid, TuningFacts& facts) {
  if (!facts.disk)
    if (const auto kind = host::guess_disk_kind(server.data_directory))
      facts.disk = Known<Disk>{*kind, "a guess by what the kernel says"};
  const std::string wal = server.data_directory + "/pg_wal";
  if (const auto disk = host::find_disk(wal, server.data_directory, server.started))
    facts.wal_disk = disk->size;
  add_machine(facts, host::read_machine(std::to_string(pid)), "");
}

}  // namespace

void add_found_facts(const Context& context, pg::Connection& connection, const pg::ServerTuning& server,
                     TuningFacts& facts) {
  facts.timescaledb = facts.timescaledb || server.timescaledb;
  facts.chunks = server.chunks;
  facts.jobs = server.jobs;
  facts.database_bytes = server.database_bytes;
  facts.wal_rate = server.wal_rate;
  const auto pid =
      pg::may_be_local(connection) ? host::find_server(server.data_directory, server.started) : std::nullopt;
  if (pid) {
    add_local_facts(server, *pid, facts);
  } else if (facts.memory && facts.cpus) {
    return;
  } else if (pg::may_read_files(connection)) {
    add_machine(facts,
                host::read_machine(
                    "self", [&](const std::string& path) { return pg::read_server_file(connection, path); }),
                "the server's ");
  } else {
    context.events(
        {.kind = Event::Kind::info,
         .message = "the server's machine is not known to be this one, and this role may not read its files: "
                    "its memory and CPUs are not known"});
  }
}

}  // namespace kdb::flow
