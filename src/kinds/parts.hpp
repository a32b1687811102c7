#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kinds/row.hpp"
#include "model/facts.hpp"
#include "model/object.hpp"

namespace kdb {

/// A partition of a partitioned table, at any level below it, or a chunk of a hypertable.
struct Part {
  std::string oid;
  std::string parent;  // the oid of the table that it is a part of
  ObjectName name;
  char kind = 'r';      // pg_class.relkind: r table, p partitioned itself, f foreign
  std::string bound;    // parts sort by it: what comes last has the newest rows
  bool closed = false;  // a chunk in whose schema the role may make nothing

  bool is_leaf() const { return kind != 'p'; }
  static Part read(const Row& row);
};

/// An index of a part.
struct PartIndex {
  std::string oid;
  std::string part;    // the oid of the part
  std::string parent;  // the oid of the index that it is attached to; empty where there is none
  ObjectName name;
  bool valid = true;
  int building = 0;         // the pid of a session that builds it right now
  bool constraint = false;  // it backs one
  std::string definition;   // of chunks only, which have nothing attached
  Options with;
  bool replica_identity = false;  // this and what follows of partitions only
  bool clustered = false;
  bool commented = false;
  /// DESC or NULLS FIRST otherwise than the whole's: the server attaches it all the same.
  bool own_order = false;
  std::string tablespace;
  Options statistics;  // target by column

  static PartIndex read(const Row& row);
};

/// By what a partitioned table is partitioned.
struct PartitionKey {
  std::string table;                 // its oid
  std::vector<std::string> columns;  // in their order, empty for an expression

  static PartitionKey read(const Row& row);
};

/// One row for every part of a partitioned table or hypertable.
std::string parts_query(const ServerFacts& facts);
/// One row for every partitioned table.
std::string partition_keys_query();
/// One row for every attached index of a partition, every index of a chunk, and every unique constraint of a
/// hypertable.
std::string part_indexes_query(const ServerFacts& facts);

/// How many of a table's leaves have a valid index below that of the whole.
struct Coverage {
  size_t leaves = 0;
  size_t covered = 0;
  bool chunks = false;  // of a hypertable

  bool complete() const { return covered == leaves; }
  /// `39/41 chunks covered`.
  std::string text() const;
  /// `2 of 41 chunks lack it`.
  std::string lack() const;
};

}  // namespace kdb
