#include "flow/migrate.hpp"

#include <chrono>
#include <ctime>

#include <fmt/format.h>
#include <unistd.h>

#include "base/allowance.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "files/migrations.hpp"
#include "files/output.hpp"
#include "flow/migrate_adopt.hpp"
#include "flow/migrate_dump.hpp"

namespace kdb::cli {

namespace {

std::optional<std::string> optional_text(const Arguments& arguments, const std::string& name) {
  return arguments.has(name) ? std::optional(arguments.value(name)) : std::nullopt;
}

std::optional<int> optional_number(const Arguments& arguments, const std::string& name, int least) {
  return arguments.has(name) ? std::optional(arguments.number(name, least)) : std::nullopt;
}

std::string utc_timestamp() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec);
}

void refuse_both(const Arguments& arguments, const std::string& one, const std::string& other) {
  if (arguments.has(one) && arguments.has(other))
    throw Error(Exit::usage, fmt::format("--{} and --{} contradict each other", one, other));
}

}  // namespace

void refuse_unknown_hazards(const std::vector<std::string>& allow) {
  std::vector<Problem> problems;
  for (const std::string& allowance : allow) {
    std::optional<Problem> problem = sql::check_allowance(allowance);
    if (!problem) continue;
    problem->message = "--allow: " + problem->message;
    problems.push_back(std::move(*problem));
  }
  if (!problems.empty()) throw Error(Exit::usage, std::move(problems));
}

namespace {

/// `[migrations] dump`: the schema as it is after `up`, where the profile asks for it.
void dump_after(Context& context) {
  const std::string& file = context.profile().migrations.dump;
  if (file.empty()) return;
  files::write_output(file, flow::dump(context.database()));
  context.events()({.kind = Event::Kind::info, .message = "schema written to " + file});
}

}  // namespace

Exit migrate_new(Context& context) {
  const files::NewMigration created = files::create_migration(
      context.profile().migrations.source, context.arguments().value("NAME"), utc_timestamp());
  Report report{.command = "migrate new"};
  report.fields = {{.key = "version", .value = created.version},
                   {.key = "file", .value = created.paths.front()},
                   {.key = "files", .value = created.paths}};
  report.summary = fmt::format("{}", fmt::join(created.paths, "\n"));
  context.print(report);
  return Exit::ok;
}

Exit migrate_status(Context& context) {
  const Report report = flow::status(context.database());
  context.print(report);
  if (!context.arguments().has("exit-code")) return Exit::ok;
  return flow::exit_code_of(report);
}

Exit migrate_up(Context& context) {
  const Arguments& arguments = context.arguments();
  refuse_both(arguments, "to", "steps");
  refuse_unknown_hazards(arguments.values("allow"));
  const Report report =
      flow::up(context.database(), {.to = optional_text(arguments, "to"),
                                    .steps = optional_number(arguments, "steps", 1),
                                    .dry_run = arguments.has("dry-run"),
                                    .allow_out_of_order = arguments.has("allow-out-of-order"),
                                    .strict = arguments.has("strict"),
                                    .allow = arguments.values("allow")});
  if (!arguments.has("dry-run")) dump_after(context);
  context.print(report);
  return Exit::ok;
}

Exit migrate_down(Context& context) {
  const Arguments& arguments = context.arguments();
  refuse_both(arguments, "to", "steps");
  const Report report = flow::down(
      context.database(), {.to = optional_text(arguments, "to"),
                           .steps = optional_number(arguments, "steps", 1),
                           .dry_run = arguments.has("dry-run"),
                           .confirm = [&](const Report& plan) { return context.ask(plan, "undo this?"); }});
  if (!arguments.has("dry-run")) dump_after(context);
  context.print(report);
  return Exit::ok;
}

Exit migrate_verify(Context& context) {
  context.print(flow::verify(context.database()));
  return Exit::ok;
}

Exit migrate_baseline(Context& context) {
  context.print(flow::baseline(context.database(), context.arguments().value("VERSION")));
  return Exit::ok;
}

Exit migrate_repair(Context& context) {
  const Arguments& arguments = context.arguments();
  const int ways = static_cast<int>(arguments.has("statement")) + static_cast<int>(arguments.has("accept")) +
                   static_cast<int>(arguments.has("forget"));
  const bool verdict = arguments.has("done") != arguments.has("again");
  if (ways != 1 || arguments.has("statement") != verdict)
    throw Error(Exit::usage,
                "repair needs exactly one of: --statement N with --done or --again, --accept, --forget",
                "`kdb migrate repair --help` says what each does");
  context.print(flow::repair(context.database(), {.version = arguments.value("VERSION"),
                                                  .statement = optional_number(arguments, "statement", 1),
                                                  .done = arguments.has("done"),
                                                  .again = arguments.has("again"),
                                                  .accept = arguments.has("accept"),
                                                  .forget = arguments.has("forget")}));
  return Exit::ok;
}

Exit migrate_adopt(Context& context) {
  const Arguments& arguments = context.arguments();
  if (!arguments.has("from"))
    throw Error(Exit::usage, "--from is missing: the tool whose history is taken over",
                "--from dbmate, goose, golang-migrate or flyway");
  context.print(
      flow::adopt(context.database(), {.tool = arguments.value("from"), .table = arguments.value("table")}));
  return Exit::ok;
}

Exit migrate_dump(Context& context) {
  context.print_text(flow::dump(context.database()));
  return Exit::ok;
}

}  // namespace kdb::cli
