#include "files/native_sections.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/allowance.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "files/directives.hpp"
#include "files/sections.hpp"

namespace kdb::files {
namespace {

constexpr std::string_view native_mark = "migrate";

enum class Direction { up, down };

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t begin = text.find_first_not_of(" \t"); begin != std::string_view::npos;) {
    const size_t end = text.find_first_of(" \t", begin);
    words.push_back(text.substr(begin, end - begin));
    begin = end == std::string_view::npos ? end : text.find_first_not_of(" \t", end);
  }
  return words;
}

// --- options
// ----------------------------------------------------------------------------------------------------

struct Option {
  std::string_view name;
  std::string_view accepted;
  bool (*set)(std::string_view value, SectionOptions& options);  // false for a bad value
};

bool set_transaction(std::string_view value, SectionOptions& options) {
  if (value != "true" && value != "false") return false;
  options.transaction = value == "true";
  return true;
}

template <auto Member>
bool set_duration(std::string_view value, SectionOptions& options) {
  const auto duration = parse_duration(value);
  if (duration) options.*Member = *duration;
  return duration.has_value();
}

// Names are looked at by check_allow, which can say more.
bool set_allow(std::string_view value, SectionOptions& options) {
  for (const std::string_view hazard : split(value, ',')) {
    if (hazard.empty()) return false;
    options.allow.emplace_back(hazard);
  }
  return true;
}

void check_allow(const SectionOptions& options, const Source& where, std::vector<Problem>& problems) {
  for (const std::string& allowance : options.allow) {
    std::optional<Problem> problem = sql::check_allowance(allowance);
    if (!problem) continue;
    problem->where = where;
    problems.push_back(std::move(*problem));
  }
}

constexpr Option known_options[] = {
    {"transaction", "true or false", set_transaction},
    {"lock_timeout", "a duration such as 2s", set_duration<&SectionOptions::lock_timeout>},
    {"statement_timeout", "a duration such as 10min, or 0 for none",
     set_duration<&SectionOptions::statement_timeout>},
    {"allow", "hazards such as INDEX_DROPPED or DELETES_DATA:events, separated by commas", set_allow},
};

std::string option_hint(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Option& option : known_options) names.push_back(option.name);
  if (const auto meant = did_you_mean(name, names)) return fmt::format("did you mean \"{}\"?", *meant);
  return fmt::format("options are {}", fmt::join(names, ", "));
}

// --- sections
// ---------------------------------------------------------------------------------------------------

struct Head {
  Direction direction = Direction::up;
  SectionOptions options;
};

// What follows `migrate`: `:up options`. Nothing (and a problem) for a line that is nearly a directive.
std::optional<Head> parse_head(const Directive& directive, const std::string& file,
                               std::vector<Problem>& problems) {
  const Source where{.file = file, .line = directive.line};
  const auto words = words_of(directive.text);
  const bool exact = words.front() == "migrate:up" || words.front() == "migrate:down";
  if (!exact || directive.column != 1) {
    problems.push_back({.message = fmt::format("unclear directive \"-- {}\"", directive.text),
                        .where = where,
                        .hint = exact ? "a directive begins at the start of its line"
                                      : "write \"-- migrate:up\" or \"-- migrate:down\""});
    return std::nullopt;
  }
  return Head{.direction = words.front() == "migrate:up" ? Direction::up : Direction::down,
              .options = parse_section_options(directive.text.substr(words.front().size()), where, problems)};
}

// A comment may well begin with the word ("-- migrate the old rows", "-- migrate: see above"); one that reads
// like a directive is one, so that a misspelt down section never runs as part of the up section.
bool reads_like_directive(const Directive& directive) {
  std::string_view rest = directive.text.substr(native_mark.size());
  if (rest.starts_with(':') && rest.size() > 1 && rest[1] != ' ' && rest[1] != '\t') return true;
  const size_t word = rest.find_first_not_of(" \t_-.:");
  if (word == std::string_view::npos || word == 0) return false;
  rest = rest.substr(word);
  return equals_ignore_case(rest, "up") || equals_ignore_case(rest, "down");
}

template <class T>
void merge_option(std::optional<T>& into, const std::optional<T>& from, std::string_view name,
                  const Source& where, std::vector<Problem>& problems) {
  if (!from) return;
  if (into && *into != *from) {
    problems.push_back(
        {.message = fmt::format("{} differs from that of an earlier section of the same direction", name),
         .where = where,
         .hint = "sections of one direction run as one: say it once"});
  }
  into = from;
}

struct Collected {
  std::vector<Piece> pieces;
  SectionOptions options;
};

void add_section(Collected& all, const Head& head, Piece piece, const Source& where,
                 std::vector<Problem>& problems) {
  merge_option(all.options.transaction, head.options.transaction, "transaction", where, problems);
  merge_option(all.options.lock_timeout, head.options.lock_timeout, "lock_timeout", where, problems);
  merge_option(all.options.statement_timeout, head.options.statement_timeout, "statement_timeout", where,
               problems);
  std::copy(head.options.allow.begin(), head.options.allow.end(), std::back_inserter(all.options.allow));
  all.pieces.push_back(std::move(piece));
}

std::optional<Section> make_section(const Collected& all, const std::string& file) {
  if (all.pieces.empty()) return std::nullopt;
  Section section = join_pieces(all.pieces, file);
  section.options = all.options;
  return section;
}

// dbmate (pkg/dbmate/migration.go, from 2.29 on) reads several pairs of an up and a down from one file: all
// ups run in the order of the file, and so do all downs. Older ones took everything behind the first down as
// the way back, so what is no such pair runs nowhere.
void check_pairs(const std::vector<Directive>& directives, const std::string& file,
                 std::vector<Problem>& problems) {
  constexpr std::string_view hint =
      "a file has one up and at most one down section, or several ups with a down after each";
  const auto report = [&](int line, std::string message) {
    problems.push_back(
        {.message = std::move(message), .where = {.file = file, .line = line}, .hint = std::string(hint)});
  };
  const auto begins = [](const Directive& directive, std::string_view word) {
    return words_of(directive.text).front() == word;
  };
  const auto is_up = [&](const Directive& directive) { return begins(directive, "migrate:up"); };
  const bool several = std::count_if(directives.begin(), directives.end(), is_up) > 1;
  int open_up = 0;  // the line of the up whose down is still to come
  bool has_up = false;
  const auto report_open = [&] {
    if (several && open_up != 0)
      report(open_up, fmt::format("\"-- migrate:up\" of line {} has no \"-- migrate:down\"", open_up));
  };
  for (const Directive& directive : directives) {
    if (is_up(directive)) {
      report_open();
      open_up = directive.line;
      has_up = true;
    } else if (begins(directive, "migrate:down")) {
      if (has_up && open_up == 0)
        report(directive.line, "second \"-- migrate:down\" after one \"-- migrate:up\"");
      open_up = 0;
    }
  }
  report_open();
}

std::vector<Directive> native_directives(std::string_view text) {
  auto directives = find_directives(text, native_mark);
  directives.erase(
      std::remove_if(directives.begin(), directives.end(),
                     [](const Directive& directive) { return !reads_like_directive(directive); }),
      directives.end());
  return directives;
}

}  // namespace

bool has_native_directive(std::string_view contents) {
  return has_directive_line(contents, "migrate:", [](const Directive& line) {
    return line.text.starts_with("migrate:up") || line.text.starts_with("migrate:down");
  });
}

SectionOptions parse_section_options(std::string_view text, const Source& where,
                                     std::vector<Problem>& problems) {
  SectionOptions options;
  for (const std::string_view word : words_of(text)) {
    const size_t colon = word.find(':');
    const std::string_view name = word.substr(0, colon);
    const auto* option = std::find_if(std::begin(known_options), std::end(known_options),
                                      [&](const Option& candidate) { return candidate.name == name; });
    if (option == std::end(known_options)) {
      problems.push_back(
          {.message = fmt::format("unknown option \"{}\"", word), .where = where, .hint = option_hint(name)});
      continue;
    }
    const std::string_view value =
        colon == std::string_view::npos ? std::string_view{} : word.substr(colon + 1);
    if (!option->set(value, options)) {
      problems.push_back({.message = fmt::format("{} must be {}, not \"{}\"", name, option->accepted, value),
                          .where = where,
                          .hint = fmt::format("written as {}:VALUE, without white space", name)});
    }
  }
  check_allow(options, where, problems);
  return options;
}

void parse_native(const ParseInput& input, Migration& migration) {
  const std::string& file = input.file.path;
  const auto directives = native_directives(input.up);
  if (directives.empty()) {
    input.problems.push_back({.message = "no \"-- migrate:up\" section",
                              .where = {.file = file, .line = 1},
                              .hint = "begin the file with a line \"-- migrate:up\""});
    return;
  }
  report_leading_sql(input.up.substr(0, directives.front().begin), file, "-- migrate:up", input.problems);
  check_pairs(directives, file, input.problems);
  migration.head = input.up.substr(0, directives.front().begin);
  Collected up;
  Collected down;
  for (size_t i = 0; i < directives.size(); ++i) {
    const auto head = parse_head(directives[i], file, input.problems);
    if (!head) continue;
    const Source where{.file = file, .line = directives[i].line};
    if (head->direction == Direction::down && up.pieces.empty()) {
      input.problems.push_back({.message = "\"-- migrate:down\" before the first \"-- migrate:up\"",
                                .where = where,
                                .hint = "write the up section first"});
    }
    const size_t end = i + 1 < directives.size() ? directives[i + 1].begin : input.up.size();
    Piece piece{.text = std::string(input.up.substr(directives[i].end, end - directives[i].end)),
                .line = directives[i].line + 1};
    add_section(head->direction == Direction::up ? up : down, *head, std::move(piece), where, input.problems);
  }
  migration.up = make_section(up, file);
  migration.down = make_section(down, file);
  if (migration.up) migration.up->without_transaction = "`-- migrate:up transaction:false`";
  if (migration.down) migration.down->without_transaction = "`-- migrate:down transaction:false`";
}

}  // namespace kdb::files
