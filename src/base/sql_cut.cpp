#include "base/sql_cut.hpp"

#include "base/text.hpp"

namespace kdb::sql {

namespace {

/// Walks over one statement and knows whether a semicolon would end it here.
class Nesting {
 public:
  Nesting(std::string_view script, const std::vector<Token>& tokens, size_t first)
      : script_(script), tokens_(tokens), routine_(is_routine(first)) {}

  bool ends_at(size_t i) const { return parentheses_ == 0 && bodies_ == 0 && is(i, ";"); }

  void step(size_t i) {
    if (is(i, "(") || is(i, "[")) ++parentheses_;
    if ((is(i, ")") || is(i, "]")) && parentheses_ > 0) --parentheses_;
    if (!routine_) return;
    if (is(i, "atomic") && i > 0 && is(i - 1, "begin")) ++bodies_;
    // A body's statements all end in a semicolon, so this END is not a CASE's, nor a column so named.
    if (bodies_ > 0 && is(i, "end") && (is(i - 1, ";") || is(i - 1, "atomic"))) --bodies_;
  }

 private:
  bool is(size_t i, std::string_view word) const {
    return i < tokens_.size() && equals_ignore_case(text_of(script_, tokens_[i]), word);
  }

  bool is_routine(size_t first) const {
    if (!is(first, "create")) return false;
    const size_t kind = is(first + 1, "or") && is(first + 2, "replace") ? first + 3 : first + 1;
    return is(kind, "function") || is(kind, "procedure");
  }

  std::string_view script_;
  const std::vector<Token>& tokens_;
  bool routine_ = false;
  int parentheses_ = 0;
  int bodies_ = 0;  // BEGIN ATOMIC … END
};

}  // namespace

size_t statement_end(std::string_view script, const std::vector<Token>& tokens, size_t first) {
  Nesting nesting(script, tokens, first);
  for (size_t i = first; i < tokens.size(); ++i) {
    if (nesting.ends_at(i)) return i;
    nesting.step(i);
  }
  return tokens.size();
}

}  // namespace kdb::sql
