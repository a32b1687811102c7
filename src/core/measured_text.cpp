#include "core/measured_text.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/counted_change.hpp"

namespace kdb {

std::string time_text(double ms) {
  if (!std::isfinite(ms)) return "-";
  return ms >= 1'000 ? fmt::format("{:.3g} s", ms / 1'000) : fmt::format("{:.3g} ms", ms);
}

std::string ratio_text(double ratio) {
  if (!std::isfinite(ratio)) return "-";
  return ratio >= 100 ? grouped_digits(std::llround(ratio)) : fmt::format("{:.2g}", ratio);
}

std::string interval_text(const PairedRatio& ratio) {
  if (ratio.blocks == 0) return "-";
  if (ratio.blocks < 2) return ratio_text(ratio.ratio);
  return fmt::format("{} ({} to {})", ratio_text(ratio.ratio), ratio_text(ratio.low), ratio_text(ratio.high));
}

std::string over_text(size_t counted, size_t all) {
  return counted == 0 || counted == all ? "" : fmt::format(" over {} of {}", counted, all);
}

std::string_view short_name(TimeVerdict verdict) {
  switch (verdict) {
    case TimeVerdict::better:
      return "better";
    case TimeVerdict::worse:
      return "worse";
    case TimeVerdict::no_difference:
      return "same";
    case TimeVerdict::inconclusive:
      return "?";
  }
  return {};
}

std::string column_title(const std::string& design) {
  const size_t slash = design.rfind('/');
  const std::string name = slash == std::string::npos ? design : design.substr(slash + 1);
  return name.ends_with(".toml") ? name.substr(0, name.size() - 5) : name;
}

Value number_or_nothing(double value) { return std::isfinite(value) ? Value(value) : Value(); }

Value number_or_nothing(const std::optional<std::int64_t>& value) { return value ? Value(*value) : Value(); }

}  // namespace kdb
