// Flyway: V1.2__name.sql, U1.2__name.sql (undo), B1__name.sql (baseline), R__name.sql (repeatable), in
// sub-folders too; options of one in V1.2__name.sql.conf.
#include <cctype>

#include <fmt/format.h>

#include "base/text.hpp"
#include "files/layouts.hpp"
#include "files/layouts/numbered.hpp"
#include "files/names.hpp"
#include "files/placeholders.hpp"
#include "files/sections.hpp"

namespace kdb::files {
namespace flyway {

constexpr std::string_view separator = "__";
constexpr std::string_view configuration = ".conf";

// `1.2`, `1_2`: numbers between single separators.
bool is_version(std::string_view text) {
  bool digit_expected = true;
  for (const char c : text) {
    const bool digit = is_digit(c);
    if (!digit && (digit_expected || (c != '.' && c != '_'))) return false;
    digit_expected = !digit;
  }
  return !digit_expected;
}

struct FlywayName {
  char prefix = 'V';
  std::string_view version;
  std::string_view title;
};

// Cuts `V1.2__title.sql`; says nothing about whether the parts are right.
std::optional<FlywayName> cut_name(std::string_view path) {
  std::string_view stem = base_name(path);
  if (!stem.ends_with(".sql") || std::string_view("VUBR").find(stem.front()) == std::string_view::npos) {
    return std::nullopt;
  }
  stem.remove_suffix(std::string_view(".sql").size());
  const size_t cut = stem.find(separator);
  return FlywayName{
      .prefix = stem.front(),
      .version = stem.substr(1, cut == std::string_view::npos ? cut : cut - 1),
      .title = cut == std::string_view::npos ? std::string_view{} : stem.substr(cut + separator.size())};
}

bool is_right(const FlywayName& name) {
  return name.prefix == 'R' ? name.version.empty() && !name.title.empty() : is_version(name.version);
}

bool claims(std::string_view path) {
  const auto name = cut_name(path);
  return name && is_right(*name);
}

Version make_version(std::string_view text) {
  Version version{.text = std::string(text), .key = {}};
  for (size_t begin = 0; begin < text.size();) {
    const std::string_view digits = leading_digits(text.substr(begin));
    version.key.push_back(version_component(digits));
    begin += digits.size() + 1;
  }
  while (version.key.size() > 1 && version.key.back() == "0") version.key.pop_back();
  return version;
}

Entry make_entry(const FlywayName& name) {
  Entry entry{.name = std::string(name.title)};
  if (name.prefix == 'R') {
    entry.kind = MigrationKind::repeatable;
    return entry;
  }
  entry.version = make_version(name.version);
  if (name.prefix == 'U') entry.role = Entry::Role::down;
  if (name.prefix == 'B') entry.kind = MigrationKind::baseline;
  return entry;
}

// `beforeMigrate.sql`, `afterEachMigrate__grants.sql`: events of Flyway's callbacks.
bool is_callback(std::string_view base) {
  const std::string_view event = base.substr(0, base.find_first_of("._"));
  const auto has_event = [&](std::string_view word) {
    return event.starts_with(word) && event.size() > word.size() && event[word.size()] >= 'A' &&
           event[word.size()] <= 'Z';
  };
  return has_event("before") || has_event("after") || event == "createSchema";
}

// A name that was meant to be a migration: V, U or B before a number (in any case) or before a description, R
// before its separator.
bool looks_like_migration(std::string_view base) {
  if (base.size() < 2) return false;
  const char prefix = static_cast<char>(std::toupper(static_cast<unsigned char>(base.front())));
  if (prefix == 'R') return base[1] == '_' || is_digit(base[1]);
  if (prefix != 'V' && prefix != 'U' && prefix != 'B') return false;
  return is_digit(base[1]) || base[1] == '_' ||
         (prefix == base.front() && base.find(separator) != std::string_view::npos);
}

std::string why_not(std::string_view base) {
  const auto name = cut_name(base);
  if (!base.ends_with(".sql")) return "does not end in .sql in lower case";
  if (!name) return "has its prefix in lower case";
  if (name->prefix == 'R') {
    return name->version.empty()
               ? "is a repeatable migration without a name"
               : "is a repeatable migration with a version, or lacks the __ before its name";
  }
  if (name->version.empty()) return "has no version number";
  return fmt::format("has the version \"{}\", which is not made of numbers (two underscores end it)",
                     name->version);
}

std::optional<Entry> classify(std::string_view path) {
  const std::string_view base = base_name(path);
  if (base.empty()) return std::nullopt;
  if (const auto name = cut_name(path); name && is_right(*name)) return make_entry(*name);
  if (base.ends_with(configuration) && claims(base.substr(0, base.size() - configuration.size())))
    return Entry{.role = Entry::Role::companion};
  const std::string_view language = program_language(base);
  if (is_callback(base) && (ends_in_sql(base) || !language.empty())) {
    return refused("is a Flyway callback, and kdb runs migrations only");
  }
  if (!looks_like_migration(base)) return std::nullopt;
  if (!language.empty()) return refused_program(language);
  if (base.ends_with(".sql.conf")) return refused("is the configuration of a script that is no migration");
  return ends_in_sql(base) ? std::optional(refused(why_not(base))) : std::nullopt;
}

std::string companion(std::string_view path) { return std::string(path).append(configuration); }

// `executeInTransaction=false`; Java's properties, of which Flyway's documentation shows no more than
// `key=value` lines. What would change the script and is not done here is refused.
std::optional<bool> read_transaction(const ParseInput& input, std::string_view text,
                                     const std::string& file) {
  std::optional<bool> transaction;
  int line_number = 0;
  for (const std::string_view whole : split(text, '\n')) {
    ++line_number;
    const std::string_view line = trim(whole);
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    const size_t equals = line.find('=');
    const std::string_view key = trim(line.substr(0, equals));
    const std::string_view value = equals == std::string_view::npos ? "" : trim(line.substr(equals + 1));
    const bool is_bool = equals_ignore_case(value, "true") || equals_ignore_case(value, "false");
    if (key == "executeInTransaction" && is_bool) {
      transaction = equals_ignore_case(value, "true");
    } else if (key == "executeInTransaction") {
      input.problems.push_back({.message = "executeInTransaction must be true or false",
                                .where = {.file = companion(file), .line = line_number},
                                .hint = {}});
    } else {
      input.problems.push_back({.message = fmt::format("\"{}\" is not supported", key),
                                .where = {.file = companion(file), .line = line_number},
                                .hint = "of a script's configuration kdb knows executeInTransaction"});
    }
  }
  return transaction;
}

Section make_section(const ParseInput& input, std::string_view text, std::string_view options,
                     const std::string& file) {
  Section section = join_pieces({{expand_flyway(text, file, input.source, input.problems), 1}}, file);
  section.options.transaction = read_transaction(input, options, file);
  section.tool_takes_lone_commit = true;
  section.without_transaction = "`executeInTransaction=false` in SCRIPT.sql.conf beside it";
  return section;
}

void parse(const ParseInput& input, Migration& migration) {
  migration.up = make_section(input, input.up, input.companion, input.file.path);
  if (input.down)
    migration.down = make_section(input, *input.down, input.down_companion, input.file.down_path);
}

std::vector<NewFile> create(std::string_view version, std::string_view name, std::string_view /*separator*/) {
  return {{.path = fmt::format("V{}__{}.sql", version, name), .contents = std::string(new_up_text)}};
}

}  // namespace flyway

LayoutRules flyway_layout() {
  return {.layout = Layout::flyway,
          .form = "V1.2__name.sql",
          .claims = flyway::claims,
          .classify = flyway::classify,
          .parse = flyway::parse,
          .create = flyway::create,
          .companion = flyway::companion,
          .recursive = true};
}

}  // namespace kdb::files
