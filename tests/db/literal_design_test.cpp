// The design as it was stated, profiles/literal.toml: lint, plan and explain together name each reason for
// which it is slower than a plain table.

#include "db/timescale.hpp"
#include "pg/table_statistics.hpp"
#include "support/json.hpp"
#include "support/skip.hpp"
#include "support/text.hpp"

namespace kdb::test::literal_design_test {

namespace {

Run kdb(const std::string& url, std::vector<std::string> words) {
  std::vector<std::string> command = {KDB_BINARY,
                                      "-d",
                                      url,
                                      "-p",
                                      KDB_SOURCE_DIR "/profiles/literal.toml",
                                      "--migrations",
                                      KDB_SOURCE_DIR "/migrations"};
  command.insert(command.end(), words.begin(), words.end());
  return run(command);
}

/// A quarter of events: by so few of a profile in each week that a segment of it is a row or two.
constexpr const char* some_events =
    "SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs "
    "WHERE hypertable_name = 'klaviyo_events';"
    "INSERT INTO klaviyo_events (id, metric_id, profile_id, \"timestamp\", value, properties) "
    "SELECT 'e' || n, 'm' || n % 5, 'p' || n * 7919::bigint % 4001, "
    "'2025-10-06Z'::timestamptz + n * interval '6 minutes', n % 100, jsonb_build_object('$message', n % 50) "
    "FROM generate_series(1, 20000) n; ANALYZE klaviyo_events;"
    "SELECT count(compress_chunk(c)) FROM show_chunks('klaviyo_events', older_than => "
    "'2025-12-15Z'::timestamptz) c";

}  // namespace

TEST_CASE("lint names what of the stated design is known without a server") {
  const Run lint = kdb("postgresql://localhost:1/none", {"lint", "--format", "json"});
  CHECK(lint.exit == 0);
  for (const std::string_view rule : {"many-chunks-with-jit", "space-dimension", "lookup-in-every-chunk",
                                      "gin-for-one-key", "index-column-order"}) {
    CAPTURE(rule);
    CHECK(has(lint.out, "\"" + std::string(rule) + "\""));
  }
  CHECK(has(lint.out, "420 chunks"));
  CHECK(has(lint.out, "index idx_klaviyo_events_high_value does not begin with metric_id"));
  CHECK(has(lint.out, "index idx_klaviyo_events_profile_metric_timestamp has metric_id between profile_id"));
  CHECK(has(lint.out, "query event_by_id looks for one id in all 420 chunks"));
}

TEST_CASE("explain names what of the stated design only the server knows") {
  const Timescale timescale(false);
  if (!timescale.reason().empty()) return skip(timescale.reason());
  const Database database;
  database.exec("CREATE EXTENSION timescaledb");
  REQUIRE(kdb(database.url(), {"migrate", "up"}).exit == 0);
  const Run applied = kdb(database.url(), {"apply", "--yes", "--allow", "all"});
  REQUIRE_MESSAGE(applied.exit == 0, applied.err);
  database.exec(some_events);
  database.exec("ANALYZE");

  database.in_session([&](Session& session) {
    const auto columnstores = pg::read_columnstores(session.connection());
    REQUIRE(columnstores.size() == 1);
    const ColumnstoreFacts& facts = columnstores.begin()->second;
    CHECK(columnstores.begin()->first == ObjectName{"public", "klaviyo_events"});
    CHECK(facts.rows > 10'000);
    CHECK(facts.rows < 3 * facts.batches);
    CHECK(facts.uncounted == facts.rows);  // ANALYZE found none of them
    CHECK(facts.bytes_after > 0);
    const auto statistics =
        pg::read_table_statistics(session.connection(), {{"public", "klaviyo_events"}}).begin()->second;
    CHECK(*statistics.columns.at("metric_id").distinct == 5);
    CHECK_FALSE(statistics.columns.at("metric_id").days);
    CHECK(*statistics.columns.at("timestamp").days > 3);
  });

  const Run explained = kdb(database.url(), {"explain", "--analyze"});
  CAPTURE(explained.out);
  const std::string all = explained.out + explained.err;
  CHECK(has(all, "the columnstore of klaviyo_events has "));
  CHECK(has(all, "and is unpacked batch by batch for "));
  CHECK(has(all, "literal.toml:21:"));
  CHECK(has(all, "event_by_id: looks into all "));
  CHECK(has(all, "through its columnstore, where its indexes do not reach"));
  CHECK(has(all, "campaign_events expects \"index:idx_klaviyo_events_properties\": it is not used"));
  CHECK(has(all, "there is no index idx_klaviyo_events_timestamp"));
  CHECK(has(all, "no declared query uses the index idx_klaviyo_events_timestamp_brin"));
}

}  // namespace kdb::test::literal_design_test
