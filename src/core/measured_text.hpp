#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time_verdict.hpp"
#include "model/report.hpp"

namespace kdb {

/// Milliseconds for people: `0.42 ms`, `38 ms`, `5.2 s`; `-` of what is no number.
std::string time_text(double ms);

/// `0.071`, `1.1`, `13`, `6 272`; `-` of what is no number.
std::string ratio_text(double ratio);

/// With its interval, where there is one: `0.63 (0.59 to 0.68)`; `-` without blocks.
std::string interval_text(const PairedRatio& ratio);

/// What a mean says of itself that is not of all: ` over 15 of 16`; empty of all, and of none.
std::string over_text(size_t counted, size_t all);

/// In one word, for a column or a plot: `better`, `worse`, `same`, `?`.
std::string_view short_name(TimeVerdict verdict);

/// What a design's column is called: the file's name, without folder and ending.
std::string column_title(const std::string& design);

/// For programs: nothing where there is no number.
Value number_or_nothing(double value);
Value number_or_nothing(const std::optional<std::int64_t>& value);

}  // namespace kdb
