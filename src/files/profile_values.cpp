#include "files/profile_values.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include "base/units.hpp"

namespace kdb::files {
namespace {

// The value as the file has it, never expanded: an environment variable may hold a secret.
std::string shown(const TomlValue& value) {
  switch (value.kind) {
    case TomlValue::Kind::string:
      return fmt::format("\"{}\"", value.string);
    case TomlValue::Kind::integer:
      return fmt::format("{}", value.integer);
    case TomlValue::Kind::floating:
      return fmt::format("{}", value.floating);
    case TomlValue::Kind::boolean:
      return value.boolean ? "true" : "false";
    case TomlValue::Kind::table:
    case TomlValue::Kind::array:
    case TomlValue::Kind::date:
      break;
  }
  return std::string(describe(value.kind));
}

void report_wrong(ReadContext& context, const Field& field, std::string_view accepted) {
  report(context, field, fmt::format("must be {}, not {}", accepted, shown(field.value)));
}

bool is_variable_name(std::string_view name) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), is_word);
}

// The variable that `text` names at its beginning, after `${`; nothing (and a problem) if that is no name.
std::optional<std::string> variable_name(ReadContext& context, const Field& field, std::string_view text) {
  const size_t close = text.find('}');
  const std::string_view name = text.substr(0, close);
  if (close != std::string_view::npos && is_variable_name(name)) return std::string(name);
  report(context, field,
         close == std::string_view::npos ? "has a \"${\" without its \"}\""
                                         : fmt::format("has a \"${{{}}}\" that names no variable", name),
         "write ${NAME} for an environment variable, $${ for a literal ${");
  return std::nullopt;
}

}  // namespace

void report(ReadContext& context, const Field& field, std::string_view message, std::string hint) {
  context.problems.push_back({.message = fmt::format("{} {}", field.name, message),
                              .where = field.value.where,
                              .hint = std::move(hint)});
}

std::optional<std::string> read_text(ReadContext& context, const Field& field) {
  if (field.value.kind != TomlValue::Kind::string) {
    report_wrong(context, field, "a string");
    return std::nullopt;
  }
  const std::string_view text = field.value.string;
  std::string expanded;
  size_t position = 0;
  while (position < text.size()) {
    if (text.substr(position, 3) == "$${") {
      expanded += "${";
      position += 3;
      continue;
    }
    if (text.substr(position, 2) != "${") {
      expanded += text[position++];
      continue;
    }
    if (!field.expands) {
      report(context, field, "has a \"${\", and what comes from the environment must not be shown",
             "variables are for [database] url, [connection] and [server]; $${ is a literal ${");
      return std::nullopt;
    }
    const auto name = variable_name(context, field, text.substr(position + 2));
    if (!name) return std::nullopt;
    const auto value = context.environment ? context.environment(*name) : std::nullopt;
    if (!value) {
      if (!field.value.overridden) {
        report(context, field, fmt::format("needs the environment variable {}, which is not set", *name));
      }
      return std::nullopt;
    }
    expanded += *value;
    position += name->size() + 3;
  }
  return expanded;
}

std::optional<std::string> read_name(ReadContext& context, const Field& field) {
  auto text = read_text(context, field);
  if (text && text->empty()) {
    report(context, field, "may not be empty");
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> read_identifier(ReadContext& context, const Field& field) {
  constexpr size_t longest =
      63;  // NAMEDATALEN - 1: the server cuts the rest off, and kdb would look for another name
  auto text = read_name(context, field);
  if (text && text->size() > longest) {
    report(context, field,
           fmt::format("is longer than a name can be: {} bytes, PostgreSQL keeps {}", text->size(), longest));
    return std::nullopt;
  }
  return text;
}

std::optional<std::chrono::milliseconds> read_duration(ReadContext& context, const Field& field,
                                                       std::chrono::milliseconds minimum) {
  const auto accepted = [&] {
    return minimum.count() > 0 ? fmt::format("a duration of at least {} such as \"500ms\", \"10s\", \"5min\"",
                                             format_duration(minimum))
                               : std::string("a duration such as \"500ms\", \"10s\", \"5min\" or 0");
  };
  std::optional<std::chrono::milliseconds> duration;
  if (field.value.kind == TomlValue::Kind::string) {
    const auto text = read_text(context, field);
    if (!text) return std::nullopt;
    // A bare number would be milliseconds to PostgreSQL and seconds to libpq: nobody should have to know.
    const bool bare = std::all_of(text->begin(), text->end(),
                                  [](char c) { return (c >= '0' && c <= '9') || c == ' ' || c == '.'; });
    duration = parse_duration(*text);
    if (duration && bare && duration->count() != 0) duration.reset();
  } else if (field.value.kind == TomlValue::Kind::integer && field.value.integer == 0) {
    duration = std::chrono::milliseconds(0);
  }
  if (duration && *duration >= minimum) return duration;
  report_wrong(context, field, accepted());
  return std::nullopt;
}

std::optional<std::uint64_t> read_bytes(ReadContext& context, const Field& field) {
  std::optional<std::uint64_t> bytes;
  if (field.value.kind == TomlValue::Kind::string) {
    const auto text = read_text(context, field);
    if (!text) return std::nullopt;
    bytes = parse_bytes(*text);
  } else if (field.value.kind == TomlValue::Kind::integer && field.value.integer > 0) {
    bytes = static_cast<std::uint64_t>(field.value.integer);
  }
  if (bytes && *bytes > 0) return bytes;
  report_wrong(context, field, "a size such as \"16MB\" or a number of bytes");
  return std::nullopt;
}

std::optional<std::int64_t> read_integer(ReadContext& context, const Field& field, std::int64_t minimum,
                                         std::int64_t maximum) {
  const TomlValue& value = field.value;
  if (value.kind == TomlValue::Kind::integer && value.integer >= minimum && value.integer <= maximum) {
    return value.integer;
  }
  report_wrong(context, field, fmt::format("an integer from {} to {}", minimum, maximum));
  return std::nullopt;
}

std::optional<double> read_number(ReadContext& context, const Field& field, double minimum, double maximum) {
  std::optional<double> number;
  if (field.value.kind == TomlValue::Kind::integer) number = static_cast<double>(field.value.integer);
  if (field.value.kind == TomlValue::Kind::floating) number = field.value.floating;
  if (number && std::isfinite(*number) && *number >= minimum && *number <= maximum) return number;
  report_wrong(context, field, fmt::format("a number from {} to {}", minimum, maximum));
  return std::nullopt;
}

std::optional<std::string> read_scalar(ReadContext& context, const Field& field) {
  switch (field.value.kind) {
    case TomlValue::Kind::string:
      return read_text(context, field);
    case TomlValue::Kind::integer:
      return fmt::format("{}", field.value.integer);
    case TomlValue::Kind::floating:
      return fmt::format("{}", field.value.floating);
    case TomlValue::Kind::boolean:
      return field.value.boolean ? "true" : "false";
    case TomlValue::Kind::table:
    case TomlValue::Kind::array:
    case TomlValue::Kind::date:
      break;
  }
  report(context, field,
         fmt::format("must be a number, a string, true or false, not {}", describe(field.value.kind)));
  return std::nullopt;
}

std::optional<size_t> read_word(ReadContext& context, const Field& field,
                                const std::vector<std::string_view>& words) {
  if (field.value.kind == TomlValue::Kind::string) {
    const auto text = read_text(context, field);
    if (!text) return std::nullopt;
    const auto found = std::find(words.begin(), words.end(), std::string_view(*text));
    if (found != words.end()) return static_cast<size_t>(found - words.begin());
  }
  report_wrong(context, field,
               fmt::format("{}\"{}\"", words.size() > 1 ? "one of " : "", fmt::join(words, "\", \"")));
  return std::nullopt;
}

const std::vector<TomlMember>* read_members(ReadContext& context, const Field& field) {
  if (field.value.kind != TomlValue::Kind::table) {
    report_wrong(context, field, "a table");
    return nullptr;
  }
  context.tables[field.name] = field.value.where;
  return &field.value.members;
}

void report_unknown_key(ReadContext& context, const TomlMember& member, const std::string& table,
                        const std::vector<std::string_view>& known) {
  const auto meant = did_you_mean(member.key, known);
  context.problems.push_back({.message = fmt::format("unknown key \"{}\" in {}", member.key, table),
                              .where = member.where,
                              .hint = meant ? fmt::format("did you mean \"{}\"?", *meant)
                                            : fmt::format("keys of {}: {}", table, fmt::join(known, ", "))});
}

}  // namespace kdb::files
