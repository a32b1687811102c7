// How large an index will be, from the widths of its columns.

#include "core/build_estimate.hpp"

#include <doctest/doctest.h>

namespace kdb::build_estimate_test {

namespace {

const ObjectName events{"public", "events"};

std::map<ObjectName, TableStatistics> widths() {
  TableStatistics table;
  table.columns["id"] = {.type = "int8", .bounded = true, .average_width = 8, .correlation = {}};
  table.columns["kind"] = {.type = "text", .bounded = false, .average_width = 11, .correlation = {}};
  table.columns["Mixed Case"] = {.type = "text", .bounded = false, .average_width = 100, .correlation = {}};
  table.columns["fresh"] = {.type = "text", .bounded = false, .average_width = {}, .correlation = {}};
  return {{events, std::move(table)}};
}

/// The estimate of an index on a table of a million rows and 100 MB.
Estimate estimate_of(Index index, Action action = Action::create) {
  index.name = {"public", "i"};
  index.table = events;
  std::vector<Change> changes(1);
  changes[0].action = action;
  changes[0].kind = "index";
  changes[0].object = "i";
  changes[0].estimate = {.rows = 1'000'000, .bytes = 100'000'000, .disk = {}, .seconds = {}};
  estimate_builds(changes, {{.key = "i", .value = std::move(index), .where = {}, .fields = {}}}, widths(),
                  "public");
  return changes[0].estimate;
}

Index on(std::vector<Fragment> columns, std::string method = "btree") {
  Index index;
  index.method = std::move(method);
  index.columns = std::move(columns);
  return index;
}

}  // namespace

TEST_CASE("a btree of a bigint takes 22 bytes a row, as servers build it") {
  // CREATE TABLE t AS SELECT i FROM generate_series(1::bigint, 1000000) i; the index has 22,487,040 bytes.
  const Estimate estimate = estimate_of(on({{"id"}}));
  CHECK(*estimate.disk == doctest::Approx(22'487'040).epsilon(0.02));
  CHECK(*estimate.seconds > 0);
}

TEST_CASE("an index grows with all that it keeps of a row") {
  const auto bare = *estimate_of(on({{"id"}})).disk;
  Index wide = on({{"id DESC NULLS LAST"}});
  CHECK(*estimate_of(wide).disk == bare);
  wide.include = {{"\"Mixed Case\""}};
  CHECK(*estimate_of(wide).disk > 4 * bare);
  CHECK(*estimate_of(on({{"lower(kind)"}})).disk > bare);
  Index loose = on({{"id"}});
  loose.with = {{"fillfactor", "45"}};
  CHECK(*estimate_of(loose).disk == doctest::Approx(static_cast<double>(2 * bare)).epsilon(0.01));
}

TEST_CASE("a block range index is small, and smaller with larger ranges") {
  Index ranges = on({{"id"}}, "brin");
  const auto usual = *estimate_of(ranges).disk;
  CHECK(usual < 1'000'000);
  ranges.with = {{"pages_per_range", "4"}};
  CHECK(*estimate_of(ranges).disk > usual);
}

TEST_CASE("what nobody can know is left open") {
  CHECK_FALSE(estimate_of(on({{"fresh"}})).disk);        // never analysed
  CHECK_FALSE(estimate_of(on({{"now()"}})).disk);        // names no column
  CHECK_FALSE(estimate_of(on({{"kind"}}, "gin")).disk);  // as large as what is in the values
  CHECK_FALSE(estimate_of(on({{"kind text_bloom_ops"}}, "brin")).disk);
  CHECK_FALSE(estimate_of(on({{"id"}}), Action::drop).disk);
  CHECK(estimate_of(on({{"id"}}), Action::repair).disk);
}

}  // namespace kdb::build_estimate_test
