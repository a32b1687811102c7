#include "core/tune.hpp"

namespace kdb {

std::vector<FindingRule> tuning_finding_rules() {
  using Level = Finding::Level;
  return {
      {"broken-server-file", Level::error, "a line of the server's files that it refuses",
       "With one such line the server takes no change of any of its files at a reload, and with some it does "
       "not start "
       "again."},
      {"hidden-setting", Level::warning, "a value of the server's that this role may not see",
       "ALTER ROLE or ALTER DATABASE gives the role another value, and only who may read "
       "pg_file_settings sees what "
       "is behind it."},
      {"insert-vacuum-missing", Level::warning, "autovacuum is set up for dead rows alone",
       "Tables that only grow have none: they are vacuumed after so many new rows, which is another "
       "setting."},
      {"memory-budget", Level::warning, "all together may take more memory than there is",
       "The server's cache, every connection's sorts and hashes, vacuums and an index build, as if all came "
       "at once."},
      {"setting-from-environment", Level::warning,
       "a setting whose value comes from the environment is left out",
       "A profile may be a stranger's: it must not be able to print what is in the environment of who runs "
       "kdb."},
      {"shadowed-setting", Level::note, "sessions of a role or in a database get another value",
       "ALTER ROLE and ALTER DATABASE SET win over every file."},
      {"small-shared-memory", Level::warning, "parallel queries share more than /dev/shm has",
       "They fail with \"could not resize shared memory segment\": a container has 64 MB unless it is told "
       "otherwise."},
      {"unknown-disk", Level::note, "nobody said what kind of disk the data is on",
       "What a random read costs, and how many can be asked for at once, depends on it."},
      {"unknown-extension-setting", Level::warning, "a name with a prefix that its extension does not have",
       "PostgreSQL takes every name with a dot in it, and tells nobody that nothing uses it."},
      {"unknown-machine", Level::warning, "the server's memory or CPUs are not known",
       "kdb asks a machine only where it can prove that the server runs there, and guesses nothing."},
  };
}

}  // namespace kdb
