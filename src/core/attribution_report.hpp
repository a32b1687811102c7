#pragma once

#include "core/time_verdict.hpp"
#include "model/comparison.hpp"
#include "model/report.hpp"

namespace kdb {

/// Adds what each part of a design is worth: those that move a query, the one that is worth most first; those
/// that change nothing measurable; those that were not left out, and why. Nothing of a design without
/// attribution.
void add_attribution(const ComparisonMeasures& measures, const DesignMeasures& design,
                     const MachineFitness& fitness, const VerdictRules& rules, Report& report);

}  // namespace kdb
