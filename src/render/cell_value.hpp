#pragma once

#include <string>

#include "model/report.hpp"

namespace kdb::render {

/// A cell or a field for people, as it is: no markup, and nothing escaped.
std::string cell_value(const Value& value);

}  // namespace kdb::render
