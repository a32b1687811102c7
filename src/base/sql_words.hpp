#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/sql.hpp"

namespace kdb::sql {

/// One statement as a row of words to look at: its tokens without comments. Every index may be past the end;
/// there nothing matches. Words match in any case, and only unquoted.
class Words {
 public:
  static constexpr size_t npos = static_cast<size_t>(-1);

  /// `sql` must outlive the object.
  explicit Words(std::string_view sql);

  size_t size() const { return tokens_.size(); }
  std::string_view text(size_t i) const;
  /// The SQL from word `first` to before word `last`.
  std::string_view between(size_t first, size_t last) const;
  bool is(size_t i, std::string_view word) const;
  bool is_literal(size_t i) const;

  /// Whether the words of `phrase`, one space between them, stand at `i`.
  bool match(size_t i, std::string_view phrase) const { return skip(i, phrase) != i; }

  /// Behind `phrase` if it stands at `i`, else `i`.
  size_t skip(size_t i, std::string_view phrase) const;

  /// Behind the parenthesis that closes the one at `i`; `i` if there is none.
  size_t skip_parentheses(size_t i) const;

  /// The parenthesis that closes the group in which `i` stands; the end if none does.
  size_t end_of_group(size_t i) const;

  /// The first `phrase` in [from, to) outside of parentheses that open there; npos if there is none.
  size_t find(std::string_view phrase, size_t from, size_t to = npos) const;

  /// Whether a function of this name, of whatever schema, is called in [from, to), in parentheses too; its
  /// index.
  size_t find_call(std::string_view function, size_t from, size_t to = npos) const;

  /// The name at `i`, schema included, as written but without white space; empty if there is none.
  std::string name(size_t i) const;
  /// Behind that name.
  size_t skip_name(size_t i) const;

  /// The [begin, end) of the parts between the commas outside of parentheses, from `from` to the end.
  std::vector<std::pair<size_t, size_t>> list(size_t from) const;

 private:
  std::string_view sql_;
  std::vector<Token> tokens_;
};

/// A part of a name as the server stores it: unquoted in lower case, quoted as it stands. It
/// may be longer than the server keeps.
std::string folded(std::string_view part);

/// What a string constant says: quotes and doubled quotes taken away. Escapes in E'' stay as they are.
std::string literal_value(std::string_view literal);

inline constexpr size_t npos = Words::npos;

/// What a statement does to what: `tag` as PostgreSQL's command tags have it, and where the object's name
/// begins.
struct Command {
  std::string tag;
  size_t object = npos;
};

Command read_command(const Words& words);

/// Whether the object that the statement creates is in pg_temp: by TEMP, TEMPORARY or its name.
bool is_temporary(const Words& words, const Command& command);

}  // namespace kdb::sql
