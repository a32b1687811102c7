#pragma once

#include <string_view>

namespace kdb {

/// Whether two values of one parameter are one to the server, which took them both: as booleans, as numbers,
/// or as words (AUTO and auto), whose case does not count.
bool same_parameter(std::string_view a, std::string_view b);

}  // namespace kdb
