// What kdb itself would set, and what it says of what is declared.
#include "core/tune.hpp"

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

#include "base/text.hpp"
#include "core/wanted_setting.hpp"
#include "files/profile.hpp"
#include "flow/tuning_facts.hpp"
#include "model/known_settings.hpp"
#include "support/cases.hpp"

namespace kdb {

namespace {

constexpr std::uint64_t gb = 1024ULL * 1024 * 1024;

SettingLookup known(int major) {
  return [major](std::string_view name) { return find_known_setting(major, name); };
}

TuningFacts machine(std::uint64_t memory, double cpus, int major = 17) {
  TuningFacts facts;
  facts.memory = Known<std::uint64_t>{memory, "--memory"};
  facts.cpus = Known<double>{cpus, "--cpus"};
  facts.disk = Known<Disk>{Disk::ssd, "--disk"};
  facts.major = major;
  return facts;
}

WantedSetting wanted(std::string name, std::string value) {
  return {.name = std::move(name), .value = value, .written = value, .where = {"p.toml", 3, 1}};
}

const SettingLine* line_of(const Tuned& tuned, std::string_view name) {
  const auto found = std::find_if(tuned.lines.begin(), tuned.lines.end(),
                                  [&](const SettingLine& line) { return line.name == name; });
  return found == tuned.lines.end() ? nullptr : &*found;
}

std::string value_of(const Tuned& tuned, std::string_view name) {
  const SettingLine* line = line_of(tuned, name);
  return line == nullptr ? "" : line->value;
}

std::string said_of(const Tuned& tuned, std::string_view name) {
  const SettingLine* line = line_of(tuned, name);
  if (line == nullptr) return {};
  std::string text = line->reason;
  for (const std::string& verdict : line->verdicts) text += " | " + verdict;
  return text;
}

const Finding* finding(const Tuned& tuned, std::string_view rule) {
  const auto found = std::find_if(tuned.findings.begin(), tuned.findings.end(),
                                  [&](const Finding& one) { return one.rule == rule; });
  return found == tuned.findings.end() ? nullptr : &*found;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TuningFacts random_machine(std::mt19937_64& engine) {
  const auto number = [&](std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(engine);
  };
  const std::uint64_t size = std::uint64_t{1} << number(29, 40);
  TuningFacts facts = machine(size + number(0, size - 1), static_cast<double>(number(1, 512)) / 4,
                              static_cast<int>(number(oldest_known_major, newest_known_major)));
  facts.workload.value = static_cast<Workload>(number(0, 4));
  facts.disk->value = static_cast<Disk>(number(0, 3));
  if (number(0, 3) == 0) facts.disk.reset();
  if (number(0, 1) == 0) facts.connections = Known<int>{static_cast<int>(number(1, 2000)), "--connections"};
  facts.timescaledb = number(0, 1) == 0;
  if (number(0, 1) == 0) facts.jobs = number(0, 500);
  if (number(0, 1) == 0) facts.wal_rate = static_cast<double>(number(0, 500'000'000));
  if (number(0, 1) == 0) facts.wal_disk = std::uint64_t{1} << number(27, 42);
  return facts;
}

}  // namespace

TEST_CASE("whatever the machine, a server takes all that is advised, and its memory is enough") {
  const unsigned first_seed = test::seed();
  CAPTURE(first_seed);
  std::mt19937_64 engine(first_seed);
  for (int i = 0; i < 5 * test::cases(); ++i) {
    const TuningFacts facts = random_machine(engine);
    CAPTURE(facts.memory->value);
    CAPTURE(facts.cpus->value);
    CAPTURE(facts.major);
    const Tuned tuned = tune(facts, {}, known(facts.major));
    REQUIRE(tuned.lines.size() > 10);
    Sizing sizing(facts, known(facts.major));
    for (const SettingLine& line : tuned.lines) {
      CAPTURE(line.name);
      const SettingFacts* setting = find_known_setting(facts.major, line.name);
      REQUIRE(setting != nullptr);
      CHECK(setting_problem(setting->type, line.value) == "");
      CHECK(!line.reason.empty());
      CHECK(line.verdicts.empty());
      sizing.choose(line.name, line.value);
    }
    CHECK(sizing.bytes("effective_cache_size") >= sizing.bytes("shared_buffers"));
    CHECK(sizing.number("max_worker_processes") >= sizing.number("max_parallel_workers"));
    CHECK(sizing.number("max_parallel_workers") >= sizing.number("max_parallel_workers_per_gather"));
    CHECK(sizing.bytes("min_wal_size") < sizing.bytes("max_wal_size"));
    CHECK(sizing.bytes("min_wal_size") >= 2 * 16 * megabyte);  // two segments, or the server does not start
    const bool too_small = sizing.bytes("work_mem") <= 4 * megabyte;  // the default: none is small enough
    if (!too_small) CHECK(total(tuned.budget) <= sizing.memory());
    CHECK((finding(tuned, "memory-budget") == nullptr) == (total(tuned.budget) <= sizing.memory()));
  }
}

TEST_CASE("more memory never means less of it for anything") {
  for (const double cpus : {1.0, 4.0, 64.0}) {
    std::map<std::string, double> before;
    for (std::uint64_t memory = gb / 2; memory <= 1024 * gb; memory *= 2) {
      const TuningFacts facts = machine(memory, cpus);
      const Tuned tuned = tune(facts, {}, known(17));
      for (const char* name : {"shared_buffers", "effective_cache_size", "maintenance_work_mem",
                               "autovacuum_work_mem", "work_mem"}) {
        CAPTURE(name);
        CAPTURE(memory);
        const double number = setting_number(value_of(tuned, name), {.vartype = "real", .unit = "B"}).value();
        CHECK(number >= before[name]);
        before[name] = number;
      }
    }
  }
}

TEST_CASE("what the dashboard's servers were given is answered in numbers") {
  TuningFacts facts = machine(8 * gb, 4, 17);
  facts.connections = Known<int>{100, "[server] connections"};
  facts.workload.value = Workload::timeseries;
  const Tuned tuned = tune(
      facts,
      {wanted("shared_buffers", "2GB"), wanted("work_mem", "64MB"), wanted("maintenance_work_mem", "256MB"),
       wanted("random_page_cost", "1.1"), wanted("default_statistics_target", "500"),
       wanted("enable_partitionwise_join", "true"), wanted("autovacuum_max_workers", "4"),
       wanted("autovacuum_vacuum_scale_factor", "0.05"), wanted("autovacuum_analyze_scale_factor", "0.02"),
       wanted("autovacuum_vacuum_threshold", "50"), wanted("autovacuum_vacuum_cost_delay", "10ms"),
       wanted("autovacuum_vacuum_cost_limit", "2000"), wanted("statement_timeout", "30s")},
      known(17));
  CHECK(has(said_of(tuned, "shared_buffers"), "25 % of 8 GB"));
  // 100 x 64 MB = 6.25 GB, and 2 GB: more than there is.
  CHECK(has(said_of(tuned, "work_mem"),
            "does not fit: one sort in each of 100 connections is 6.3 GB, with "
            "shared_buffers 8.3 GB, of 8 GB"));
  CHECK(has(said_of(tuned, "random_page_cost"), "right for ssd (--disk)"));
  CHECK(has(said_of(tuned, "default_statistics_target"), "300 x 500 = 150000 rows"));
  CHECK(has(said_of(tuned, "default_statistics_target"), "a sample 5 times as large, 5 times as often"));
  CHECK(has(said_of(tuned, "default_statistics_target"), "up to 25 times ANALYZE's work"));
  CHECK(has(said_of(tuned, "enable_partitionwise_join"), "209 MB and 550 ms"));
  CHECK(has(said_of(tuned, "enable_partitionwise_join"),
            "1000 partitions is 63 GB (work_mem 64MB)"));  // 1000 x 64 MB
  CHECK(has(said_of(tuned, "autovacuum_max_workers"), "each has 500 of 2000 credits"));
  CHECK(has(said_of(tuned, "autovacuum_vacuum_threshold"),
            "50 is the default of PostgreSQL 17: it changes nothing"));
  CHECK(has(said_of(tuned, "autovacuum_vacuum_cost_delay"),
            "5 times the default of 2ms, a longer pause and not a shorter one: 2 times the default's pace in "
            "bursts 10 "
            "times as large; 2ms with a limit of 400 is the same pace"));
  CHECK(has(said_of(tuned, "autovacuum_vacuum_cost_limit"), "200000 credits/s, at most 78 MB/s"));
  CHECK(has(said_of(tuned, "autovacuum_vacuum_cost_limit"), "by default 100000 credits/s, at most 39 MB/s"));
  CHECK(has(said_of(tuned, "statement_timeout"),
            "index builds, VACUUM by hand and every report end after 30s too"));
  CHECK(value_of(tuned, "autovacuum_vacuum_insert_scale_factor") == "0.05");
  REQUIRE(finding(tuned, "insert-vacuum-missing") != nullptr);
  REQUIRE(finding(tuned, "memory-budget") != nullptr);
  CHECK(has(finding(tuned, "memory-budget")->problem.message, "of 8 GB: shared_buffers 2 GB"));
}

TEST_CASE("what no server starts with is refused, though each value by itself is none of that") {
  const auto problems = [](const std::vector<WantedSetting>& declared) {
    std::string text;
    for (const Problem& problem : tune(machine(8 * gb, 4), declared, known(17)).problems)
      text += problem.message + "\n";
    return text;
  };
  CHECK(problems({}) == "");
  CHECK(has(problems({wanted("wal_level", "minimal")}),
            "wal_level = minimal wants max_wal_senders = 0, not 10"));
  CHECK(problems({wanted("wal_level", "minimal"), wanted("max_wal_senders", "0")}) == "");
  CHECK(has(problems({wanted("wal_level", "minimal"), wanted("max_wal_senders", "0"),
                      wanted("archive_mode", "on")}),
            "wants archive_mode = off, not on"));
  CHECK(has(problems({wanted("superuser_reserved_connections", "200")}),
            "200 reserved connections are as many as max_connections (100)"));
  CHECK(has(problems({wanted("max_wal_size", "10MB")}),
            "max_wal_size = 10MB is less than two segments of WAL (32 MB)"));
  CHECK(has(problems({wanted("max_locks_per_transaction", "2147483647")}),
            "max_locks_per_transaction = 2147483647 takes"));
  CHECK(has(problems({wanted("shared_buffers", "0.001%")}), "shared_buffers = 0.001% takes 128kB to"));
  CHECK(has(problems({wanted("work_mem", "max(25%, 9TB)")}), "work_mem = max(25%, 9TB) takes"));
  CHECK(has(said_of(tune(machine(8 * gb, 4), {wanted("min_wal_size", "80GB")}, known(17)), "min_wal_size"),
            "more than max_wal_size (4GB)"));
}

TEST_CASE("advice stays within a setting's bounds, and within what the server is already") {
  TuningFacts huge = machine(64 * 1024 * gb, 4096);
  huge.connections = Known<int>{2, "--connections"};
  const Tuned tuned = tune(huge, {}, known(17));
  CHECK(value_of(tuned, "shared_buffers") == "8589934584kB");
  CHECK(value_of(tuned, "max_parallel_workers") == "1024");
  CHECK(has(said_of(tuned, "max_parallel_workers"), "the most that it takes; 4096 would be 4096 CPUs"));
  CHECK(value_of(tuned, "max_connections") == "4");
  CHECK(has(said_of(tuned, "max_connections"), "--connections says 2, and 3 are reserved for superusers"));

  TuningFacts live = machine(8 * gb, 4);
  live.current = {{"max_wal_size", "65536"},
                  {"max_worker_processes", "40"},
                  {"log_min_duration_statement", "100"},
                  {"wal_segment_size", "1073741824"}};
  live.wal_rate = 0;
  const Tuned asked = tune(live, {}, known(17));
  CHECK(value_of(asked, "max_wal_size") == "64GB");
  CHECK(value_of(asked, "max_worker_processes") == "40");
  CHECK(value_of(asked, "log_min_duration_statement") == "100ms");
  CHECK(value_of(asked, "min_wal_size") == "16GB");
}

TEST_CASE("a small machine is not asked to keep more WAL than it may have disk for") {
  TuningFacts small = machine(gb, 2);
  small.workload.value = Workload::timeseries;
  const Tuned tuned = tune(small, {}, known(17));
  CHECK(value_of(tuned, "max_wal_size") == "2GB");
  CHECK(has(said_of(tuned, "max_wal_size"), "usual for timeseries, cut to twice the memory"));
  TuningFacts large = machine(8 * gb, 2);
  large.workload.value = Workload::timeseries;
  CHECK(value_of(tune(large, {}, known(17)), "max_wal_size") == "16GB");
}

TEST_CASE("what is dangerous is said to be") {
  const Tuned tuned =
      tune(machine(8 * gb, 4),
           {wanted("fsync", "off"), wanted("full_page_writes", "no"), wanted("autovacuum", "false"),
            wanted("zero_damaged_pages", "on"), wanted("ignore_checksum_failure", "true")},
           known(17));
  for (const char* name :
       {"fsync", "full_page_writes", "autovacuum", "zero_damaged_pages", "ignore_checksum_failure"}) {
    CAPTURE(name);
    REQUIRE(line_of(tuned, name) != nullptr);
    CHECK(line_of(tuned, name)->verdicts.size() == 1);
  }
}

TEST_CASE("a container's shared memory is held against what a parallel query shares") {
  TuningFacts docker = machine(8 * gb, 4);
  docker.shared_memory = 64 << 20;
  const Tuned tuned = tune(docker, {wanted("work_mem", "64MB")}, known(17));
  REQUIRE(finding(tuned, "small-shared-memory") != nullptr);
  // 64 MB x 2 for a hash x 3 processes
  CHECK(has(finding(tuned, "small-shared-memory")->problem.message,
            "may share 384 MB, and /dev/shm has 64 MB"));
  docker.shared_memory = 512 << 20;
  CHECK(finding(tune(docker, {wanted("work_mem", "64MB")}, known(17)), "small-shared-memory") == nullptr);
}

TEST_CASE("sorts and hashes of connections and of parallel workers are added up") {
  const Tuned tuned = tune(machine(8 * gb, 4), {wanted("work_mem", "64MB")}, known(17));
  const auto item = std::find_if(tuned.budget.begin(), tuned.budget.end(),
                                 [](const BudgetItem& one) { return one.what == "work_mem"; });
  REQUIRE(item != tuned.budget.end());
  CHECK(item->bytes ==
        (100 + 4) * 2 * 64 * megabyte * 1.5);  // half of them hashes, which may take twice as much
}

TEST_CASE("a budget that nothing fits names what has to change") {
  TuningFacts small = machine(gb / 2, 2);
  const Tuned tuned = tune(small, {}, known(17));
  CHECK(value_of(tuned, "work_mem") == "4MB");
  REQUIRE(finding(tuned, "memory-budget") != nullptr);
  CHECK(has(finding(tuned, "memory-budget")->problem.hint, "max_connections = "));
}

TEST_CASE("what is not known is asked for and not guessed") {
  TuningFacts facts;
  const Tuned tuned = tune(facts, {wanted("shared_buffers", "25%"), wanted("work_mem", "4MB")}, known(18));
  CHECK(tuned.unresolved);
  CHECK(line_of(tuned, "shared_buffers") == nullptr);
  CHECK(line_of(tuned, "effective_cache_size") == nullptr);
  CHECK(line_of(tuned, "max_worker_processes") == nullptr);
  CHECK(line_of(tuned, "random_page_cost") == nullptr);
  CHECK(value_of(tuned, "work_mem") == "4MB");
  CHECK(tuned.budget.empty());
  REQUIRE(finding(tuned, "unknown-machine") != nullptr);
  CHECK(finding(tuned, "unknown-machine")->level == Finding::Level::error);
  CHECK(finding(tuned, "unknown-machine")->problem.message ==
        "the server's memory and CPUs unknown: shared_buffers = 25% cannot be said");
  CHECK(!tune(machine(8 * gb, 4), {wanted("shared_buffers", "25%")}, known(17)).unresolved);
}

TEST_CASE("what comes from the environment is shown by nobody") {
  WantedSetting secret = wanted("primary_conninfo", "password=hunter2");
  secret.written = "password=${PW}";
  WantedSetting number = wanted("work_mem", "hunter2");
  number.written = "${PW}";
  const Tuned tuned = tune(machine(8 * gb, 4), {secret}, known(17));
  CHECK(line_of(tuned, "primary_conninfo") == nullptr);
  REQUIRE(finding(tuned, "setting-from-environment") != nullptr);
  CHECK(finding(tuned, "setting-from-environment")->problem.where.line == 3);
  CHECK(problem_of(number, known(17), "PostgreSQL 17", {})->message ==
        "[server.settings] work_mem cannot be what ${PW} is");
}

TEST_CASE("a declared setting that a server would refuse is said before it is rendered") {
  struct Refused {
    const char* name;
    const char* value;
    int major;
    const char* problem;
    const char* hint;
  };
  const Refused rows[] = {
      {"shared_bufers", "2GB", 17, "is no setting of PostgreSQL 17", "did you mean \"shared_buffers\"?"},
      {"io_method", "worker", 17, "is no setting of PostgreSQL 17", ""},
      {"force_parallel_mode", "on", 17, "is no setting of PostgreSQL 17",
       "it is called debug_parallel_query now"},
      {"wal_level", "minmal", 17, "takes minimal, replica, logical, not minmal", ""},
      {"shared_buffers", "64mb", 17,
       "takes a whole number with or without a unit (B, kB, MB, GB, TB), not 64mb", ""},
      {"max_connections", "25%", 17, "is no amount of memory, and so cannot be 25%", ""},
      {"max_wal_size", "25%", 17, "counts disk, and shares are of the memory", ""},
      {"shared_preload_libraries", "a,,b", 17, "is no list of names with commas in between: a,,b", ""},
      {"a.b.c", "1", 17, "has two dots: postgresql.conf takes one (guc-file.l)", ""},
      {"block_size", "8192", 17, "says how the server was built: nobody can set it", ""},
  };
  for (const Refused& row : rows) {
    CAPTURE(row.name);
    std::vector<std::string_view> names;
    for (const SettingFacts& one : known_settings(row.major)) names.push_back(one.name);
    const auto problem = problem_of(wanted(row.name, row.value), known(row.major),
                                    "PostgreSQL " + std::to_string(row.major), names);
    REQUIRE(problem);
    CHECK(problem->message == std::string("[server.settings] ") + row.name + " " + row.problem);
    CHECK(problem->hint == row.hint);
  }
  CHECK(!problem_of(wanted("log_line_prefix", "%m [%p] 100%"), known(18), "PostgreSQL 18", {}));
  CHECK(!problem_of(wanted("wal_level", "hot_standby"), known(18), "PostgreSQL 18", {}));
  CHECK(!problem_of(wanted("io_method", "worker"), known(18), "PostgreSQL 18", {}));
  CHECK(!problem_of(wanted("timescaledb.anything", "1"), known(18), "PostgreSQL 18", {}));
}

namespace {

/// A profile of the repository, as `kdb tune` would render it for its own machine.
Tuned tuned_profile(const std::string& name, int major) {
  const files::Profile profile = files::read_profile(KDB_SOURCE_DIR "/profiles/" + name, true,
                                                     [](const std::string&) { return std::nullopt; });
  TuningFacts facts = flow::given_facts(profile, {.major = major});
  return tune(facts, profile.server.settings, known(major));
}

}  // namespace

TEST_CASE("the reference profile has a verdict for each of its settings, in numbers") {
  for (int major = oldest_known_major; major <= newest_known_major; ++major) {
    const Tuned tuned = tuned_profile("default.toml", major);
    size_t declared = 0;
    for (const SettingLine& line : tuned.lines) {
      if (line.origin.starts_with("kdb, ")) continue;
      ++declared;
      CAPTURE(line.name);
      const std::string said = said_of(tuned, line.name);
      CHECK(std::any_of(said.begin(), said.end(), is_digit));
    }
    CHECK(declared == 4 + 5 + 7 + 1);
    CHECK(finding(tuned, "memory-budget") != nullptr);
    CHECK(finding(tuned, "insert-vacuum-missing") != nullptr);
  }
}

TEST_CASE("nothing is said against the recommended profile") {
  const Tuned tuned = tuned_profile("recommended.toml", 17);
  CHECK(tuned.findings.empty());
  for (const SettingLine& line : tuned.lines)
    for (const std::string& verdict : line.verdicts) {
      CAPTURE(line.name);
      CAPTURE(verdict);
      CHECK(verdict.ends_with("it changes nothing"));  // what takes back a value of the other profile
    }
  CHECK(value_of(tuned, "shared_buffers") == "2GB");
}

}  // namespace kdb
