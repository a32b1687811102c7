#include "flow/inspect.hpp"

#include "cli/commands.hpp"

namespace kdb::cli {

Exit inspect(Context& context) {
  context.print_text(flow::inspect(context.database(), {.schemas = context.arguments().values("schema"),
                                                        .tables = context.arguments().values("table")}));
  return Exit::ok;
}

}  // namespace kdb::cli
