#include "render/cell_value.hpp"

#include <fmt/format.h>

namespace kdb::render {

std::string cell_value(const Value& value) {
  struct Visitor {
    std::string operator()(std::monostate) const { return ""; }
    std::string operator()(bool held) const { return held ? "yes" : "no"; }
    std::string operator()(std::int64_t held) const { return fmt::format("{}", held); }
    std::string operator()(double held) const { return fmt::format("{:.3g}", held); }
    std::string operator()(const std::string& held) const { return held; }
    std::string operator()(const std::vector<std::string>& held) const {
      return fmt::format("{}", fmt::join(held, ", "));
    }
  };
  return std::visit(Visitor{}, value);
}

}  // namespace kdb::render
