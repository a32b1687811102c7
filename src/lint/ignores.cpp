#include "lint/ignores.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/sql_reader.hpp"
#include "base/text.hpp"

namespace kdb::lint {

namespace {

using Place = Ignore::Place;

constexpr Place everywhere{.line = std::numeric_limits<int>::max(), .column = 0};

struct Marker {
  std::string_view word;
  bool file = false;
  bool foreign = false;
};

// A word before its own beginnings.
constexpr Marker markers[] = {{"kdb:ignore-file", true, false},
                              {"kdb:ignore", false, false},
                              {"squawk-ignore-file", true, true},
                              {"squawk-ignore", false, true}};

/// `RULE[,RULE]: reason`; squawk's reason stands behind a second `--`.
void read_rules(std::string_view text, Ignore& ignore) {
  const size_t cut = text.find(ignore.foreign ? "--" : ":");
  if (cut != std::string_view::npos) ignore.reason = trim(text.substr(cut + (ignore.foreign ? 2 : 1)));
  for (const std::string_view part : split(text.substr(0, cut), ',')) {
    const std::string_view name = trim(part);
    if (!name.empty()) ignore.rules.emplace_back(name.substr(0, name.find_first_of(" \t\r\n")));
  }
  ignore.all = ignore.foreign && ignore.rules.empty();
}

/// What a comment says: the text of `-- …` or `/* … */`.
std::string_view without_marks(std::string_view comment) {
  return comment[0] == '-' ? comment.substr(2) : comment.substr(2, comment.size() - 4);
}

/// Finds the comments of one text, and what each is about.
class Scan {
 public:
  Scan(std::string_view text, std::string file, int first_line)
      : text_(text), file_(std::move(file)), first_line_(first_line), tokens_(sql::scan(text)) {}

  void add_to(std::vector<Ignore>& ignores) const {
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].kind != sql::Token::Kind::comment) continue;
      std::optional<Ignore> ignore = read_ignore(without_marks(text_of(i)));
      if (!ignore) continue;
      const Place place = place_of(tokens_[i].begin);
      ignore->where = {.file = file_, .line = place.line, .column = place.column};
      set_scope(*ignore, i);
      ignores.push_back(std::move(*ignore));
    }
  }

 private:
  std::string_view text_of(size_t i) const { return sql::text_of(text_, tokens_[i]); }
  bool is_code(size_t i) const { return tokens_[i].kind != sql::Token::Kind::comment; }

  Place place_of(size_t offset) const {
    sql::Position position(text_);
    position.move_to(offset);
    return {.line = position.line + first_line_ - 1, .column = position.column};
  }

  void set_scope(Ignore& ignore, size_t comment) const {
    size_t before = comment;  // the code before it, or itself
    while (before > 0 && !is_code(before - 1)) --before;
    const bool first = before == 0;
    if (ignore.file) {
      if (first) ignore.end = everywhere;
      return;
    }
    size_t next = comment;
    while (next < tokens_.size() && !is_code(next)) ++next;
    const int line = ignore.where.line;
    const bool on_line = !first && place_of(tokens_[before - 1].begin).line == line;
    const bool inside = !first && text_of(before - 1) != ";";
    if (on_line) {
      // Behind code of the line: what ends or stands there.
      ignore.begin = inside ? Place{.line = line, .column = 0} : place_of(statement_begin(before - 1));
      ignore.end = {.line = line + 1, .column = 0};
    } else if (next < tokens_.size()) {
      const Place begin = place_of(tokens_[next].begin);
      ignore.begin = begin;
      ignore.end = inside ? Place{.line = begin.line + 1, .column = 0} : place_of(statement_end(next));
    }
  }

  /// Where the statement begins whose semicolon is tokens_[end].
  size_t statement_begin(size_t end) const {
    size_t first = end;
    while (first > 0 && (text_of(first - 1) != ";" || !is_code(first - 1))) --first;
    while (first < end && !is_code(first)) ++first;
    return tokens_[first].begin;
  }

  /// Where the statement that begins at tokens_[first] ends. The tokens after it are looked through as a
  /// script of their own, so that semicolons in parentheses and bodies do not count.
  size_t statement_end(size_t first) const {
    std::vector<sql::Token> code;
    for (size_t i = first; i < tokens_.size(); ++i)
      if (is_code(i)) code.push_back(tokens_[i]);
    const size_t end = sql::statement_end(text_, code, 0);
    return end < code.size() ? code[end].end : text_.size() + 1;
  }

  std::string_view text_;
  std::string file_;
  int first_line_ = 1;
  std::vector<sql::Token> tokens_;
};

/// Hardly any text has such a comment, and most need not be scanned.
void read_text(std::string_view text, const std::string& file, int line, std::vector<Ignore>& ignores) {
  if (text.find("kdb:ignore") == text.npos && text.find("squawk-ignore") == text.npos) return;
  Scan(text, file, line).add_to(ignores);
}

void read_script(const std::optional<Script>& script, std::vector<Ignore>& ignores) {
  if (!script) return;
  const Migration& migration = script->plan.migration;
  const auto& section = script->plan.direction == Direction::up ? migration.up : migration.down;
  if (section) read_text(section->text, section->file, section->line, ignores);
}

/// What is wrong with the comment itself; findings that it covers are gone already.
void judge(const Ignore& ignore, Findings& findings) {
  static const Rule unused = unused_ignore();
  static const Rule unreasoned = ignore_without_reason();
  findings.of(unused);
  bool unknown = false;
  for (const std::string& name : ignore.rules) {
    if (ignore.foreign || find_rule(name) != nullptr) continue;
    unknown = true;
    const auto meant = did_you_mean(name, rule_names());
    findings.add(ignore.where, fmt::format("there is no rule {}", name),
                 meant ? fmt::format("did you mean {}?", *meant) : "`kdb lint --explain all` lists them");
  }
  if (!ignore.foreign && ignore.rules.empty())
    findings.add(ignore.where, "the comment names no rule",
                 fmt::format("{} kdb:ignore RULE: reason", ignore.mark));
  else if (!ignore.foreign && !ignore.used && !unknown && ignore.file && ignore.end == Place{})
    findings.add(
        ignore.where, fmt::format("kdb:ignore-file counts above the first {} only", ignore.unit()),
        fmt::format("move it to the top of the file, or write kdb:ignore before the {}", ignore.unit()));
  else if (!ignore.foreign && !ignore.shared && !ignore.used && !unknown)
    findings.add(ignore.where, fmt::format("nothing here is found by {}", fmt::join(ignore.rules, ", ")),
                 "take the comment out");
  findings.of(unreasoned);
  if (ignore.used && ignore.reason.empty())
    findings.add(ignore.where, "the comment does not say why",
                 ignore.foreign ? "-- squawk-ignore RULE -- reason"
                                : fmt::format("{} kdb:ignore RULE: reason", ignore.mark));
}

}  // namespace

bool Ignore::covers(const Finding& finding) const {
  const Source& at = finding.problem.where;
  if (at.file != where.file) return false;
  const Place place{.line = at.line, .column = at.column};
  if (!(begin <= place && place < end)) return false;
  return all || std::any_of(rules.begin(), rules.end(), [&](const std::string& name) {
           const Rule* rule = find_rule(name);
           return rule != nullptr && rule->name == finding.rule;
         });
}

std::optional<Ignore> read_ignore(std::string_view comment) {
  comment = trim(comment);
  for (const Marker& marker : markers) {
    if (!comment.starts_with(marker.word)) continue;
    const std::string_view rest = comment.substr(marker.word.size());
    if (!rest.empty() && rest[0] != ' ' && rest[0] != '\t' && rest[0] != ':') return std::nullopt;
    Ignore ignore{.file = marker.file, .foreign = marker.foreign};
    read_rules(rest, ignore);
    return ignore;
  }
  return std::nullopt;
}

std::vector<Ignore> read_ignores(const MigrationScripts& migration) {
  std::vector<Ignore> ignores;
  read_text(migration.head, migration.file.path, 1, ignores);
  read_script(migration.up, ignores);
  read_script(migration.down, ignores);
  return ignores;
}

size_t apply_ignores(std::vector<Ignore> ignores, std::vector<Finding>& found, bool all_checked) {
  if (ignores.empty()) return 0;
  const size_t before = found.size();
  std::erase_if(found, [&](const Finding& finding) {
    bool covered = false;
    for (Ignore& ignore : ignores) {
      if (!ignore.covers(finding)) continue;
      ignore.used = true;
      covered = true;
    }
    return covered;
  });
  const size_t suppressed = before - found.size();
  Findings own;
  const auto of_server = [](const std::string& name) {
    const Rule* rule = find_rule(name);
    return rule != nullptr && rule->needs == Need::server;
  };
  for (const Ignore& ignore : ignores)
    if (all_checked || ignore.used || std::none_of(ignore.rules.begin(), ignore.rules.end(), of_server))
      judge(ignore, own);
  for (Finding& finding : own.take()) found.push_back(std::move(finding));
  return suppressed;
}

Rule unused_ignore() {
  return {
      .name = "unused-ignore",
      .summary = "a kdb:ignore that keeps nothing quiet",
      .why =
          "What it is about has changed, or the rule's name is wrong, and the next finding at this place "
          "would be hidden by a reason that was never about it. squawk's comments are left to squawk.",
      .lock = "",
      .instead =
          "Take the comment out, or mend its rule's name. It stands before the statement, or on a "
          "line of it:\n"
          "  -- kdb:ignore ban-drop-column: nobody has read it since release 41\n"
          "  ALTER TABLE users DROP COLUMN fax;\n"
          "In a profile it stands before the table or the key, or behind a value:\n"
          "  # kdb:ignore space-dimension: a disk for each partition, which the server's tablespaces have\n"
          "  dimensions = [{ column = \"metric_id\", partitions = 4 }]"};
}

Rule ignore_without_reason() {
  return {.name = "ignore-without-reason",
          .level = Finding::Level::note,
          .summary = "a kdb:ignore that does not say why",
          .why = "Who reads it later cannot tell whether the reason still holds.",
          .lock = "",
          .instead = "  -- kdb:ignore ban-drop-column: nobody has read it since release 41"};
}

}  // namespace kdb::lint
