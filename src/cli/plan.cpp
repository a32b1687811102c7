#include "flow/plan.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/allowance.hpp"
#include "cli/commands.hpp"
#include "files/plan_file.hpp"
#include "flow/apply.hpp"
#include "flow/rehearse.hpp"
#include "flow/sandbox_plan.hpp"

namespace kdb::cli {

namespace {

/// `--only`, with the names of design's stages; nothing given is all of them.
flow::PlanOptions plan_options(Context& context) {
  const Arguments& arguments = context.arguments();
  const std::vector<std::string> only = arguments.values("only");
  const auto wanted = [&](std::string_view part) {
    return only.empty() || std::find(only.begin(), only.end(), part) != only.end();
  };
  // The server is others' too: its settings are looked at where somebody says so.
  const bool settings = only.empty() ? context.profile().server.alter_system : wanted("settings");
  flow::PlanOptions options{.migrations = wanted("migrations"),
                            .profile = wanted("profile"),
                            .settings = settings,
                            .prune = arguments.has("prune")};
  const std::string& folder = context.profile().migrations.source.folder;
  if (only.empty() && !arguments.has("migrations") && !std::filesystem::exists(folder)) {
    // Who begins with a profile, as inspect wrote it, has no migrations yet.
    context.events()(
        {.kind = Event::Kind::warning,
         .message = fmt::format("no migrations folder \"{}\": only the profile is looked at", folder)});
    options.migrations = false;
  }
  return options;
}

/// The plan file, and what it was made with.
SavedPlan saved_plan(const Arguments& arguments, flow::PlanOptions& options) {
  for (const char* option : {"only", "prune"})
    if (arguments.has(option))
      throw Error(Exit::usage, fmt::format("--{} has no meaning beside a plan file", option),
                  "the plan was made with or without it, and is applied as it is");
  SavedPlan saved = files::read_plan_file(arguments.value("PLAN.json"));
  const auto has = [&](std::string_view part) {
    return std::find(saved.origin.parts.begin(), saved.origin.parts.end(), part) != saved.origin.parts.end();
  };
  options = {.migrations = has("migrations"),
             .profile = has("profile"),
             .settings = has("settings"),
             .prune = saved.origin.prune};
  return saved;
}

/// What `--sandbox` is given beside the options of every plan.
flow::SandboxPlanOptions sandbox_options(Context& context) {
  const Arguments& arguments = context.arguments();
  flow::SandboxPlanOptions options{
      .plan = plan_options(context), .pg_bin = arguments.value("pg-bin"), .trust = arguments.has("trust")};
  options.plan.settings = false;  // those of a throwaway server are nobody's
  if (!options.plan.migrations && !options.plan.profile)
    throw Error(Exit::usage, "--only settings has no meaning beside --sandbox",
                "`kdb tune` says what a server would have, and needs none");
  options.replay = options.plan.migrations || arguments.has("migrations") ||
                   std::filesystem::exists(context.profile().migrations.source.folder);
  return options;
}

flow::Planned planned_of(Context& context) {
  const Arguments& arguments = context.arguments();
  if (arguments.has("sandbox")) {
    const flow::SandboxPlanOptions options = sandbox_options(context);
    // A database that the environment or the profile names is not meant: CI sets these for other steps.
    return arguments.has("database-url") ? flow::plan_and_rehearse(context.database(), options)
                                         : flow::plan_in_sandbox(context.database(), options);
  }
  for (const char* option : {"trust", "pg-bin"})
    if (arguments.has(option))
      throw Error(Exit::usage, fmt::format("--{} has no meaning without --sandbox", option));
  return flow::plan(context.database(), plan_options(context));
}

}  // namespace

Exit plan(Context& context) {
  const flow::Planned planned = planned_of(context);
  context.print(flow::to_report(planned, "plan"));
  if (!planned.objects.problems.empty()) return Exit::failed;
  return context.arguments().has("exit-code") && !planned.is_empty() ? Exit::pending : Exit::ok;
}

Exit apply(Context& context) {
  const Arguments& arguments = context.arguments();
  refuse_unknown_hazards(arguments.values("allow"));
  flow::ApplyOptions options{.allow = arguments.values("allow")};
  if (arguments.has("PLAN.json"))
    options.saved = saved_plan(arguments, options.plan);
  else
    options.plan = plan_options(context);
  options.confirm = [&](const Report& report) {
    return !context.can_ask() || context.ask(report, "apply this?");
  };
  context.print(flow::apply(context.database(), options));
  return Exit::ok;
}

}  // namespace kdb::cli
