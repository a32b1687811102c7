#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace kdb::render {

inline constexpr std::string_view bold = "\x1b[1m";
inline constexpr std::string_view error_label = "\x1b[1;31m";
inline constexpr std::string_view dim = "\x1b[2m";
inline constexpr std::string_view red = "\x1b[31m";
inline constexpr std::string_view green = "\x1b[32m";
inline constexpr std::string_view yellow = "\x1b[33m";
inline constexpr std::string_view cyan = "\x1b[36m";

/// Colours text, or leaves it as it is.
class Painter {
 public:
  explicit Painter(bool colour) : colour_(colour) {}
  std::string operator()(std::string_view code, std::string_view text) const {
    return colour_ && !text.empty() ? fmt::format("{}{}\x1b[0m", code, text) : std::string(text);
  }

 private:
  bool colour_;
};

}  // namespace kdb::render
