#include "base/allowance.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

/// A name as people mean it: good enough to permit what they were told the name of.
std::string plain_name(std::string_view name) {
  std::string lower = to_lower(name);
  std::erase(lower, '"');
  return lower.starts_with("public.") ? lower.substr(7) : lower;
}

}  // namespace

std::optional<Problem> check_allowance(std::string_view allowance) {
  if (allowance == "all") return std::nullopt;
  const size_t colon = allowance.find(':');
  const std::string_view id = allowance.substr(0, colon);
  std::vector<std::string_view> known;
  for (const hazard::Name& name : hazard::names) known.push_back(name.id);
  if (std::find(known.begin(), known.end(), id) == known.end()) {
    const auto meant = did_you_mean(id, known);
    return Problem{.message = fmt::format("unknown hazard \"{}\"", id),
                   .hint = meant ? fmt::format("did you mean {}?", *meant)
                                 : fmt::format("hazards are {}", fmt::join(known, ", "))};
  }
  if (colon + 1 != allowance.size()) return std::nullopt;
  return Problem{.message = fmt::format("no object behind the colon of \"{}\"", allowance),
                 .hint = fmt::format("{} alone permits it on every object", id)};
}

bool permits(std::string_view allowance, std::string_view id, std::string_view object) {
  if (allowance == "all") return id != hazard::deletes_data && id != hazard::irreversible;
  const size_t colon = allowance.find(':');
  if (allowance.substr(0, colon) != id) return false;
  return colon == std::string_view::npos || plain_name(allowance.substr(colon + 1)) == plain_name(object);
}

}  // namespace kdb::sql
