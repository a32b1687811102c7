#include "host/trial_supervision.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "host/machine.hpp"
#include "host/trial_memory.hpp"
#include "host/trial_settings.hpp"
#include "model/known_settings.hpp"

namespace kdb::host {
namespace {

constexpr const char* does_not_start = "a server does not start with these settings";

[[noreturn]] void refuse_start(const std::string& details) {
  throw Error(Exit::refused, Problem{.message = does_not_start, .where = {}, .hint = "", .details = details});
}

[[noreturn]] void give_up(const std::string& reason) { throw Error(Exit::failed, reason); }

Settings joined(Settings all, const Settings& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// One trial; `settings_` are those that it will be started with.
class Trial {
 public:
  Trial(Server& server, const TrialStart& trial, const Pause& pause)
      : server_(server),
        trial_(trial),
        pause_(pause),
        declared_(declared_for_trial(trial)),
        settings_(joined(declared_, forced_in_trial(trial.major))) {}

  void check_itself() {
    const ProcessResult version = server_.ask("server_version_num", {}, pause_);
    if (version.exit != 0) give_up(fmt::format("a server does not start at all here: {}", version.error));
    const int major = std::atoi(version.out.c_str()) / 10000;
    if (major != trial_.major)
      give_up(fmt::format("the programs in \"{}\" are of PostgreSQL {}, the server is of {}", trial_.pg_bin,
                          major, trial_.major));
  }

  // The first question judges all that is declared. What archive_mode is forced to would hide a check that
  // the postmaster makes. -- PostmasterMain()
  void check_declared() {
    const std::string archive_mode = value("archive_mode", declared_);
    if (archive_mode != "off" && declared("wal_level") == "minimal")
      refuse_start("FATAL:  WAL archival cannot be enabled when wal_level is \"minimal\"");
  }

  void leave_ssl_out() {
    if (declared("ssl") != "on") return;
    const auto leave_out = [&](const std::string& reason) {
      settings_.emplace_back("ssl", "off");
      left_out_.push_back("ssl: tried without, for " + reason);
    };
    // It is another's command, and without it the server would ask a terminal.
    if (!setting_of(declared_, "ssl_passphrase_command").value_or("").empty())
      return leave_out("the passphrase of its key comes from a command");
    for (const std::string& file : ssl_files(trial_))
      if (!may_use(file))
        return leave_out(fmt::format("user \"{}\" may not use \"{}\"", server_.user().name, file));
  }

  void fit_memory() {
    need_ = {.bytes = 0,
             .huge_pages = declared("huge_pages"),
             .huge_page_count = 0,
             .huge_page_bytes = number("huge_page_size") * 1024};
    if (trial_.major >= 15) {
      need_.bytes = asked_number("shared_memory_size") << 20;
      if (need_.huge_pages == "on") need_.huge_page_count = asked_number("shared_memory_size_in_huge_pages");
    } else {
      need_.bytes = estimate();
    }
    const MemoryVerdict verdict = heed(need_);
    if (verdict.huge_pages_off) settings_.emplace_back("huge_pages", "off");
    if (!verdict.left_out.empty()) left_out_.push_back(verdict.left_out);
  }

  void start() {
    if (server_.run(settings_, pause_)) return;
    const std::string log = server_.log();
    const std::string reason = telling_lines(log, false);
    // On 14 only the server knows how much it is.
    if (const auto bytes = shared_memory_not_got(log)) {
      need_.bytes = std::max(need_.bytes, *bytes);
      need_.huge_page_count = 0;
      heed(need_);
      give_up(fmt::format("it got no shared memory beside what runs: {}", reason));
    }
    for (const std::string_view own : {"No space left on device", "could not bind", "Disk quota exceeded",
                                       "could not create any Unix-domain sockets", "Read-only file system"})
      if (log.find(own) != std::string::npos) give_up(fmt::format("the trial itself failed: {}", reason));
    refuse_start(reason);
  }

  std::vector<std::string> left_out() const { return left_out_; }

 private:
  std::string value(const std::string& name, const Settings& settings) {
    const ProcessResult result = server_.ask(name, settings, pause_);
    if (result.exit != 0) refuse_start(telling_lines(result.error, true));
    return result.out;
  }
  // What nobody declares is as built in: a question less for each.
  std::string declared(const std::string& name) {
    const SettingFacts* facts = find_known_setting(trial_.major, name);
    if (facts != nullptr && !setting_of(declared_, name)) return facts->standard;
    return value(name, declared_);
  }
  std::uint64_t number(const std::string& name) { return std::strtoull(declared(name).c_str(), nullptr, 10); }
  // Of what only the server knows; -1, where a kernel has no huge pages, is none.
  std::uint64_t asked_number(const std::string& name) {
    const std::string answer = value(name, settings_);
    return answer.starts_with('-') ? 0 : std::strtoull(answer.c_str(), nullptr, 10);
  }

  std::uint64_t estimate() {
    return estimate_shared_memory({.block_size = asked_number("block_size"),
                                   .shared_buffers = number("shared_buffers"),
                                   .wal_buffers = std::strtoll(declared("wal_buffers").c_str(), nullptr, 10),
                                   .wal_segment_bytes = trial_.wal_segment_bytes,
                                   .locks = number("max_locks_per_transaction") *
                                            (number("max_connections") + number("max_prepared_transactions")),
                                   .min_dynamic_shared_memory = number("min_dynamic_shared_memory")});
  }

  MemoryVerdict heed(const MemoryNeed& need) const {
    MemoryVerdict verdict =
        judge_memory(need, read_memory_room(trial_.memory, need.huge_page_bytes, files_below("")));
    if (verdict.refused) throw Error(Exit::refused, *verdict.refused);
    if (!verdict.not_tried.empty()) give_up(verdict.not_tried);
    return verdict;
  }

  // The server takes a key that is its user's or root's (check_ssl_key_file_permissions), so that with
  // another's it would be refused here and not there. What is not there is missed by both.
  bool may_use(const std::string& file) const {
    return run_as(server_.user(), [&] {
             struct stat status {};
             if (stat(file.c_str(), &status) != 0) return errno == EACCES ? 1 : 0;
             const bool may_own = status.st_uid == 0 || status.st_uid == geteuid();
             return may_own && access(file.c_str(), R_OK) == 0 ? 0 : 1;
           }) == 0;
  }

  Server& server_;
  const TrialStart& trial_;
  const Pause& pause_;
  Settings declared_;
  Settings settings_;
  MemoryNeed need_;
  std::vector<std::string> left_out_;
};

}  // namespace

Server::Options trial_options(const TrialStart& trial) {
  return {.pg_bin = trial.pg_bin,
          .settings = {},
          .wal_segment_mb = std::max<std::uint64_t>(trial.wal_segment_bytes >> 20, 1),
          .plain = true,
          .arguments = legible_log()};
}

std::vector<std::string> start_trial(Server& server, const TrialStart& trial, const Pause& pause) {
  server.prepare(pause);
  Trial running(server, trial, pause);
  running.check_itself();
  running.check_declared();
  running.leave_ssl_out();
  running.fit_memory();
  running.start();
  return running.left_out();
}

}  // namespace kdb::host
