#include "flow/lint.hpp"

#include <algorithm>

#include "cli/commands.hpp"

namespace kdb::cli {

namespace {

/// Whether a finding is as bad as `least` or worse.
bool fails(const Report& report, std::string_view least) {
  return std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& finding) {
    const bool is_error = finding.level == Finding::Level::error;
    return to_string(finding.level) == least || (least == "warning" && is_error);
  });
}

}  // namespace

Exit lint(Context& context) {
  const Arguments& arguments = context.arguments();
  if (arguments.has("explain")) {
    context.print(flow::explain(arguments.value("explain")));
    return Exit::ok;
  }
  const Report report = flow::lint(context.profile());
  context.print(report);
  return fails(report, arguments.value("fail-on", "error")) ? Exit::failed : Exit::ok;
}

}  // namespace kdb::cli
