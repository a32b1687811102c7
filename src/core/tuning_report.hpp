#pragma once

#include "core/setting_diff.hpp"
#include "core/tune.hpp"
#include "model/report.hpp"

namespace kdb {

/// What the settings are for, and who says so.
std::vector<Field> tuning_fields(const TuningFacts& facts);

/// What `kdb tune` says.
Report to_report(const TuningFacts& facts, Tuned tuned);

/// What `kdb tune diff` says, of so many rendered settings.
Report to_report(const TuningFacts& facts, SettingDiff diff, size_t rendered);

}  // namespace kdb
