// `kdb bench compare` on servers of its own: what a design does to queries, to writing and to sizes.

#include <string>
#include <vector>

#include "db/project.hpp"
#include "support/json.hpp"
#include "support/text.hpp"

namespace kdb::test::bench_compare_test {

namespace {

const std::string lookup = R"(
[roles.dashboard]
settings = { statement_timeout = "30s" }

[queries.event_by_id]
sql = "SELECT id, value FROM klaviyo_events WHERE id = $1"
parameters = ["CXMX1ygLhK9"]

[queries.of_a_profile]
sql = 'SELECT count(*) FROM klaviyo_events WHERE profile_id = $1'
parameters = ["01GCAHNYNG6HZHGE9WG7W3R3GE"]
weight = 4
)";

const std::string indexed = R"(
[indexes.by_profile]
table = "klaviyo_events"
columns = ["profile_id"]
)";

/// kdb in a folder with these profiles.
struct Bench {
  Run compare(const std::vector<std::string>& profiles, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {KDB_BINARY,
                                      "bench",
                                      "compare",
                                      "-p",
                                      folder.path() / "queries.toml",
                                      "--events",
                                      "3000",
                                      "--blocks",
                                      "5",
                                      "--write-rows",
                                      "200",
                                      "--migrations",
                                      KDB_SOURCE_DIR "/migrations"};
    for (const std::string& profile : profiles)
      words.push_back(profile == "none" ? profile : (folder.path() / profile).string());
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }

  TempDir folder;
};

}  // namespace

TEST_CASE("of designs that are compared, what is counted is exact, and what is written and stored is told") {
  Bench bench;
  bench.folder.write("queries.toml", lookup);
  bench.folder.write("indexed.toml", indexed);
  const Run run =
      bench.compare({"none", "indexed.toml"}, {"--format", "json", "-o", bench.folder.path() / "it.html"});
  // Of 3,000 rows no time is told from another; an answer would be.
  CHECK_MESSAGE((run.exit == 0 || run.exit == 1), run.err);
  CHECK_FALSE(has(run.out, "does not have the answer"));
  CHECK(json_at(run.out, "/format_version") == "1");
  CHECK(json_at(run.out, "/queries/1/query") == "\"of_a_profile\"");
  CHECK(json_at(run.out, "/queries/1/indexes") == "[]");
  CHECK(json_at(run.out, "/queries/3/design") ==
        "\"" + (bench.folder.path() / "indexed.toml").string() + "\"");
  CHECK(json_at(run.out, "/queries/3/indexes") == "[\"by_profile\"]");
  CHECK(std::stol(json_at(run.out, "/queries/3/buffers")) <
        std::stol(json_at(run.out, "/queries/1/buffers")));
  CHECK(json_at(run.out, "/queries/3/same_answer") == "true");
  CHECK(std::stol(json_at(run.out, "/designs/1/index_bytes")) >
        std::stol(json_at(run.out, "/designs/0/index_bytes")));
  CHECK(std::stol(json_at(run.out, "/designs/1/wal_bytes_per_row")) >
        std::stol(json_at(run.out, "/designs/0/wal_bytes_per_row")));
  // Where the server can tell: PostgreSQL 15 with pg_walinspect.
  const std::string lean = json_at(run.out, "/designs/1/wal_bytes_per_row_without_full_pages");
  if (lean != "null") {
    CHECK(std::stol(lean) > 0);
    CHECK(std::stol(lean) < std::stol(json_at(run.out, "/designs/1/wal_bytes_per_row")));
  }
  const std::string page = read_file(bench.folder.path() / "it.html");
  CHECK(has(page, "<!doctype html>"));
  CHECK(has(page, "of_a_profile"));
  CHECK_FALSE(has(page, "http"));
}

TEST_CASE(
    "a query in a design's own words has to have the same answer, and what fails later takes nothing along") {
  Bench bench;
  bench.folder.write("queries.toml", lookup);
  bench.folder.write(
      "same.toml",
      "[queries.of_a_profile]\nsql = 'SELECT sum(1) FROM klaviyo_events WHERE profile_id = $1'\n"
      "parameters = [\"01GCAHNYNG6HZHGE9WG7W3R3GE\"]\n");
  bench.folder.write(
      "other.toml",
      "[queries.of_a_profile]\nsql = 'SELECT count(*) + 1 FROM klaviyo_events WHERE profile_id = $1'\n"
      "parameters = [\"01GCAHNYNG6HZHGE9WG7W3R3GE\"]\n");
  bench.folder.write(
      "broken.toml",
      "[queries.of_a_profile]\nsql = 'SELECT nothing FROM klaviyo_events WHERE profile_id = $1'\n"
      "parameters = [\"01GCAHNYNG6HZHGE9WG7W3R3GE\"]\n"
      // Runs when it is counted, and not to the end of the blocks.
      "[queries.event_by_id]\nsql = \"SELECT 1 / (set_config('test.runs', (COALESCE(NULLIF(current_setting("
      "'test.runs', true), ''), '0')::int + 1)::text, false)::int < 20)::int\"\n"
      // Takes what was loaded, and nothing that comes later.
      "[indexes.refusing]\ntable = \"klaviyo_events\"\ncolumns = [\"\"\"(1 / CASE WHEN \"timestamp\" >= "
      "'2026-01-01 00:00:00+00'::timestamptz THEN 0 ELSE 1 END)\"\"\"]\n");
  const Run run = bench.compare({"none", "same.toml", "other.toml", "broken.toml"}, {"--format", "json"});
  CHECK(run.exit == 1);
  CHECK_MESSAGE(has(run.out, "broken.toml: event_by_id fails: division by zero (22012)"), run.out);
  CHECK(json_at(run.out, "/queries/6/ms") == "null");
  CHECK(json_at(run.out, "/queries/6/reason") == "\"it fails\"");
  CHECK_MESSAGE(has(run.out, "broken.toml: writing fails: division by zero (22012)"), run.out);
  CHECK(json_at(run.out, "/designs/3/copy_rows_per_second") == "null");
  CHECK(std::stol(json_at(run.out, "/designs/2/copy_rows_per_second")) > 0);
  CHECK(json_at(run.out, "/queries/3/reworded") == "true");
  CHECK(json_at(run.out, "/queries/3/same_answer") == "true");
  CHECK(json_at(run.out, "/queries/5/same_answer") == "false");
  CHECK_MESSAGE(has(run.out, "other.toml: of_a_profile does not have the answer that it has with none"),
                run.out);
  CHECK_MESSAGE(has(run.out, R"(broken.toml: of_a_profile fails: column \"nothing\" does not exist (42703))"),
                run.out);
}

TEST_CASE("what cannot be compared is refused before a server is started") {
  Bench bench;
  bench.folder.write("queries.toml", "");
  const Run none = bench.compare({"none", "queries.toml"});
  CHECK(none.exit == 64);
  CHECK_MESSAGE(has(none.err, "the profile declares no queries"), none.err);
  const Run one = bench.compare({"none"});
  CHECK(one.exit == 64);
  CHECK_MESSAGE(has(one.err, "two designs at least"), one.err);
}

}  // namespace kdb::test::bench_compare_test
