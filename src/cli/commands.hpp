#pragma once

#include "base/error.hpp"
#include "cli/context.hpp"

namespace kdb::cli {

// The run functions of the rows in commands.cpp; each in the file of its command.
Exit migrate_new(Context& context);
Exit migrate_status(Context& context);
Exit migrate_up(Context& context);
Exit migrate_down(Context& context);
Exit migrate_verify(Context& context);
Exit migrate_baseline(Context& context);
Exit migrate_repair(Context& context);
Exit migrate_adopt(Context& context);
Exit migrate_dump(Context& context);
Exit inspect(Context& context);
Exit plan(Context& context);
Exit apply(Context& context);
Exit lint(Context& context);
Exit explain(Context& context);
Exit tune(Context& context);
Exit tune_diff(Context& context);
Exit tune_apply(Context& context);
Exit bench_data(Context& context);
Exit bench_compare(Context& context);
Exit bench_load(Context& context);
Exit sandbox(Context& context);
Exit completion(Context& context);

/// Throws Error(usage) for a misspelt --allow: it would permit nothing, and nobody would be told.
void refuse_unknown_hazards(const std::vector<std::string>& allow);

}  // namespace kdb::cli
