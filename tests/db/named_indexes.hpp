#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "db/online.hpp"

namespace kdb::test {

/// A partitioned table, one part of it partitioned again, and a table beside it.
inline void fill(const Database& database) {
  database.exec(
      "CREATE TABLE p (a int, b int, c text) PARTITION BY RANGE (a); CREATE TABLE z (a int, b int, c text);"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
      "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY LIST (b);"
      "CREATE TABLE p2a PARTITION OF p2 FOR VALUES IN (1); CREATE TABLE p2b PARTITION OF p2 DEFAULT");
}

inline bool has_foreign_tables(const Database& database) {
  return database.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'file_fdw'") != "0";
}

/// Beside it the server makes an index of the whole, and of every part, at once.
inline void add_foreign_partition(const Database& database) {
  database.exec(
      "CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE far "
      "PARTITION OF p FOR VALUES FROM (20) TO (30) SERVER s OPTIONS (filename '/dev/null')");
}

inline std::string definition(const Database& database, const std::string& index) {
  return database.text(fmt::format("SELECT pg_get_indexdef('{}'::regclass)", index));
}

/// What is attached to an index, by the name of the part's table: `p1: p1_a_idx, p2: …`.
inline std::string parts_of(const Database& database, const std::string& index) {
  return database.text(fmt::format(
      "SELECT string_agg(indrelid::regclass || ': ' || indexrelid::regclass, ', ' ORDER BY "
      "indrelid::regclass::text) FROM pg_partition_tree('{}') JOIN pg_index ON indexrelid = relid "
      "WHERE level > 0",
      index));
}

inline void converges(const Database& database, const ProfileRun& run,
                      const std::vector<std::string>& options = {}) {
  const std::string before = run.plan(database).out;
  const Run applied = run.apply(database, options);
  CHECK_MESSAGE(applied.exit == 0, before, applied.err);
  const Run planned = run.plan(database);
  CHECK_MESSAGE(planned.exit == 0, planned.out);
  CHECK(invalid_indexes(database).empty());
}

/// With parts that kdb builds, and with parts that the server makes with the whole.
template <class Work>
void for_each_way(const Work& work) {
  for (const bool by_server : {false, true}) {
    CAPTURE(by_server);
    const Database database;
    fill(database);
    if (by_server && !has_foreign_tables(database)) return skip("no foreign data wrapper");
    if (by_server) add_foreign_partition(database);
    work(database);
  }
}

}  // namespace kdb::test
