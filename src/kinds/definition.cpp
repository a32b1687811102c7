#include "kinds/definition.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace kdb {

bool Cutter::skip(std::string_view word) {
  if (!rest().starts_with(word)) return false;
  at_ += word.size();
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  return true;
}

std::string_view Cutter::name() {
  const size_t begin = at_;
  while (at_ < text_.size() && text_[at_] != ' ') step();
  const std::string_view found = text_.substr(begin, at_ - begin);
  skip("");
  return found;
}

std::vector<Fragment> Cutter::list() {
  if (at_ >= text_.size() || text_[at_] != '(') return {};
  ++at_;
  std::vector<Fragment> parts = parts_until(')');
  at_ = std::min(at_ + 1, text_.size());
  skip(" ");
  return parts;
}

std::vector<Fragment> Cutter::bare_list() { return parts_until('\0'); }

std::string_view Cutter::rest() const { return text_.substr(std::min(at_, text_.size())); }

std::vector<Fragment> Cutter::parts_until(char end) {
  std::vector<Fragment> parts;
  size_t begin = at_;
  const auto finish = [&] { parts.push_back({std::string(trim(text_.substr(begin, at_ - begin)))}); };
  for (; at_ < text_.size() && text_[at_] != end; step()) {
    if (text_[at_] != ',') continue;
    finish();
    begin = at_ + 1;
  }
  finish();
  return parts;
}

/// Over one character, a whole quoted piece or a whole pair of parentheses or brackets.
void Cutter::step() {
  const char c = text_[at_++];
  if (c == '\'' || c == '"') {
    while (at_ < text_.size() && text_[at_++] != c) {
    }
  } else if (c == '(' || c == '[') {
    while (at_ < text_.size() && text_[at_] != (c == '(' ? ')' : ']')) step();
    at_ = std::min(at_ + 1, text_.size());  // what does not end, ends here
  }
}

std::string_view without_parentheses(std::string_view text) {
  if (!text.starts_with('(')) return text;
  Cutter cutter(text);
  const auto parts = cutter.list();
  return cutter.rest().empty() && parts.size() == 1 ? trim(text.substr(1, text.size() - 2)) : text;
}

bool is_word(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

bool is_number(std::string_view text, size_t least, size_t most) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= least && number <= most;
}

std::string joined(const std::vector<Fragment>& fragments) {
  std::string text;
  for (const Fragment& fragment : fragments) text += (text.empty() ? "" : ", ") + fragment.sql;
  return text;
}

}  // namespace kdb
