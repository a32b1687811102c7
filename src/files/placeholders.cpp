#include "files/placeholders.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "files/names.hpp"
#include "files/sections.hpp"

namespace kdb::files {
namespace {

std::optional<std::string> from_environment(const MigrationSource& source, const std::string& name) {
  return source.environment ? source.environment(name) : std::nullopt;
}

void report(std::vector<Problem>& problems, const std::string& file, int line, std::string message,
            std::string hint) {
  problems.push_back(
      {.message = std::move(message), .where = {.file = file, .line = line}, .hint = std::move(hint)});
}

// --- Flyway
// -----------------------------------------------------------------------------------------------------

std::optional<std::string> flyway_value(const MigrationSource& source, std::string_view name,
                                        const std::string& file) {
  for (const auto& [key, value] : source.variables) {
    if (equals_ignore_case(key, name)) return value;
  }
  if (equals_ignore_case(name, "flyway:filename")) return std::string(base_name(file));
  std::string variable = "FLYWAY_PLACEHOLDERS_";
  for (const char c : name) variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return from_environment(source, variable);
}

std::string flyway_hint(std::string_view name) {
  if (to_lower(name).starts_with("flyway:")) {
    return fmt::format("kdb does not know Flyway's own values: set [migrations.variables] \"{}\"", name);
  }
  return fmt::format("set [migrations.variables] \"{}\", or FLYWAY_PLACEHOLDERS_… in the environment", name);
}

// --- goose
// ------------------------------------------------------------------------------------------------------

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_name(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }

/// Expands one text; the grammar is that of the library goose uses (mfridman/interpolate), less what needs
/// more than a value or a default: `${NAME:2:3}` and `${NAME?message}` are refused.
class GooseText {
 public:
  GooseText(std::string_view text, const MigrationSource& source) : text_(text), source_(source) {}

  /// Up to `stop` or the end. False after a problem: then `error` and `position` tell.
  bool expand(char stop, int depth, std::string& out) {
    while (position < text_.size() && (stop == '\0' || text_[position] != stop)) {
      const std::string_view rest = text_.substr(position);
      if (rest.starts_with("\\\\")) {
        out += "\\\\";
        position += 2;
      } else if (rest.starts_with("\\$") || rest.starts_with("$$")) {
        out += '$';
        position += 2;
      } else if (rest.front() != '$' || rest.size() == 1 || rest[1] == '(') {
        out += rest.front();
        ++position;
      } else if (!expand_variable(depth, out)) {
        return false;
      }
    }
    return true;
  }

  size_t position = 0;
  std::string error;

 private:
  bool fail(std::string message) {
    error = std::move(message);
    return false;
  }

  std::string read_name() {
    const size_t begin = position;
    while (position < text_.size() && is_name(text_[position])) ++position;
    return std::string(text_.substr(begin, position - begin));
  }

  std::optional<std::string> value_of(const std::string& name) const {
    for (const auto& [key, value] : source_.variables) {
      if (key == name) return value;
    }
    return source_.goose_reads_environment ? from_environment(source_, name) : std::nullopt;
  }

  bool expand_variable(int depth, std::string& out) {
    const size_t begin = position++;
    const bool braced = text_[position] == '{';
    if (braced) ++position;
    if (position == text_.size() || !is_letter(text_[position])) {
      position = begin;
      return fail("a $ that names no variable");
    }
    const std::string name = read_name();
    const auto value = value_of(name);
    if (braced && (position == text_.size() || text_[position] != '}')) {
      return expand_default(name, value, depth, out);
    }
    if (braced) ++position;
    if (!value) {
      position = begin;
      return fail(fmt::format("variable {} is not set", name));
    }
    out += *value;
    return true;
  }

  // After `${NAME`: `:-default}` or `-default}`.
  bool expand_default(const std::string& name, const std::optional<std::string>& value, int depth,
                      std::string& out) {
    const std::string_view rest = text_.substr(position);
    const bool also_empty = rest.starts_with(":-");
    if (!also_empty && !rest.starts_with('-')) return fail(fmt::format("${{{} is not closed by a }}", name));
    if (depth == max_depth) return fail("defaults are nested too deeply");
    position += also_empty ? 2 : 1;
    std::string fallback;
    if (!expand('}', depth + 1, fallback)) return false;
    if (position == text_.size()) return fail(fmt::format("${{{} is not closed by a }}", name));
    ++position;
    out += value && !(also_empty && value->empty()) ? *value : fallback;
    return true;
  }

  static constexpr int max_depth = 16;
  std::string_view text_;
  const MigrationSource& source_;
};

}  // namespace

std::string expand_flyway(std::string_view text, const std::string& file, const MigrationSource& source,
                          std::vector<Problem>& problems) {
  std::string expanded;
  size_t done = 0;
  for (size_t open = text.find("${"); open != std::string_view::npos; open = text.find("${", done)) {
    const int line = 1 + count_lines(text.substr(0, open));
    const size_t close = text.find('}', open);
    expanded += text.substr(done, open - done);
    if (close == std::string_view::npos) {
      report(problems, file, line, "\"${\" without its \"}\"", {});
      return expanded;
    }
    const std::string_view name = text.substr(open + 2, close - open - 2);
    const auto value = flyway_value(source, name, file);
    if (!value)
      report(problems, file, line, fmt::format("no value for the placeholder \"${{{}}}\"", name),
             flyway_hint(name));
    expanded += value.value_or("");
    done = close + 1;
  }
  return expanded += text.substr(done);
}

std::string expand_goose(std::string_view text, const std::string& file, int line,
                         const MigrationSource& source, std::vector<Problem>& problems) {
  GooseText goose(text, source);
  std::string expanded;
  if (!goose.expand('\0', 0, expanded)) {
    report(problems, file, line + count_lines(text.substr(0, goose.position)), goose.error,
           fmt::format("ENVSUB is on: set it in [migrations.variables]{}; $$ is a literal $",
                       source.goose_reads_environment
                           ? " or the environment"
                           : " (--sandbox reads none of the environment without --trust)"));
  }
  return expanded;
}

}  // namespace kdb::files
