#include "files/layouts.hpp"

#include <algorithm>
#include <array>

namespace kdb::files {

std::span<const LayoutRules> all_layouts() {
  // plain is last: it takes the numbered files whose contents no other layout recognises.
  static const std::array layouts{
      native_layout(), goose_layout(),  golang_migrate_layout(), diesel_layout(),
      prisma_layout(), flyway_layout(), plain_layout(),
  };
  return layouts;
}

const LayoutRules& rules_of(Layout layout) {
  const auto layouts = all_layouts();
  return *std::find_if(layouts.begin(), layouts.end(),
                       [&](const LayoutRules& rules) { return rules.layout == layout; });
}

}  // namespace kdb::files
