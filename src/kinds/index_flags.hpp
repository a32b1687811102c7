#pragma once

#include <string>
#include <vector>

#include "kinds/difference.hpp"
#include "kinds/index.hpp"

namespace kdb {

/// What a table has set about one of its indexes.
struct IndexFlags {
  bool replica_identity = false;
  bool clustered = false;  // the order for CLUSTER
};
inline IndexFlags flags_of(const IndexFacts& facts) { return {facts.replica_identity, facts.clustered}; }
inline IndexFlags flags_of(const PartIndex& part) { return {part.replica_identity, part.clustered}; }

/// Those that an index cannot have: CLUSTER goes by a btree or GiST index of all rows, a replica identity is
/// a unique index of all rows by columns (PG docs, CLUSTER and ALTER TABLE). That they are NOT NULL the
/// server says.
IndexFlags refused_flags(const IndexFlags& flags, const Index& index);

/// Sets the others for the index of `table` that is called `name` by then.
std::vector<ChangeStep> set_flags(const IndexFlags& flags, const Index& index, const ObjectName& table,
                                  const std::string& name, const Surroundings& around);

/// `the order for CLUSTER`, of flags that go with an index.
std::vector<std::string> flag_words(const IndexFlags& flags);

/// That a table loses what replicas find its rows by.
Hazard identity_hazard(const std::string& index, const std::string& table);

}  // namespace kdb
