#pragma once

#include <string>
#include <vector>

#include "kinds/difference.hpp"
#include "kinds/index.hpp"
#include "kinds/part_names.hpp"

namespace kdb {

/// How an index gets to every part of its table.
enum class PartsMethod {
  whole,            // the server does it at once: there are no parts, or it has nothing better
  partitions,       // ON ONLY the partitioned table, CONCURRENTLY on each partition, then attached
  chunks,           // ON ONLY the hypertable, CONCURRENTLY on each chunk (TimescaleDB 2.22)
  one_transaction,  // for each chunk, by TimescaleDB itself; what is interrupted has to be dropped
};
PartsMethod parts_method(const Index& index, const Surroundings& around);

/// The schema that has to be opened to the role for `chunks` to be the method; empty where it is for no lack
/// of a right.
std::string closed_to_chunks(const Index& index, const Surroundings& around);

/// The statements that are left to do, and what the indexes of the partitions are called then.
struct PartsBuild {
  std::vector<ChangeStep> steps;
  PartNames names;  // none of chunks
};

/// Builds what is missing of `index` under `name` while parts are read and written: all of it where `begun`
/// is null.
PartsBuild build_on_parts(const Index& index, const std::string& name, const Live<Index>* begun,
                          const Surroundings& around);

/// `action`, or another one where the table has parts and the fields cannot be changed in place there. Empty
/// fields need none.
Action action_on_parts(Action action, const Index& desired, const std::vector<FieldChange>& fields,
                       const Surroundings& around);

/// Whether storage parameters of a hypertable's index can be changed chunk by chunk. Not where another index
/// of the same structure is there: nobody could tell whose a chunk's is.
bool can_alter_chunks(const Index& desired, const std::vector<FieldChange>& fields,
                      const Surroundings& around);

/// Brings the parameters of every chunk's index to those of `desired`; one that cannot be changed is built
/// again beside the old one.
std::vector<ChangeStep> alter_on_chunks(const Index& desired, const Live<Index>& live,
                                        const Surroundings& around);

/// `events and its 41 partitions`, where it has any.
std::string with_its_parts(const ObjectName& table, const Surroundings& around);

/// The lock that a drop takes on a table and all its parts for a moment.
Hazard drop_hazard(const Index& index, const Surroundings& around);

}  // namespace kdb
