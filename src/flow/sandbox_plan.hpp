#pragma once

#include <string>
#include <vector>

#include "files/profile.hpp"
#include "flow/plan.hpp"
#include "flow/sandbox_database.hpp"
#include "pg/owned_database.hpp"

namespace kdb::flow {

struct SandboxPlanOptions {
  PlanOptions plan;
  bool replay = true;  // false: there is no folder of migrations
  std::string pg_bin;  // as of host::SandboxOptions
  /// Migrations run as the superuser of the server; otherwise as a role that owns the database and reaches
  /// neither files nor programs.
  bool trust = false;
};

/// What migrations (those of the folder, if they are to be replayed) and the profile count on that only a
/// superuser may make. Throws what is wrong with the folder.
std::vector<pg::WantedExtension> wanted_extensions(const files::Profile& profile, bool replay);

/// Runs the migrations in it. `inside`: its own context, or that with other events.
void replay(SandboxDatabase& sandbox, const Context& inside);

/// What `plan` would say of a database that the migrations of the folder have just made, on a throwaway
/// server. The context's URL is not used, nor what the profile expects of a database. Throws as `up` does,
/// with the place of a statement that fails.
Planned plan_in_sandbox(const Context& context, const SandboxPlanOptions& options);

}  // namespace kdb::flow
