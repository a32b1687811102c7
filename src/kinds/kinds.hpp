#pragma once

#include "kinds/continuous_aggregate.hpp"
#include "kinds/database_settings.hpp"
#include "kinds/extension.hpp"
#include "kinds/hypertable.hpp"
#include "kinds/index.hpp"
#include "kinds/role.hpp"
#include "kinds/setting.hpp"
#include "kinds/statistics.hpp"
#include "kinds/table.hpp"

namespace kdb {

template <class... T>
struct KindList {};

/// The only list of kinds, in the order in which they are made: what comes later may need what comes earlier.
using Kinds = KindList<Extension, TableProperties, Hypertable, ContinuousAggregate, Index, Statistics, Role,
                       DatabaseSettings, Setting>;

}  // namespace kdb
