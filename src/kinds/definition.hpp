#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kinds/row.hpp"

namespace kdb {

/// Reads a definition that the server printed from left to right, by its punctuation only. Quotes are only
/// ever doubled in there.
class Cutter {
 public:
  explicit Cutter(std::string_view text) : text_(text) {}

  /// Whether `word` is next; steps over it and the space behind it.
  bool skip(std::string_view word);
  /// Up to the next space outside of quotes, and over it.
  std::string_view name();
  /// The parts of a parenthesised list, as they are printed.
  std::vector<Fragment> list();
  /// The parts of a list without parentheses of its own, to the end.
  std::vector<Fragment> bare_list();
  std::string_view rest() const;

 private:
  std::vector<Fragment> parts_until(char end);
  void step();

  std::string_view text_;
  size_t at_ = 0;
};

/// `(a = 1)` without its outer parentheses, if these are a pair: that changes no meaning.
std::string_view without_parentheses(std::string_view text);

/// With commas in between.
std::string joined(const std::vector<Fragment>& fragments);

/// Whether a text is the name of a parameter or access method, which needs no quotes.
bool is_word(std::string_view text);
/// Whether a text is a number in digits from `least` to `most`.
bool is_number(std::string_view text, size_t least, size_t most);

}  // namespace kdb
