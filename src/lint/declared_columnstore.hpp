#pragma once

#include "lint/input.hpp"

namespace kdb::lint {

/// Calls `visit(hypertable, columnstore)` for each that declares one.
template <class Visit>
void for_each_columnstore(const Input& input, Visit visit) {
  if (input.desired == nullptr) return;
  for (const Declared<Hypertable>& hypertable : input.desired->of<Hypertable>())
    if (!hypertable.absent && hypertable.value.columnstore) visit(hypertable, *hypertable.value.columnstore);
}

/// The hypertable as the database has it; null where it has none.
inline const Live<Hypertable>* find_live(const Input& input, const ObjectName& name) {
  if (input.live == nullptr) return nullptr;
  for (const Live<Hypertable>& live : input.live->of<Hypertable>())
    if (live.value.name == name) return &live;
  return nullptr;
}

/// The database's own: what a profile leaves open stays as it is. Null where it has none.
inline const Columnstore* live_columnstore(const Input& input, const ObjectName& name) {
  const Live<Hypertable>* live = find_live(input, name);
  return live != nullptr && live->value.columnstore ? &*live->value.columnstore : nullptr;
}

}  // namespace kdb::lint
