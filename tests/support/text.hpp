#pragma once

#include <string_view>

namespace kdb::test {

/// Whether `part` stands in `text`.
constexpr bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace kdb::test
