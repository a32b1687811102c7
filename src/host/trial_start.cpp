#include "host/trial_start.hpp"

#include <fmt/format.h>

#include "host/sandbox.hpp"
#include "host/trial_settings.hpp"
#include "model/known_settings.hpp"

namespace kdb::host {
namespace {

bool ends_everything(const Error& error) {
  return error.exit() == Exit::terminated || error.exit() == Exit::interrupted ||
         static_cast<int>(error.exit()) > 128;
}

std::string in_one_line(const Problem& problem) {
  return problem.details.empty() ? problem.message : fmt::format("{} {}", problem.message, problem.details);
}

void look_at(const Sandbox& sandbox, const std::function<void(const std::string& url)>& look,
             TrialOutcome& outcome) {
  try {
    look(sandbox.url());
  } catch (const Error& error) {
    if (ends_everything(error)) throw;
    outcome.refused = Problem{.message = "a server with these settings starts, and no session can be opened",
                              .where = {},
                              .hint = "",
                              .details = in_one_line(error.problems().front())};
  }
}

}  // namespace

TrialOutcome try_start(const TrialStart& trial, const std::function<void(const std::string& url)>& look) {
  TrialOutcome outcome;
  // Of a major that nobody knows, nobody knows either which settings reach out of the cluster.
  if (trial.major < oldest_known_major || trial.major > newest_known_major) {
    outcome.not_tried = fmt::format("kdb does not know the settings of PostgreSQL {}", trial.major);
    return outcome;
  }
  outcome.refused = trial_name_problem(trial.settings);
  if (outcome.refused) return outcome;
  try {
    const Sandbox sandbox({.pg_bin = trial.pg_bin, .trial = trial});
    outcome.left_out = sandbox.left_out();
    look_at(sandbox, look, outcome);
  } catch (const Error& error) {
    if (ends_everything(error)) throw;
    if (error.exit() == Exit::refused)
      outcome.refused = error.problems().front();
    else
      outcome.not_tried = in_one_line(error.problems().front());
  }
  return outcome;
}

}  // namespace kdb::host
