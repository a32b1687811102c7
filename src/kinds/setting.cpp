#include "kinds/setting.hpp"

#include <fmt/format.h>

#include "base/setting_value.hpp"
#include "kinds/difference.hpp"

namespace kdb {

std::vector<ChangeStep> steps(const Difference<Setting>& difference, const Surroundings&) {
  const Setting& setting = *difference.desired;
  const std::string& name = setting.name.name;
  const bool restart = difference.live->facts.needs_restart;
  ChangeStep step{.sql = fmt::format("ALTER SYSTEM SET {} TO {}", setting_name_sql(name),
                                     setting_sql(name, setting.value)),
                  .purpose = fmt::format("writes it into postgresql.auto.conf, from which {}",
                                         restart ? "the next start takes it" : "the reload below takes it"),
                  .in_transaction = false};
  if (restart)
    step.hazards.push_back({.id = "RESTART_REQUIRED",
                            .object = name,
                            .reason = "waits for a restart, which kdb does not do",
                            .blocks = true});
  return {std::move(step)};
}

}  // namespace kdb
