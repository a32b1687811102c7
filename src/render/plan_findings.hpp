#pragma once

#include "model/report.hpp"

namespace kdb::render {

/// A report with changes as one with findings, for formats that know nothing else: each change at the line
/// that declares it, each hazard that has to be allowed, what the server or the profile forbids. Every other
/// report is left as it is.
Report as_findings(const Report& report);

}  // namespace kdb::render
