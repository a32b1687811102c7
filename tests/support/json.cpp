#include "support/json.hpp"

#include <nlohmann/json.hpp>

namespace kdb::test {

std::string json_at(const std::string& text, const std::string& pointer) {
  const auto json = nlohmann::json::parse(text);
  const nlohmann::json::json_pointer place(pointer);
  return json.contains(place) ? json.at(place).dump() : "";
}

}  // namespace kdb::test
