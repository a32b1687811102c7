#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/reference_data.hpp"

namespace kdb {

/// Appends the row of an ordinal, line feed included. Ordinals come in order, from 0.
using RowWriter = std::function<void(std::string& text, std::int64_t ordinal)>;

// The writers of the tables' rows, with the columns of columns_of().
RowWriter metric_rows(const ReferenceData& data);
RowWriter campaign_rows(const ReferenceData& data);
RowWriter profile_rows(const ReferenceData& data);
RowWriter event_rows(const ReferenceData& data);

}  // namespace kdb
