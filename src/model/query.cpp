#include "model/query.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "base/sql.hpp"
#include "base/sql_words.hpp"
#include "base/text.hpp"

namespace kdb {

namespace {

using Kind = Expectation::Kind;

struct Form {
  std::string_view begin;  // what an expectation begins with, in lower case and with single spaces
  std::string_view shown;  // the whole of it
  enum class Rest { none, index, table, number } rest = Rest::none;
  Kind kind = Kind::no_sort;
};

constexpr std::array forms{
    Form{"index:", "index:NAME", Form::Rest::index, Kind::index},
    Form{"no seq scan on", "no seq scan on TABLE", Form::Rest::table, Kind::no_seq_scan},
    Form{"no sort", "no sort", Form::Rest::none, Kind::no_sort},
    Form{"no temp files", "no temp files", Form::Rest::none, Kind::no_temp_files},
    Form{"rows removed by filter <", "rows removed by filter < N", Form::Rest::number,
         Kind::max_rows_removed},
    Form{"buffers <", "buffers < N", Form::Rest::number, Kind::max_buffers},
    Form{"chunks <", "chunks < N", Form::Rest::number, Kind::max_chunks},
};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Where in `text` the phrase ends, white space before and in it as it may be; npos if it does not begin
/// with that.
size_t end_of_phrase(std::string_view text, std::string_view phrase) {
  size_t at = 0;
  while (at < text.size() && is_space(text[at])) ++at;
  for (size_t i = 0; i < phrase.size(); ++i) {
    if (phrase[i] == ' ') {
      const size_t before = at;
      while (at < text.size() && is_space(text[at])) ++at;
      // `chunks<5` too, but between words there is something.
      if (at == before && phrase[i + 1] != '<') return std::string_view::npos;
      continue;
    }
    if (at == text.size() || to_lower(text.substr(at, 1))[0] != phrase[i]) return std::string_view::npos;
    ++at;
  }
  const bool word_goes_on = at < text.size() && phrase.back() >= 'a' && !is_space(text[at]);
  return word_goes_on ? std::string_view::npos : at;
}

/// A whole number with its digits grouped or not; nothing for anything else.
std::optional<std::int64_t> count_of(std::string_view text) {
  std::string digits(text);
  std::erase_if(digits, [](char c) { return c == '_' || c == ','; });
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (digits.empty() || !is_digit(digits.front()) || error != std::errc() ||
      end != digits.data() + digits.size())
    return std::nullopt;
  return count;
}

std::optional<ExpectationProblem> read_rest(const Form& form, std::string_view rest, std::string_view schema,
                                            Expectation& expectation) {
  switch (form.rest) {
    case Form::Rest::none:
      if (rest.empty()) return std::nullopt;
      return ExpectationProblem{fmt::format("has something behind \"{}\": {}", form.shown, rest), {}};
    case Form::Rest::number: {
      const auto count = count_of(rest);
      if (count) expectation.limit = *count;
      if (count) return std::nullopt;
      return ExpectationProblem{
          fmt::format("takes a whole number, as in \"{}\", not \"{}\"", form.shown, rest), {}};
    }
    case Form::Rest::index:
    case Form::Rest::table:
      break;
  }
  if (rest.empty())
    return ExpectationProblem{fmt::format("names nothing: \"{}\" is its form", form.shown), {}};
  try {
    expectation.object = parse_name(rest, schema);
  } catch (const Error& error) {
    return ExpectationProblem{error.what(), error.problems().front().hint};
  }
  return std::nullopt;
}

/// The form that was most likely meant by its first words, names and numbers left out.
std::string meant_form(std::string_view text) {
  std::string head(trim(text.substr(0, text.find_first_of("<>=:0123456789"))));
  std::vector<std::string_view> known;
  std::vector<std::string> heads;
  for (const Form& form : forms)
    heads.emplace_back(trim(form.begin.substr(0, form.begin.find_first_of("<:"))));
  for (const std::string& one : heads) known.push_back(one);
  // What a table's name makes longer is not what was mistyped.
  const size_t on = to_lower(head).rfind(" on ");
  if (on != std::string::npos) head.resize(on + 3);
  if (const auto meant = did_you_mean(to_lower(head), known)) {
    const auto at = std::find(known.begin(), known.end(), *meant) - known.begin();
    return fmt::format("did you mean \"{}\"?", forms[static_cast<size_t>(at)].shown);
  }
  std::vector<std::string> all;
  for (const Form& form : forms) all.push_back(fmt::format("\"{}\"", form.shown));
  return fmt::format("what can be expected: {}", fmt::join(all, ", "));
}

// --- the statement
// ------------------------------------------------------------------------------------------

/// The numbers of the $n in it.
std::set<int> parameters_of(const sql::Words& words) {
  std::set<int> numbers;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words.text(i);
    if (word.size() < 2 || word.front() != '$' || !is_digit(word[1])) continue;
    int number = 0;
    const auto [end, error] = std::from_chars(word.data() + 1, word.data() + word.size(), number);
    numbers.insert(error == std::errc() ? number : 65536);  // more than a statement can have (PG docs, K)
  }
  return numbers;
}

std::string parameter_problem(const std::set<int>& used, size_t given) {
  const size_t highest = used.empty() ? 0 : static_cast<size_t>(*used.rbegin());
  if (highest != given)
    return highest == 0 ? fmt::format("has {} for a statement without $1", given)
                        : fmt::format("has {} for a statement with ${}", given, highest);
  for (size_t number = 1; number <= given; ++number)
    if (used.count(static_cast<int>(number)) == 0)
      return fmt::format("has {}, and the statement does not use ${}", given, number);
  return {};
}

}  // namespace

std::string why_no_read(const sql::Words& words) {
  const sql::Command command = sql::read_command(words);
  if (command.tag != "SELECT" && command.tag != "SELECT INTO")
    return fmt::format("is {}: only SELECT, VALUES, TABLE and WITH are explained", command.tag);
  for (size_t i = 0; i < words.size(); ++i) {
    if (words.is(i, "(")) {
      const bool update = words.is(i + 1, "update") && words.find("set", i + 2) != sql::npos;
      if (words.match(i + 1, "insert into") || words.match(i + 1, "delete from") ||
          words.match(i + 1, "merge into") || update)
        return fmt::format("changes data: it has {} in it", to_upper(words.text(i + 1)));
    }
    for (const std::string_view lock : {"for update", "for no key update", "for share", "for key share"})
      if (words.match(i, lock)) return fmt::format("locks rows: it has {} in it", to_upper(lock));
    if (words.is(i, "into")) return "makes a table: it has INTO in it";
  }
  return {};
}

bool needs_run(Kind kind) {
  switch (kind) {
    case Kind::no_temp_files:
    case Kind::max_rows_removed:
    case Kind::max_buffers:
      return true;
    case Kind::index:
    case Kind::no_seq_scan:
    case Kind::no_sort:
    case Kind::max_chunks:
      return false;
  }
  return true;
}

std::optional<ExpectationProblem> parse_expectation(std::string_view text, std::string_view schema,
                                                    Expectation& expectation) {
  expectation.text = std::string(trim(text));
  for (const Form& form : forms) {
    const size_t end = end_of_phrase(text, form.begin);
    if (end == std::string_view::npos) continue;
    expectation.kind = form.kind;
    return read_rest(form, trim(text.substr(end)), schema, expectation);
  }
  return ExpectationProblem{
      fmt::format("has an expectation that kdb does not know: \"{}\"", expectation.text), meant_form(text)};
}

std::vector<Problem> check(const DeclaredQuery& query) {
  std::vector<Problem> problems;
  const auto add = [&](const Source& where, std::string_view key, std::string_view what,
                       std::string hint = {}) {
    problems.push_back({.message = fmt::format("[queries.{}] {} {}", query.name, key, what),
                        .where = where,
                        .hint = std::move(hint)});
  };
  std::vector<Problem> faults;
  const std::vector<sql::Statement> statements = sql::split(query.sql, faults);
  for (const Problem& fault : faults)
    add(query.sql_where, "sql",
        fmt::format("cannot be read: {} (line {}, column {} of it)", fault.message,
                    std::max(fault.where.line, 1), std::max(fault.where.column, 1)),
        fault.hint);
  if (!faults.empty()) return problems;
  if (statements.size() != 1) {
    add(query.sql_where, "sql",
        statements.empty() ? "has no statement"
                           : fmt::format("must be one statement, and is {}", statements.size()));
    return problems;
  }
  const sql::Words words(statements.front().text);
  if (const std::string why = why_no_read(words); !why.empty()) add(query.sql_where, "sql", why);
  if (const std::string why = parameter_problem(parameters_of(words), query.parameters.size()); !why.empty())
    add(query.parameters_where, "parameters", why);
  return problems;
}

}  // namespace kdb
