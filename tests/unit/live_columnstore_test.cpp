// How many rows a batch of a columnstore has, or will have: what is there counts, then what ANALYZE knows.
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "files/profile.hpp"
#include "support/linted.hpp"

namespace kdb::live_columnstore_test {

namespace {

const ObjectName events{"public", "ev"};

struct Server {
  LiveSchema live;
  std::map<ObjectName, TableStatistics> statistics;
  std::map<ObjectName, ColumnstoreFacts> columnstores;

  /// Five million rows of two years, of 30 metrics and 200,000 people.
  Server() {
    TableStatistics& table = statistics[events];
    table.rows = 5e6;
    table.columns["at"] = {.type = "timestamptz", .bounded = true, .distinct = -1, .days = 730};
    table.columns["metric"] = {.type = "text", .distinct = 30};
    table.columns["who"] = {.type = "text", .distinct = 200'000};
    table.columns["id"] = {.type = "text", .distinct = -1};
    table.columns["unknown"] = {.type = "text"};
  }

  /// The message, or nothing.
  std::string says(const std::string& members) const {
    const files::Profile profile =
        files::parse_profile("[hypertables.ev]\ntime_column = \"at\"\n" + members, "p.toml",
                             [](const std::string&) { return std::nullopt; });
    for (const Finding& finding : lint::check({.desired = &profile.desired,
                                  .live = &live,
                                  .statistics = &statistics,
                                  .columnstores = &columnstores})
                                      .findings)
      if (finding.rule == "few-rows-per-segment") return finding.problem.message;
    return {};
  }
};

std::string segmented(const std::string& columns, const std::string& interval = "30 days",
                      const std::string& more = "") {
  return "chunk_interval = \"" + interval + "\"\n" + more + "columnstore = { segment_by = " + columns +
         ", order_by = [\"at\"], compress_after = \"90 days\" }\n";
}

}  // namespace

TEST_CASE("few rows of a segment in a chunk are estimated from the values of its columns") {
  Server server;
  CHECK(server.says(segmented("[\"metric\"]")).empty());
  CHECK(server.says(segmented("[]")).empty());
  CHECK(server.says(segmented("[\"who\"]")) ==
        "the columnstore of ev, segmented by who, will have batches of about 2 rows, by 205479 in a chunk: "
        "up to "
        "1,000 fit into one");
  CHECK(server.says(segmented("[\"id\"]")).find("about 1 row,") != std::string::npos);
  CHECK_FALSE(server.says(segmented("[\"metric\", \"who\"]")).empty());
  CHECK(server.says(segmented("[\"unknown\"]")).empty());
  CHECK(server.says(segmented("[\"nobody's\"]")).empty());
  // A chunk of an hour has 285 rows, and a tenth of them of each metric.
  CHECK_FALSE(server.says(segmented("[\"metric\"]", "1 hour")).empty());
  // Partitions by the same column leave as many rows of each value in a chunk as before, by another one
  // fewer.
  const auto partitions = [](const std::string& column) {
    return "dimensions = [{ column = \"" + column + "\", partitions = 10 }]\n";
  };
  CHECK(server.says(segmented("[\"metric\"]", "1 day", partitions("metric"))).empty());
  CHECK_FALSE(server.says(segmented("[\"metric\"]", "1 day", partitions("who"))).empty());
  server.statistics[events].rows = 99'999;
  CHECK(server.says(segmented("[\"who\"]")).empty());  // of no importance, or a test's
  server.statistics[events].rows = -1;
  CHECK(server.says(segmented("[\"who\"]")).empty());
}

TEST_CASE("without a time's range the chunks that are there are counted") {
  Server server;
  server.statistics[events].columns["at"].days.reset();
  CHECK(server.says(segmented("[\"who\"]")).empty());
  Live<Hypertable> live;
  live.value.name = events;
  live.facts.chunks = 25;
  live.facts.estimate.rows = 5'000'000;
  server.live.of<Hypertable>().push_back(live);
  CHECK(server.says(segmented("[\"who\"]")).find("200000 in a chunk") != std::string::npos);
  CHECK(server.says(segmented("[\"metric\"]")).empty());
}

TEST_CASE("batches that are there are counted and not estimated, as long as segment_by stays as it is") {
  Server server;
  Live<Hypertable> live;
  live.value.name = events;
  live.value.columnstore = Columnstore{};
  live.value.columnstore->segment_by = {"metric"};
  server.live.of<Hypertable>().push_back(live);
  server.columnstores[events] = {
      .rows = 4'500'000, .batches = 4'200'000, .bytes_before = 2'534, .bytes_after = 3'290};
  CHECK(server.says(segmented("[\"metric\"]")) ==
        "the columnstore of ev, segmented by metric, has 1.1 rows in a batch, where up to 1,000 fit; its "
        "chunks have "
        "130 % of their former size");
  CHECK_FALSE(server.says("columnstore = { order_by = [\"at\"], compress_after = \"90 days\" }\n").empty());
  CHECK(server.says(segmented("[]")).empty());
  server.columnstores[events].batches = 5'000;
  CHECK(server.says(segmented("[\"metric\"]")).empty());
}

}  // namespace kdb::live_columnstore_test
