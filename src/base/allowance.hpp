#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace kdb::sql {

/// What is wrong with an allowance, which is `HAZARD`, `HAZARD:OBJECT` or `all`; nothing if it is right.
std::optional<Problem> check_allowance(std::string_view allowance);

/// Whether `allowance` permits a hazard on an object. Names compare without case, quotes and `public.`; `all`
/// never covers DELETES_DATA and IRREVERSIBLE.
bool permits(std::string_view allowance, std::string_view id, std::string_view object);

}  // namespace kdb::sql
