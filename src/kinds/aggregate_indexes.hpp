#pragma once

#include "kinds/declared.hpp"

namespace kdb {

/// Where TimescaleDB keeps the indexes of an aggregate that it makes.
inline constexpr const char* aggregate_index_schema = "_timescaledb_internal";

/// An index of a continuous aggregate is in TimescaleDB's own schema, and goes by the schema of its view.
/// Where another index would go by the same name it is called by the schema that it is in: in `live`, and in
/// `desired` whichever way that has it.
void tell_apart(LiveSchema& live, DesiredSchema& desired);

}  // namespace kdb
