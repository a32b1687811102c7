#include <charconv>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "flow/bench_data.hpp"

namespace kdb::cli {

namespace {

std::uint64_t seed_of(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(Exit::usage, fmt::format("--seed takes a whole number from 0 to 2^64 - 1, not '{}'", text));
  return seed;
}

}  // namespace

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
