#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/sql.hpp"
#include "base/sql_cut.hpp"
#include "base/sql_scan.hpp"
#include "base/text.hpp"

namespace kdb::sql {

/// Counts lines and columns on the way through a text; only forwards, so that a script costs one pass.
class Position {
 public:
  explicit Position(std::string_view text) : text_(text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
  }

  void move_to(size_t offset) {
    for (; at_ < offset; ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line;
        column = 1;
      } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {  // not inside of a UTF-8 sequence
        ++column;
      }
    }
  }

  int line = 1;
  int column = 1;

 private:
  std::string_view text_;
  size_t at_ = 0;
};

/// A script as tokens, and everything in it that is no SQL.
class Reader {
 public:
  Reader(std::string_view script, std::vector<Problem>& problems) : script_(script), problems_(problems) {}

  /// False if there are problems.
  bool read();

  /// Without comments.
  const std::vector<Token>& tokens() const { return tokens_; }
  /// The indices of the tokens that a `-- kdb:rerunnable` stands before.
  const std::vector<size_t>& rerunnable() const { return rerunnable_; }

 private:
  bool is(size_t i, std::string_view word) const {
    return i < tokens_.size() && equals_ignore_case(text_of(script_, tokens_[i]), word);
  }
  bool has_valid_bytes();
  void read_comment(const Token& comment);
  void refuse_meta_command(const Token& command);
  bool is_copy_from_stdin() const;
  void refuse_copy(Scanner& scanner);
  void refuse_fault(const Scanner& scanner);
  void report(size_t offset, std::string message, std::string hint) {
    found_.push_back({offset, {.message = std::move(message), .where = {}, .hint = std::move(hint)}});
  }
  bool hand_over();

  std::string_view script_;
  std::vector<Problem>& problems_;
  std::vector<std::pair<size_t, Problem>> found_;  // with their offsets
  std::vector<Token> tokens_;
  std::vector<size_t> rerunnable_;
  size_t statement_ = 0;  // the first token after the last semicolon
};

}  // namespace kdb::sql
