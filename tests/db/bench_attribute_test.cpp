// `kdb bench compare --attribute` on servers of its own: which part of a design changes what.

#include <filesystem>
#include <string>
#include <vector>

#include "db/project.hpp"
#include "db/timescale.hpp"
#include "support/json.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::bench_attribute_test {

namespace {

const std::string queries = R"(
[roles.dashboard]
settings = { statement_timeout = "30s" }
[queries.of_a_profile]
sql = 'SELECT count(*) FROM klaviyo_events WHERE profile_id = $1'
parameters = ["01GCAHNYNG6HZHGE9WG7W3R3GE"]

[queries.events]
sql = 'SELECT count(*) FROM klaviyo_events WHERE "timestamp" > $1 AND value IS NOT NULL'
parameters = ["2024-02-01"]
)";

const std::string indexes = R"(
[indexes.by_profile]
table = "klaviyo_events"
columns = ["profile_id"]

[indexes.unused]
table = "klaviyo_events"
columns = ["synced_at"]
)";

/// kdb in a folder, comparing nothing with this design.
Run attribute(const TempDir& folder, const std::string& design,
              const std::string& migrations = KDB_SOURCE_DIR "/migrations") {
  folder.write("queries.toml", queries);
  folder.write("design.toml", design);
  return run({KDB_BINARY, "bench", "compare", "none", folder.path() / "design.toml", "--attribute", "-p",
              folder.path() / "queries.toml", "--events", "2000", "--blocks", "2", "--write-rows", "100",
              "--migrations", migrations, "--format", "json"});
}

/// A value of the row of /parts that is of this part; empty where there is none.
std::string of_part(const Run& run, const std::string& part, const std::string& key) {
  for (int row = 0;; ++row) {
    const std::string at = "/parts/" + std::to_string(row);
    const std::string name = json_at(run.out, at + "/part");
    if (name.empty()) return {};
    if (name == "\"" + part + "\"") return json_at(run.out, at + "/" + key);
  }
}

}  // namespace

TEST_CASE("each part of a design is left out by itself: what moves, what does not, what was not tried") {
  TempDir folder;
  const Run run = attribute(folder, indexes + R"(
[indexes.gone]
table = "klaviyo_events"
columns = ["value"]
state = "absent"

[statistics.of_events]
table = "klaviyo_events"
columns = ["metric_id", "profile_id"]

[roles.dashboard]
settings = { statement_timeout = "30s" }

[server.settings]
enable_indexonlyscan = false
enable_material = false
jit = true
work_mem = "8MB"
shared_buffers = "64MB"
autovacuum_naptime = "2min"
default_statistics_target = 200
)");
  REQUIRE_MESSAGE((run.exit == 0 || run.exit == 1), run.err);
  CAPTURE(run.out);
  CHECK(has(run.err, "no time will be judged: that takes 5 blocks at least"));
  CHECK(of_part(run, "by_profile", "moved") == "1");
  CHECK(of_part(run, "by_profile", "most_changed") == "\"of_a_profile\"");
  CHECK(std::stod(of_part(run, "by_profile", "buffers_ratio")) > 2);
  CHECK(std::stod(of_part(run, "by_profile", "wal_share")) > 0);
  CHECK(std::stol(of_part(run, "by_profile", "bytes")) > 0);
  CHECK(of_part(run, "unused", "moved") == "0");
  CHECK(of_part(run, "unused", "buffers_ratio") == "1.0");
  CHECK(of_part(run, "unused", "time_ratio") == "1.0");
  CHECK(std::stod(of_part(run, "unused", "wal_share")) > 0);
  CHECK(std::stol(of_part(run, "unused", "bytes")) > 0);
  CHECK(of_part(run, "gone", "part").empty());
  CHECK(of_part(run, "of_events", "moved") == "0");
  CHECK(of_part(run, "enable_indexonlyscan = off", "moved") != "0");
  CHECK(of_part(run, "enable_material = off", "moved") == "0");
  CHECK(of_part(run, "enable_material = off", "standard") == "false");
  CHECK(of_part(run, "jit = on", "standard") == "true");
  CHECK(of_part(run, "work_mem = 8MB", "moved") == "0");
  CHECK(has(of_part(run, "shared_buffers", "skipped"), "it needs a restart"));
  CHECK(has(of_part(run, "autovacuum_naptime", "skipped"), "autovacuum is off"));
  CHECK(has(of_part(run, "default_statistics_target", "skipped"), "ANALYZE alone"));
  CHECK(has(of_part(run, "dashboard", "skipped"), "do not begin with it"));
}

TEST_CASE(
    "an index under a constraint stays, one that a query fails without is worth most, and neither is in the "
    "way") {
  TempDir folder;
  for (const auto& file : std::filesystem::directory_iterator(KDB_SOURCE_DIR "/migrations"))
    folder.write("migrations" / file.path().filename(), read_file(file.path()));
  folder.write("migrations/20260105090500_refer.sql",
               "-- migrate:up\nCREATE UNIQUE INDEX referred ON klaviyo_profiles (id, email);\n"
               "CREATE TABLE referring (id text, email text, FOREIGN KEY (id, email) REFERENCES "
               "klaviyo_profiles (id, email));\n-- migrate:down\nDROP TABLE referring;\n");
  const Run run = attribute(folder, indexes + R"(
[indexes.referred]
table = "klaviyo_profiles"
columns = ["id", "email"]
unique = true

[queries.events]
sql = """SELECT count(*) FROM klaviyo_events WHERE CASE
  WHEN EXISTS (SELECT FROM pg_class WHERE relname = 'unused') THEN true
  ELSE 1 / length(substr(id, 1, 0)) = 1 END"""
)",
                            folder.path() / "migrations");
  REQUIRE_MESSAGE((run.exit == 0 || run.exit == 1), run.err);
  CAPTURE(run.out);
  CHECK(has(of_part(run, "referred", "skipped"), "cannot drop index referred"));
  CHECK(json_at(run.out, "/parts/0/part") == "\"unused\"");
  CHECK(json_at(run.out, "/parts/0/failing") == "1");
  CHECK(json_at(run.out, "/moved/0/error") == "\"division by zero (22012)\"");
  CHECK(of_part(run, "by_profile", "moved") == "1");
}

TEST_CASE("the index of a hypertable is left out of its chunks too, those in columns among them") {
  const Timescale timescale(false);
  if (!timescale.reason().empty()) return skip(timescale.reason());
  TempDir folder;
  const Run run = attribute(folder, indexes + R"(
[hypertables.klaviyo_events]
time_column = "timestamp"
chunk_interval = "90 days"
columnstore = { segment_by = ["metric_id"], order_by = ["timestamp DESC"], compress_after = "1 year" }
)");
  REQUIRE_MESSAGE((run.exit == 0 || run.exit == 1), run.err);
  CAPTURE(run.out);
  CHECK(of_part(run, "by_profile", "most_changed") == "\"of_a_profile\"");
  CHECK(std::stod(of_part(run, "by_profile", "buffers_ratio")) > 1);
  CHECK(std::stol(of_part(run, "by_profile", "bytes")) > 5 * 8192);
  CHECK(std::stod(of_part(run, "by_profile", "wal_share")) > 0);
  CHECK(of_part(run, "unused", "moved") == "0");
  CHECK(has(of_part(run, "klaviyo_events", "skipped"), "written anew"));
}

}  // namespace kdb::test::bench_attribute_test
