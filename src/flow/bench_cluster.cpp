#include "flow/bench_cluster.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/measured_settings.hpp"
#include "flow/apply.hpp"
#include "flow/asked_server.hpp"
#include "flow/bench_data.hpp"
#include "flow/bench_measure.hpp"
#include "flow/sandbox_plan.hpp"
#include "flow/tuning_facts.hpp"
#include "host/machine.hpp"
#include "host/pg_bin.hpp"
#include "pg/settle_policies.hpp"

namespace kdb::flow {

namespace {

using ClusterClock = std::chrono::steady_clock;
using SettingTexts = std::vector<std::pair<std::string, std::string>>;

/// As a production server writes, and with nothing that wakes up between two measurements.
SettingTexts bench_settings(bool with_timescaledb) {
  SettingTexts settings{{"fsync", "on"},
                        {"synchronous_commit", "on"},
                        {"full_page_writes", "on"},
                        {"wal_level", "replica"},
                        {"autovacuum", "off"},
                        {"max_wal_size", "4GB"},
                        {"track_io_timing", "off"},
                        {"checkpoint_timeout", "1h"}};
  if (with_timescaledb) settings.emplace_back("timescaledb.max_background_workers", "0");
  return settings;
}

/// What the profile declares for its server, shares of the memory resolved for this machine.
SettingTexts declared_settings(const files::Profile& profile) {
  files::Profile here = profile;
  here.server.memory.reset();  // the machine that it was written for is another one
  here.server.cpus.reset();
  TuneOptions options;
  const host::Machine machine = host::read_machine();
  if (machine.memory > 0) options.memory = machine.memory;
  if (machine.cpus > 0) options.cpus = machine.cpus;
  const TuningFacts facts = given_facts(here, options);
  const Tuned tuned = tune_or_refuse(facts, here, setting_knowledge(facts.major));
  SettingTexts settings;
  for (const WantedSetting& wanted : here.server.settings)
    for (const SettingLine& line : tuned.lines)
      if (line.name == wanted.name) settings.emplace_back(line.name, line.value);
  return settings;
}

SettingTexts all_settings(const Context& outside, const Design& design, const std::string& pg_bin) {
  SettingTexts settings = bench_settings(host::offers_timescaledb(host::find_pg_bin(pg_bin)));
  for (auto& one : declared_settings(design.profile)) {
    if (may_be_measured(one.first))
      settings.push_back(std::move(one));
    else
      outside.events({.kind = Event::Kind::warning,
                      .message = fmt::format("{}: {} is left out: a throwaway server has its own",
                                             design.name, one.first)});
  }
  return settings;
}

/// Everything but what is cheaper to build when the rows are there.
files::Profile before_loading(files::Profile profile) {
  profile.desired.of<Index>().clear();
  profile.desired.of<ContinuousAggregate>().clear();
  return profile;
}

/// A profile that declares hypertables counts on TimescaleDB, and does not make it.
std::vector<pg::WantedExtension> extensions_of(const files::Profile& profile, const std::string& pg_bin) {
  std::vector<pg::WantedExtension> wanted = wanted_extensions(profile, true);
  if (!profile.desired.of<Hypertable>().empty() && host::offers_timescaledb(host::find_pg_bin(pg_bin)))
    // Indexes of chunks are built one by one, in the schema of the chunks.
    wanted.insert(wanted.begin(), {.name = "timescaledb", .shared = "_timescaledb_internal"});
  return wanted;
}

std::chrono::milliseconds spent_since(ClusterClock::time_point begun) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(ClusterClock::now() - begun);
}

}  // namespace

bool may_be_measured(const std::string& setting) {
  for (const auto& measured : bench_settings(true))
    if (measured.first == setting) return false;
  return only_changes_costs(setting);
}

BenchCluster::BenchCluster(const Context& outside, const Design& design, const ReferenceData& data,
                           const BenchServer& server)
    : outside_(outside),
      design_(design),
      context_(outside.with(design.profile)),
      database_(context_, {.name = "bench",
                           .pg_bin = server.pg_bin,
                           .trust = server.trust,
                           .extensions = extensions_of(design.profile, server.pg_bin),
                           .settings = all_settings(outside, design, server.pg_bin)}) {
  measures_.name = design.name;
  // A migration that makes one where it is missing finds it: the owner of a database may make none.
  database_.make_declared_roles();
  for (const auto& role : outside.profile.desired.of<Role>())
    if (!role.absent) database_.make_role(role.value.name.name);
  fill(data);
  session_.emplace(open_session(inside()));
  measure_sizes(*session_->connection, measures_.sizes);
  note_server();
}

void BenchCluster::fill(const ReferenceData& data) {
  const auto tell = [&](std::string_view what) {
    outside_.events({.kind = Event::Kind::info, .message = fmt::format("{}: {}", design_.name, what)});
  };
  // What is told of each step is of a throwaway server, and of no use to anybody.
  Context migrating = inside();
  migrating.events = [events = outside_.events](const Event& event) {
    if (event.kind == Event::Kind::progress || event.kind == Event::Kind::debug) events(event);
  };
  replay(database_, migrating);
  // What sessions of roles begin with is theirs, and takes rights that the replay does not have.
  files::Profile profile = migrating.profile;
  profile.desired.of<Role>().clear();
  profile.desired.of<DatabaseSettings>().clear();
  const Context quiet = migrating.with(profile);
  const files::Profile early = before_loading(profile);
  const ApplyOptions options{
      .plan = {.migrations = false}, .saved = std::nullopt, .allow = {"all"}, .confirm = [](const Report&) {
        return true;
      }};
  apply(quiet.with(early), options);
  const ClusterClock::time_point loading = ClusterClock::now();
  tell("loading the reference data");
  {
    Session session = open_session(quiet);
    load_reference_data(quiet, session, {.data = data, .only = {}});
  }
  measures_.load = spent_since(loading);
  const ClusterClock::time_point building = ClusterClock::now();
  tell("building what is declared");
  apply(quiet, options);
  Session session = open_session(quiet);
  const pg::SettledPolicies settled = pg::settle_policies(*session.connection, "2026-01-01 00:00:00+00");
  measures_.sizes.closed_before = settled.before;
  measures_.sizes.closed_after = settled.after;
  session.connection->exec("VACUUM (ANALYZE)");
  database_.checkpoint();
  measures_.build = spent_since(building);
}

void BenchCluster::note_server() {
  pg::Connection& connection = *session_->connection;
  const pg::Result extension =
      connection.exec("SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'timescaledb'");
  measures_.server = "PostgreSQL " + session_->facts.version;
  if (!extension.empty()) measures_.server += ", TimescaleDB " + extension.text(0, 0);
}

}  // namespace kdb::flow
