#pragma once

#include <string>
#include <vector>

#include "flow/session.hpp"
#include "model/change.hpp"

namespace kdb::flow {

/// Throws Error(refused) where the indexes that are to be made may take more disk than the server has, as far
/// as kdb can see its disk, and `allow` does not permit DISK_SPACE.
void refuse_full_disk(const Context& context, const std::vector<Change>& changes,
                      const std::vector<std::string>& allow);

}  // namespace kdb::flow
