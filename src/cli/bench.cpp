#include <charconv>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "flow/bench_compare.hpp"
#include "flow/bench_data.hpp"
#include "flow/bench_load.hpp"
#include "flow/explain.hpp"

namespace kdb::cli {

namespace {

std::uint64_t seed_of(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(Exit::usage, fmt::format("--seed takes a whole number from 0 to 2^64 - 1, not '{}'", text));
  return seed;
}

flow::BenchServer server_of(const Arguments& arguments) {
  return {.pg_bin = arguments.value("pg-bin"), .trust = arguments.has("trust")};
}

/// A profile to compare; "none" declares nothing, and has the same migrations.
flow::Design design_of(Context& context, const std::string& name) {
  flow::Design design{.name = name, .profile = {}};
  if (name == "none") {
    design.profile.database = context.profile().database;
    design.profile.connection = context.profile().connection;
    design.profile.migrations = context.profile().migrations;
  } else {
    design.profile = context.read_profile(name);
  }
  design.profile.migrations.source.folder = context.profile().migrations.source.folder;
  return design;
}

}  // namespace

Exit bench_compare(Context& context) {
  const Arguments& arguments = context.arguments();
  flow::BenchCompareOptions options;
  const std::vector<std::string> names = arguments.values("PROFILE");
  if (names.size() < 2)
    throw Error(Exit::usage, "a comparison takes two designs at least",
                "kdb bench compare none profiles/default.toml");
  for (const std::string& name : names) options.designs.push_back(design_of(context, name));
  if (arguments.has("events")) options.data.events = arguments.number("events", 1'000);
  if (arguments.has("seed")) options.data.seed = seed_of(arguments.value("seed"));
  if (arguments.has("blocks")) options.blocks = arguments.number("blocks", 1);
  if (arguments.has("write-rows")) options.write_rows = arguments.number("write-rows", 0);
  if (arguments.has("timeout")) options.timeout = arguments.duration("timeout");
  options.attribute = arguments.has("attribute");
  options.server = server_of(arguments);
  const Report report = flow::bench_compare(context.database(), options);
  context.print(report);
  return report.problems.empty() ? Exit::ok : Exit::failed;
}

namespace {

double rate_of(const std::string& text) {
  double rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (error != std::errc() || end != text.data() + text.size() || !(rate > 0) || rate > 1e6)
    throw Error(Exit::usage,
                fmt::format("--rate takes requests a second, above 0 and up to 1000000, not '{}'", text));
  return rate;
}

flow::BenchLoadOptions load_options(Context& context) {
  const Arguments& arguments = context.arguments();
  flow::BenchLoadOptions options;
  options.queries = flow::chosen_queries(context.profile().queries, arguments.values("QUERY"));
  if (options.queries.empty())
    throw Error(Exit::usage, "the profile declares no queries: there is nothing to ask",
                "[queries.NAME] declares one; profiles/queries.toml has the dashboard's");
  for (const std::string& rate : arguments.values("rate")) options.rates.push_back(rate_of(rate));
  if (options.rates.empty()) options.rates.push_back(10);
  options.to_knee = arguments.has("to-knee");
  if (arguments.has("duration")) options.duration = arguments.duration("duration");
  if (options.duration.count() <= 0)
    throw Error(Exit::usage, "--duration has to be above 0: nothing would be asked");
  if (arguments.value("arrivals") == "fixed") options.arrivals = Arrivals::fixed;
  if (arguments.has("seed")) options.seed = seed_of(arguments.value("seed"));
  if (arguments.has("timeout")) options.timeout = arguments.duration("timeout");
  if (options.timeout.count() <= 0)
    throw Error(Exit::usage,
                "--timeout has to be above 0: a load on a server that does not answer would not end");
  if (arguments.has("slow")) options.slow = arguments.duration("slow");
  return options;
}

}  // namespace

Exit bench_load(Context& context) {
  const Arguments& arguments = context.arguments();
  const flow::BenchLoadOptions options = load_options(context);
  if (arguments.has("on-target")) {
    for (const char* option : {"events", "pg-bin", "trust"})
      if (arguments.has(option))
        throw Error(Exit::usage, fmt::format("--{} has no meaning beside --on-target", option));
    context.print(flow::bench_load(context.database(), options));
    return Exit::ok;
  }
  if (arguments.has("database-url"))
    throw Error(Exit::usage, "a load on somebody's database has to be meant: --on-target says so",
                "without it, kdb makes a throwaway server of its own");
  ReferenceData data;
  data.events = arguments.has("events") ? arguments.number("events", 1'000) : 100'000;
  const flow::Design design{.name = arguments.value("profile", "default"), .profile = context.profile()};
  flow::BenchCluster cluster(context.database(), design, data, server_of(arguments));
  context.print(flow::bench_load(cluster.inside(), options));
  return Exit::ok;
}

Exit bench_data(Context& context) {
  const Arguments& arguments = context.arguments();
  flow::BenchDataOptions options;
  if (arguments.has("events")) options.data.events = arguments.number("events", 0);
  if (arguments.has("seed")) options.data.seed = seed_of(arguments.value("seed"));
  for (const std::string& name : arguments.values("only"))
    if (const auto table = reference_table(name)) options.only.push_back(*table);
  if (!arguments.has("stdout")) {
    context.print(flow::bench_data(context.database(), options));
    return Exit::ok;
  }
  if (arguments.has("output") || arguments.has("format"))
    throw Error(Exit::usage, "--stdout writes rows, as they are, and no report",
                "leave out -o and --format; the shell's > takes what it prints");
  flow::print_reference_data(options, context.profile().database.schema,
                             [&](const std::string& text) { context.print_raw(text); });
  return Exit::ok;
}

}  // namespace kdb::cli
