#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "core/sizing.hpp"

namespace kdb {

/// What a server does not start with, though it takes each value by itself (PG docs 20, and tried). `place`:
/// of a setting's declaration.
std::vector<Problem> contradictions(const Sizing& sizing,
                                    const std::function<Source(std::string_view)>& place);

}  // namespace kdb
