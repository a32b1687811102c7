#pragma once

#include <cstdint>
#include <optional>

#include "kinds/hypertable.hpp"

namespace kdb::lint {

/// How often `part` fits into `whole`: of two intervals by days of the calendar's average month and year, of
/// two numbers as they are. Nothing where they cannot be compared, or one of them is not positive.
std::optional<double> ratio(const Span& whole, const Span& part);

/// The partitions of each stretch of time: the product over its dimensions by hash; 1 without them.
std::int64_t partitions_of(const Hypertable& hypertable);

/// How many chunks there are once retention begins to drop some. Nothing where it, or their interval, is not
/// declared.
std::optional<std::int64_t> chunk_count(const Hypertable& hypertable);

}  // namespace kdb::lint
