#include "model/object.hpp"

#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/sql_words.hpp"
#include "base/text.hpp"

namespace kdb {

namespace {

/// NAMEDATALEN - 1: the server cuts longer names, and then never finds them under the name that was meant.
constexpr size_t longest_name = 63;

std::string part_to_text(std::string_view part) {
  return part.find_first_of(".\"") == std::string_view::npos ? std::string(part) : quote_ident(part);
}

[[noreturn]] void fail(std::string_view text, std::string_view why) {
  throw Error(Exit::usage, fmt::format("\"{}\" is no name: {}", text, why),
              "names are written as in the catalog, schema first: events, audit.events, audit.\"odd.name\"");
}

/// Takes one part from the front of `rest`.
std::string take_part(std::string_view text, std::string_view& rest) {
  if (!rest.starts_with('"')) {
    const size_t end = std::min(rest.find('.'), rest.size());
    std::string part(rest.substr(0, end));
    rest.remove_prefix(end);
    return part;
  }
  std::string part;
  for (size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] != '"') {
      part += rest[i];
    } else if (i + 1 < rest.size() && rest[i + 1] == '"') {
      part += rest[i++];
    } else {
      rest.remove_prefix(i + 1);
      return part;
    }
  }
  fail(text, "its quote does not end");
}

}  // namespace

std::string to_sql(const ObjectName& name) {
  return name.schema.empty() ? quote_ident(name.name)
                             : quote_ident(name.schema) + "." + quote_ident(name.name);
}

std::string to_text(const ObjectName& name, std::string_view default_schema) {
  const std::string own = part_to_text(name.name);
  return name.schema.empty() || name.schema == default_schema ? own : part_to_text(name.schema) + "." + own;
}

ObjectName parse_name(std::string_view text, std::string_view default_schema) {
  std::vector<std::string> parts;
  std::string_view rest = text;
  for (;;) {
    parts.push_back(take_part(text, rest));
    if (parts.back().empty()) fail(text, "a part of it is empty");
    if (parts.back().size() > longest_name)
      fail(text,
           fmt::format("a part of it has {} bytes, PostgreSQL keeps {}", parts.back().size(), longest_name));
    if (rest.empty()) break;
    if (rest.front() != '.') fail(text, "something follows its closing quote");
    rest.remove_prefix(1);
  }
  if (parts.size() > 2) fail(text, "it has more than a schema and a name");
  if (parts.size() == 1) return {.schema = std::string(default_schema), .name = parts[0]};
  return {.schema = parts[0], .name = parts[1]};
}

ObjectName name_in_catalog(std::string_view written, std::string_view default_schema) {
  bool quoted = false;
  size_t dot = std::string_view::npos;
  for (size_t i = 0; i < written.size(); ++i) {
    if (written[i] == '"') quoted = !quoted;
    if (written[i] == '.' && !quoted) dot = i;
  }
  if (dot == std::string_view::npos) return {std::string(default_schema), sql::folded(written)};
  return {sql::folded(written.substr(0, dot)), sql::folded(written.substr(dot + 1))};
}

}  // namespace kdb
