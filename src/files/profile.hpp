#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/retry.hpp"
#include "files/migrations.hpp"
#include "files/server_section.hpp"
#include "kinds/declared.hpp"
#include "model/pool_settings.hpp"
#include "model/query.hpp"
#include "model/saved_plan.hpp"
#include "model/source_text.hpp"

namespace kdb::files {

/// `[database]`
struct DatabaseSection {
  std::string url;                // "" when unset; `${NAME}` is expanded
  std::string schema = "public";  // where unqualified names of a profile live
  std::string role;               // migrations run under SET ROLE
  std::string history_schema = "kdb";
  std::string expect_name;  // [database] expect = { name, system_identifier }
  std::string expect_system_identifier;
};

/// `[connection]`
struct ConnectionSection {
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds statement_timeout{0};
  std::chrono::milliseconds lock_timeout{3'000};
  std::chrono::milliseconds build_wait{0};  // how long CONCURRENTLY builds may wait for others; 0: no limit
  std::chrono::milliseconds response_timeout{0};  // client-side deadline of a statement; 0: none
  std::chrono::milliseconds keepalives_idle{30'000};
  std::chrono::milliseconds keepalives_interval{10'000};
  int keepalives_count = 3;
  std::string pooler;  // "" or "session"
  RetryPolicy retry;
  PoolSettings pool;  // where many sessions work side by side
};

/// `[migrations]`
struct MigrationsSection {
  MigrationSource source;                        // folder, layout, max_file_size, variables
  std::string dump;                              // file that `up` writes the schema to; "" for none
  bool refuse_hazards = false;                   // hazards = "show" | "refuse"
  std::chrono::milliseconds lock_wait{600'000};  // for another deployer
  RetryPolicy lock_retry{.initial = std::chrono::milliseconds(500),
                         .max_delay = std::chrono::milliseconds(15'000),
                         .max_attempts = 10,
                         .deadline = std::chrono::milliseconds(0)};  // for table locks
};

struct Profile {
  std::vector<FileHash> files;        // all that were read, the profile itself last
  std::vector<SourceText> commented;  // those of them that have comments for `kdb lint`
  DatabaseSection database;
  ConnectionSection connection;
  MigrationsSection migrations;
  ServerSection server;
  DesiredSchema desired;               // [indexes.NAME] and the like
  std::vector<DeclaredQuery> queries;  // [queries.NAME], in the order of the files
};

/// Reads `name` (a path: it contains `/` or ends in `.toml`; else NAME for profiles/NAME.toml) and all it
/// extends, later keys winning. A missing profile is an empty one when `required` is false. `"${NAME}"` in
/// `[database] url`, `[connection]` and `[server]` comes from `environment`, and is a problem elsewhere;
/// `$${` is a literal `${`. With `url_needed` false an unset variable in
/// `[database] url` leaves the url empty instead of being a problem: for commands that have another url or
/// need none. Paths in a profile (`directory`, `dump`) are relative to the current directory; those of
/// `extends` to the file. Throws Error(usage) with every problem of every file, sorted by position; "did you
/// mean" for unknown keys.
Profile read_profile(const std::string& name, bool required, const Environment& environment,
                     bool url_needed = true);

/// The same from the text of one file, `extends` not followed: for fuzzing. Pure.
Profile parse_profile(std::string_view text, const std::string& file, const Environment& environment);

}  // namespace kdb::files
