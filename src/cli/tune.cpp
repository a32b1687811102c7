#include "flow/tune.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "cli/commands.hpp"
#include "flow/tune_apply.hpp"
#include "host/process.hpp"
#include "model/known_settings.hpp"
#include "render/formats.hpp"

namespace kdb::cli {

namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view takes, const std::string& given) {
  throw Error(Exit::usage, fmt::format("--{} takes {}, not '{}'", option, takes, given));
}

double number_of_cpus(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(number >= 0.1) || number > 4096)
    refuse("cpus", "a number from 0.1 to 4096", text);
  return number;
}

flow::TuneOptions tune_options(const Arguments& arguments) {
  flow::TuneOptions options{.timescaledb = arguments.has("timescaledb"),
                            .formula = arguments.value("formula"),
                            .compare = arguments.has("compare")};
  if (arguments.has("memory")) {
    options.memory = parse_bytes(arguments.value("memory"));
    constexpr std::uint64_t least = 16 << 20;  // a server alone takes more
    if (!options.memory || *options.memory < least)
      refuse("memory", "a size of at least 16MB with its unit, such as 8GB", arguments.value("memory"));
  }
  if (arguments.has("cpus")) options.cpus = number_of_cpus(arguments.value("cpus"));
  if (arguments.has("connections")) {
    options.connections = arguments.number("connections", 1);
    constexpr int most = 262'143;  // max_connections' own limit (PG docs 20.3)
    if (*options.connections > most)
      refuse("connections", "a number up to 262143", arguments.value("connections"));
  }
  options.disk = parse_disk(arguments.value("disk"));
  options.workload = parse_workload(arguments.value("workload"));
  if (arguments.has("pg")) options.major = std::stoi(arguments.value("pg"));
  return options;
}

/// Whether somebody named a server; a database that libpq would find by itself is not meant.
bool names_a_server(Context& context) {
  const Arguments& arguments = context.arguments();
  if (arguments.has("database-url")) return true;
  if (arguments.has("memory") && arguments.has("cpus") && arguments.has("pg")) return false;
  for (const char* name : {"KDB_DATABASE_URL", "DATABASE_URL"})
    if (!host::environment(name).value_or("").empty()) return true;
  return !context.profile().database.url.empty();
}

}  // namespace

Exit tune(Context& context) {
  if (context.arguments().has("formula") && context.arguments().has("compare"))
    throw Error(Exit::usage, "--formula has no meaning beside --compare, which shows both formulas");
  const flow::TuneOptions options = tune_options(context.arguments());
  const Report report = names_a_server(context) ? flow::render_settings(context.database(), options)
                                                : flow::render_settings(context.profile(), options);
  context.print(report);
  const bool unresolved =
      std::any_of(report.findings.begin(), report.findings.end(),
                  [](const Finding& finding) { return finding.level == Finding::Level::error; });
  return context.arguments().has("exit-code") && unresolved ? Exit::pending : Exit::ok;
}

Exit tune_diff(Context& context) {
  const flow::SettingsDiff diff =
      flow::diff_server_settings(context.database(), tune_options(context.arguments()));
  context.print(diff.report);
  return context.arguments().has("exit-code") && diff.differs ? Exit::pending : Exit::ok;
}

Exit tune_apply(Context& context) {
  const Arguments& arguments = context.arguments();
  const std::string method = arguments.value("method");
  if (method.empty())
    throw Error(Exit::usage, "`kdb tune apply` needs --method: conf.d, alter-system or none",
                "conf.d on the server's machine, alter-system from anywhere; none tries and changes nothing");
  flow::TuneApplyOptions options{.tune = tune_options(arguments),
                                 .method = method == "conf.d"         ? flow::SettingsMethod::conf_d
                                           : method == "alter-system" ? flow::SettingsMethod::alter_system
                                                                      : flow::SettingsMethod::none,
                                 .restart_command = arguments.value("restart-command"),
                                 .standbys_follow = arguments.has("standbys-follow")};
  if (method == "none" && !options.restart_command.empty())
    throw Error(Exit::usage, "--restart-command has no meaning beside --method none");
  options.conf = [](const Report& report) { return render::render_conf(report, {}); };
  options.confirm = [&](const Report& report) {
    return !context.can_ask() || context.ask(report, "apply this?");
  };
  context.print(flow::apply_server_settings(context.database(), options));
  return Exit::ok;
}

}  // namespace kdb::cli
