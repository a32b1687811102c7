#include "kinds/row.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace kdb {

std::string& Options::operator[](std::string_view name) {
  const auto found =
      std::find_if(options_.begin(), options_.end(), [&](const Option& one) { return one.first == name; });
  return found != options_.end() ? found->second : options_.emplace_back(name, "").second;
}

const std::string* Options::find(std::string_view name) const {
  const auto found =
      std::find_if(options_.begin(), options_.end(), [&](const Option& one) { return one.first == name; });
  return found == options_.end() ? nullptr : &found->second;
}

bool Options::operator==(const Options& other) const {
  return std::is_permutation(options_.begin(), options_.end(), other.options_.begin(), other.options_.end());
}

std::int64_t Row::integer(std::string_view column) const {
  const std::string_view digits = value(column).value_or("0");
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

std::vector<std::string> Row::list(std::string_view column) const {
  const auto printed = value(column);
  return printed ? read_array(*printed) : std::vector<std::string>{};
}

Options Row::options(std::string_view column) const {
  Options options;
  for (const std::string& entry : list(column)) {
    const size_t equals = entry.find('=');
    // `WITH (autosummarize)` is kept as it was written: without a value.
    options[entry.substr(0, equals)] = equals == std::string::npos ? "true" : entry.substr(equals + 1);
  }
  return options;
}

Options Row::options(std::string_view names, std::string_view values) const {
  const std::vector<std::string> keys = list(names);
  const std::vector<std::string> texts = list(values);
  Options options;
  for (size_t i = 0; i < std::min(keys.size(), texts.size()); ++i) options[keys[i]] = texts[i];
  return options;
}

std::string is_no_chunk_sql(const ServerFacts& facts, std::string_view schema, std::string_view table) {
  if (!facts.timescale) return {};
  return fmt::format(
      "\n  AND NOT EXISTS (SELECT FROM _timescaledb_catalog.chunk k WHERE k.schema_name = {} AND "
      "k.table_name = {})",
      schema, table);
}

std::vector<std::string> read_array(std::string_view printed) {
  std::vector<std::string> elements;
  if (printed.size() < 2 || printed == "{}") return elements;
  std::string element;
  bool quoted = false;  // inside of quotes
  bool was_quoted = false;
  const auto finish = [&] {
    elements.push_back(!was_quoted && element == "NULL" ? std::string{} : element);
    element.clear();
    was_quoted = false;
  };
  for (size_t i = 1; i + 1 < printed.size(); ++i) {
    const char c = printed[i];
    if (quoted && c == '\\') {
      element += printed[++i];
    } else if (c == '"') {
      quoted = !quoted;
      was_quoted = true;
    } else if (c == ',' && !quoted) {
      finish();
    } else {
      element += c;
    }
  }
  finish();
  return elements;
}

}  // namespace kdb
