#include "core/copy_text.hpp"

#include <array>
#include <charconv>

namespace kdb {

namespace {

void append_two_digits(std::string& text, std::int64_t number) {
  text += static_cast<char>('0' + number / 10);
  text += static_cast<char>('0' + number % 10);
}

}  // namespace

void append_copy_value(std::string& text, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\':
        text += "\\\\";
        break;
      case '\t':
        text += "\\t";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\r':
        text += "\\r";
        break;
      default:
        text += c;
    }
  }
}

void append_number(std::string& text, std::int64_t number) {
  std::array<char, 20> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  text.append(digits.data(), written.ptr);
}

void append_timestamp(std::string& text, std::int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const std::int64_t of_day = (time - day).count();
  append_number(text, static_cast<int>(date.year()));
  text += '-';
  append_two_digits(text, static_cast<unsigned>(date.month()));
  text += '-';
  append_two_digits(text, static_cast<unsigned>(date.day()));
  text += ' ';
  append_two_digits(text, of_day / 3600);
  text += ':';
  append_two_digits(text, of_day / 60 % 60);
  text += ':';
  append_two_digits(text, of_day % 60);
  text += "+00";
}

void append_hundredths(std::string& text, std::int64_t hundredths) {
  append_number(text, hundredths / 100);
  text += '.';
  append_two_digits(text, hundredths % 100);
}

}  // namespace kdb
