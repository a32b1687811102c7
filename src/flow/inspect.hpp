#pragma once

#include <string>
#include <vector>

#include "flow/session.hpp"

namespace kdb::flow {

struct InspectOptions {
  std::vector<std::string> schemas;  // none: all
  std::vector<std::string> tables;   // as a profile writes their names; none: all
};

/// A profile that declares what the database has. Throws Error(usage) for a schema or table that it does not
/// have.
std::string inspect(const Context& context, const InspectOptions& options);

}  // namespace kdb::flow
