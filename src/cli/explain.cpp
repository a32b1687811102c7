#include "flow/explain.hpp"

#include "cli/commands.hpp"

namespace kdb::cli {

Exit explain(Context& context) {
  const Arguments& arguments = context.arguments();
  flow::ExplainOptions options{.queries = arguments.values("QUERY"),
                               .analyze = arguments.has("analyze"),
                               .planned = arguments.has("planned"),
                               .statistics = arguments.has("statistics")};
  if (arguments.has("timeout")) options.timeout = arguments.duration("timeout");
  const QueryReport result = flow::explain_queries(context.database(), options);
  context.print(result.report);
  if (result.failed) return Exit::failed;
  return arguments.has("exit-code") && (result.fails || result.unchecked) ? Exit::pending : Exit::ok;
}

}  // namespace kdb::cli
