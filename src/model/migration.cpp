#include "model/migration.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace kdb {
namespace {

constexpr std::pair<Layout, std::string_view> layout_names[] = {
    {Layout::native, "native"}, {Layout::golang_migrate, "golang-migrate"},
    {Layout::diesel, "diesel"}, {Layout::prisma, "prisma"},
    {Layout::flyway, "flyway"}, {Layout::goose, "goose"},
    {Layout::plain, "plain"},
};

// `/` is in no folder's name, so no name is taken for a number or for several components.
bool is_text(std::string_view component) { return component.starts_with('/'); }

// Two numbers without leading zeros: the longer one is the greater one. Text compares as bytes, and stands
// before every number.
std::strong_ordering compare_components(const std::string& a, const std::string& b) {
  if (is_text(a) || is_text(b)) return a.compare(b) <=> 0;
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

}  // namespace

std::string_view to_string(Layout layout) {
  const auto* row = std::find_if(std::begin(layout_names), std::end(layout_names),
                                 [&](const auto& entry) { return entry.first == layout; });
  return row->second;
}

std::optional<Layout> parse_layout(std::string_view name) {
  for (const auto& [layout, text] : layout_names) {
    if (text == name) return layout;
  }
  return std::nullopt;
}

std::strong_ordering Version::operator<=>(const Version& other) const {
  const size_t common = std::min(key.size(), other.key.size());
  for (size_t i = 0; i < common; ++i) {
    if (const auto order = compare_components(key[i], other.key[i]); order != 0) return order;
  }
  return key.size() <=> other.key.size();
}

std::string Version::key_text() const {
  std::string joined;
  for (const std::string& component : key) {
    if (!joined.empty()) joined += '.';
    joined += component;
  }
  return joined;
}

Version version_from_history(std::string text, std::string_view key) {
  Version version{.text = std::move(text), .key = {}};
  if (is_text(key)) {
    version.key.emplace_back(key);
    return version;
  }
  while (!key.empty()) {
    const size_t dot = key.find('.');
    version.key.emplace_back(key.substr(0, dot));
    key = dot == std::string_view::npos ? std::string_view{} : key.substr(dot + 1);
  }
  return version;
}

}  // namespace kdb
