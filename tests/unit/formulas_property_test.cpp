#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/setting_value.hpp"
#include "core/pgtune.hpp"
#include "core/timescaledb_tune.hpp"
#include "support/cases.hpp"
#include "support/dice.hpp"

namespace kdb::formulas_property_test {

namespace {

using bytes::gb;
using bytes::kb;
using bytes::mb;

std::string lines(const std::vector<FormulaValue>& values) {
  std::string text;
  for (const auto& [name, value] : values) text += name + " = " + value + "\n";
  return text;
}

std::string value_of(const std::vector<FormulaValue>& values, const std::string& name) {
  std::string found;
  for (const FormulaValue& value : values)
    if (value.name == name) found = value.value;
  return found;
}

/// What a setting's number counts, in kB.
double kb_of_unit(const std::string& name) {
  if (name == "shared_buffers" || name == "effective_cache_size" || name == "wal_buffers") return 8;
  return name == "min_wal_size" || name == "max_wal_size" ? 1024 : 1;
}

/// What a server keeps of a size, in kB.
double kept_kb(const std::string& name, const std::string& value) {
  const double unit = kb_of_unit(name);
  const auto number =
      setting_number(value, {.vartype = "integer", .unit = unit == 8 ? "8kB" : (unit == 1024 ? "MB" : "kB")});
  REQUIRE(number.has_value());
  return *number * unit;
}

std::uint64_t draw_memory(test::Dice& dice) {
  const std::uint64_t steps[] = {2, 4, 6, 8, 16, 32, 64};
  switch (dice.pick(4)) {
    case 0:
      return 512 * mb + dice.pick(1024 * gb - 512 * mb);
    case 1:
      return (512 + dice.pick(64 * 1024)) * mb;
    case 2:
      return (1 + dice.pick(1024)) * gb;
    default:
      return steps[dice.pick(std::size(steps))] * gb - mb + dice.pick(3) * (mb - 1) + dice.pick(3);
  }
}

FormulaInput draw(test::Dice& dice) {
  FormulaInput input;
  input.memory = draw_memory(dice);
  input.cpus = static_cast<int>(1 + dice.pick(dice.chance(50) ? 128 : 8));
  input.disk = static_cast<Disk>(dice.pick(4));
  if (dice.chance(60)) input.connections = static_cast<int>(20 + dice.pick(dice.chance(50) ? 100 : 2000));
  input.workload = static_cast<Workload>(dice.pick(5));
  input.major = static_cast<int>(14 + dice.pick(5));
  // Each side of what memory and three times memory are.
  const std::uint64_t around[] = {input.memory, input.memory * 3, 1 + dice.pick(5 * input.memory)};
  if (dice.chance(75)) input.database_bytes = around[dice.pick(3)] - 1 + dice.pick(3);
  if (dice.chance(75))
    input.wal_disk = dice.chance(50) ? dice.pick(4000) * 16 * mb : 100 + dice.pick(64 * 1024 * gb);
  return input;
}

/// Tries a check on inputs that each run draws anew.
template <class Check>
void for_inputs(const Check& check) {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  test::Dice dice(seed);
  for (int i = 0; i < std::max(3000, test::cases()); ++i) {
    const FormulaInput input = draw(dice);
    CAPTURE(i);
    CAPTURE(input.memory);
    CAPTURE(input.cpus);
    CAPTURE(input.connections.value_or(0));
    CAPTURE(input.database_bytes.value_or(0));
    CAPTURE(input.wal_disk.value_or(0));
    check(input);
  }
}

// --- timescaledb-tune, once more: sizes as fractions of a unit, work_mem in whole numbers ---

std::string text_of_fraction(std::uint64_t size) {
  constexpr const char* units[] = {"", "kB", "MB", "GB", "TB"};
  auto number = static_cast<double>(size);
  int unit = 0;
  for (; number >= 1024 && unit < 4; ++unit) number /= 1024;
  if (unit == 0) return "1kB";
  if (unit == 1) return fmt::format("{:.0f}kB", std::round(number));
  if (number - std::floor(number) > 0.001) {
    number *= 1024;
    --unit;
  }
  return fmt::format("{:.0f}{}", std::floor(number), units[unit]);
}

int default_connections(double memory_gb) {
  return memory_gb > 6 ? 100 : (memory_gb > 4 ? 75 : (memory_gb > 2 ? 50 : 25));
}

/// The two whole numbers that a quotient in floating point can be cut to, which are one unless it is so near
/// to a whole number that rounding decides.
std::pair<std::uint64_t, std::uint64_t> exact_work_mem(const FormulaInput& input) {
  const auto connections = static_cast<std::uint64_t>(
      input.connections.value_or(default_connections(static_cast<double>(input.memory) / gb)));
  const std::uint64_t divisor = 1024 * connections * static_cast<std::uint64_t>(input.cpus - input.cpus / 2);
  const std::uint64_t whole = input.memory * 400 / divisor;
  const std::uint64_t rest = input.memory * 400 % divisor;
  constexpr std::uint64_t near = 1 << 16;
  const std::uint64_t least = rest * near < divisor ? whole - 1 : whole;
  const std::uint64_t most = (divisor - rest) * near < divisor ? whole + 1 : whole;
  return {std::max(least, 64 * kb), std::max(most, 64 * kb)};
}

/// In bytes.
std::map<std::string, std::uint64_t> timescaledb_sizes(const FormulaInput& input, std::uint64_t work_mem) {
  const double memory = static_cast<double>(input.memory);
  const auto whole = [](double size) { return static_cast<std::uint64_t>(std::floor(size)); };
  std::uint64_t wal = 64;  // segments
  if (input.wal_disk.value_or(0) > 0)
    wal = whole(std::ceil(static_cast<double>(*input.wal_disk * 60 / 100) / (16.0 * mb)));
  return {
      {"shared_buffers", whole(memory / 4)},
      {"effective_cache_size", whole(memory / 4 * 3)},
      {"maintenance_work_mem", whole(std::min(memory / gb * 128, 2047.0) * mb)},
      {"work_mem", work_mem},
      {"wal_buffers", whole(memory / gb < 2 ? memory / gb * 7864 * kb : 16.0 * mb)},
      {"min_wal_size", wal * 8 * mb},
      {"max_wal_size", wal * 16 * mb},
  };
}

std::string timescaledb_lines(const FormulaInput& input, std::uint64_t work_mem) {
  std::string text;
  const auto add = [&](const char* name, const auto& value) {
    text += fmt::format("{} = {}\n", name, value);
  };
  const auto sizes = timescaledb_sizes(input, work_mem);
  const auto add_size = [&](const char* name) { add(name, text_of_fraction(sizes.at(name))); };
  for (const char* name : {"shared_buffers", "effective_cache_size", "maintenance_work_mem", "work_mem"})
    add_size(name);
  if (input.cpus > 1) {
    add("timescaledb.max_background_workers", 16);
    add("max_worker_processes", input.cpus + 19);
    add("max_parallel_workers_per_gather", std::lround(input.cpus / 2.0));
    add("max_parallel_workers", input.cpus);
  }
  for (const char* name : {"wal_buffers", "min_wal_size", "max_wal_size"}) add_size(name);
  const double memory_gb = static_cast<double>(input.memory) / gb;
  int locks = 128;
  for (const double step : {8, 16, 32}) locks *= memory_gb >= step ? 2 : 1;
  text += "default_statistics_target = 100\nrandom_page_cost = 1.1\ncheckpoint_completion_target = 0.9\n";
  add("max_connections", input.connections.value_or(default_connections(memory_gb)));
  add("max_locks_per_transaction", locks);
  return text + "autovacuum_max_workers = 10\nautovacuum_naptime = 10\ndefault_toast_compression = lz4\n" +
         "jit = off\neffective_io_concurrency = 256\n";
}

// --- pgtune, once more: in kB that may have a fraction, as the tool computes ---

enum class Data { less, middle, greater };

Data data_of(const FormulaInput& input) {
  const double times =
      static_cast<double>(input.database_bytes.value_or(input.memory)) / static_cast<double>(input.memory);
  return times < 1 ? Data::less : (times <= 3 ? Data::middle : Data::greater);
}

double pgtune_work_mem(const FormulaInput& input, double memory, double shared_buffers) {
  const std::map<Workload, int> connections{{Workload::oltp, 300},
                                            {Workload::web, 200},
                                            {Workload::olap, 40},
                                            {Workload::mixed, 100},
                                            {Workload::timeseries, 100}};
  const int workers = input.cpus < 4 ? 8 : input.cpus;
  double size = (memory - shared_buffers) /
                ((input.connections.value_or(connections.at(input.workload)) + workers) * 3);
  if (input.workload != Workload::oltp && input.workload != Workload::web) size /= 2;
  const std::map<Data, double> factors{{Data::less, 1.3}, {Data::middle, 1}, {Data::greater, 0.9}};
  return std::max(4096.0, std::floor(std::floor(size) * factors.at(data_of(input))));
}

/// In kB.
std::map<std::string, double> pgtune_sizes(const FormulaInput& input) {
  const double memory = static_cast<double>(input.memory) / 1024;
  const double shared_buffers = std::floor(memory / 4);
  const double maintenance = std::floor(memory / (input.workload == Workload::olap ? 8 : 16));
  double wal_buffers = std::min(std::floor(3 * shared_buffers / 100), 16384.0);
  if (wal_buffers > 14336) wal_buffers = 16384;
  std::map<std::string, double> sizes{
      {"shared_buffers", shared_buffers},
      {"effective_cache_size", std::floor(memory * 3 / 4)},
      {"maintenance_work_mem", std::min(maintenance, 8388608.0)},
      {"wal_buffers", std::max(wal_buffers, 32.0)},
      {"work_mem", pgtune_work_mem(input, memory, shared_buffers)},
  };
  if (maintenance >= 2097152) sizes["autovacuum_work_mem"] = 2097152;
  return sizes;
}

std::string pgtune_lines(const FormulaInput& input) {
  struct Row {
    int connections;
    const char* wal;
    const char* statistics;
    const char* jit;
  };
  const char* wal = "min_wal_size = 1GB\nmax_wal_size = 4GB\n";
  const Row rows[] = {{300, "min_wal_size = 2GB\nmax_wal_size = 8GB\n", "100", "jit = off\n"},
                      {200, wal, "100", "jit = off\n"},
                      {40, "min_wal_size = 4GB\nmax_wal_size = 16GB\n", "500", ""},
                      {100, wal, "100", "jit = off\n"},
                      {100, wal, "100", "jit = off\n"}};
  const char* io_concurrency[] = {"2", "200", "1000", "300"};
  const Row& row = rows[static_cast<size_t>(input.workload)];
  const bool olap = input.workload == Workload::olap;
  const bool seeks = data_of(input) != Data::less && (olap || input.disk == Disk::hdd);
  std::string text;
  const auto add = [&](const char* name, const auto& value) {
    text += fmt::format("{} = {}\n", name, value);
  };
  const auto sizes = pgtune_sizes(input);
  const auto add_size = [&](const char* name) {
    if (sizes.count(name) != 0) add(name, setting_text(sizes.at(name), {.vartype = "integer", .unit = "kB"}));
  };
  add("max_connections", input.connections.value_or(row.connections));
  for (const char* name : {"shared_buffers", "effective_cache_size", "maintenance_work_mem"}) add_size(name);
  add("checkpoint_completion_target", 0.9);
  add_size("wal_buffers");
  add("default_statistics_target", row.statistics);
  add("random_page_cost", seeks ? "4" : "1.1");
  add("effective_io_concurrency", io_concurrency[static_cast<size_t>(input.disk)]);
  add_size("work_mem");
  add("huge_pages", sizes.at("shared_buffers") < 2097152 ? "off" : "try");
  text += row.jit;
  add("wal_compression", input.major == 14 ? "on" : "lz4");
  if (input.cpus > 15) add("autovacuum_max_workers", input.cpus > 31 ? 5 : 4);
  add_size("autovacuum_work_mem");
  if (input.major == 18) text += "io_method = io_uring\n";
  text += row.wal;
  if (input.cpus > 3) {
    const long half = std::lround(std::ceil(input.cpus / 2.0));
    add("max_worker_processes", input.cpus);
    add("max_parallel_workers_per_gather", olap ? half : std::min(half, 4L));
    add("max_parallel_workers", input.cpus);
    add("max_parallel_maintenance_workers", std::min(half, 4L));
  }
  return text;
}

}  // namespace

TEST_CASE("timescaledb-tune's output is what another computation of it has") {
  for_inputs([](const FormulaInput& input) {
    const std::vector<FormulaValue> values = timescaledb_tune(input);
    const auto [least, most] = exact_work_mem(input);
    const std::string other = timescaledb_lines(input, most);
    const std::string text = lines(values);
    CHECK(text == (text == other ? other : timescaledb_lines(input, least)));
    for (const auto& [name, size] : timescaledb_sizes(input, most)) {
      const double size_kb = static_cast<double>(size) / 1024;
      const double lost = std::abs(kept_kb(name, value_of(values, name)) - size_kb);
      CHECK(lost <= size_kb / 1000 + std::max(1.0, kb_of_unit(name) / 2));
    }
  });
}

TEST_CASE("pgtune's output is what another computation of it has") {
  for_inputs([](const FormulaInput& input) {
    const std::vector<FormulaValue> values = pgtune(input);
    CHECK(lines(values) == pgtune_lines(input));
    for (const auto& [name, size_kb] : pgtune_sizes(input))
      CHECK(std::abs(kept_kb(name, value_of(values, name)) - size_kb) <= kb_of_unit(name) / 2);
  });
}

}  // namespace kdb::formulas_property_test
