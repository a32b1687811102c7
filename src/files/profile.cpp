#include "files/profile.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/checksum.hpp"
#include "base/units.hpp"
#include "files/layouts.hpp"
#include "files/objects.hpp"
#include "files/profile_files.hpp"
#include "files/profile_values.hpp"
#include "files/queries.hpp"
#include "files/server_section.hpp"

namespace kdb::files {
namespace {

using std::chrono::milliseconds;

// --- values that are the same in every table: Member is a pointer to the member that the key sets
// ---------------

template <auto Member, class T>
void text(ReadContext& context, const Field& field, T& target) {
  if (auto value = read_text(context, field)) target.*Member = std::move(*value);
}

template <auto Member, class T>
void name(ReadContext& context, const Field& field, T& target) {
  if (auto value = read_name(context, field)) target.*Member = std::move(*value);
}

template <auto Member, class T>
void identifier(ReadContext& context, const Field& field, T& target) {
  if (auto value = read_identifier(context, field)) target.*Member = std::move(*value);
}

template <auto Member, int MinimumMs, class T>
void duration(ReadContext& context, const Field& field, T& target) {
  if (const auto value = read_duration(context, field, milliseconds(MinimumMs))) target.*Member = *value;
}

template <auto Member, int Minimum, int Maximum, class T>
void integer(ReadContext& context, const Field& field, T& target) {
  if (const auto value = read_integer(context, field, Minimum, Maximum))
    target.*Member = static_cast<int>(*value);
}

// --- retry, in [connection] and [migrations]
// --------------------------------------------------------------------

void jitter(ReadContext& context, const Field& field, RetryPolicy& target) {
  constexpr std::array choices{Jitter::additive, Jitter::full, Jitter::decorrelated};
  if (const auto word = read_word(context, field, {"additive", "full", "decorrelated"})) {
    target.jitter = choices.at(*word);
  }
}

void factor(ReadContext& context, const Field& field, RetryPolicy& target) {
  if (const auto value = read_number(context, field, 1, 100)) target.factor = *value;
}

constexpr Key<RetryPolicy> retry_keys[] = {
    {"initial", duration<&RetryPolicy::initial, 1>},
    {"max_delay", duration<&RetryPolicy::max_delay, 1>},
    {"factor", factor},
    {"jitter", jitter},
    {"max_attempts", integer<&RetryPolicy::max_attempts, 1, 1'000'000>},
    {"deadline", duration<&RetryPolicy::deadline, 0>},
};

template <auto Member, class T>
void retry(ReadContext& context, const Field& field, T& target) {
  read_table<RetryPolicy>(context, field, field.name + ".", retry_keys, target.*Member);
}

// --- [database]
// -------------------------------------------------------------------------------------------------

void url(ReadContext& context, const Field& field, DatabaseSection& target) {
  const size_t before = context.problems.size();
  if (auto value = read_text(context, {field.value, field.name, true})) target.url = std::move(*value);
  // Who needs no url must not have to set its variables.
  if (!context.url_needed && field.value.kind == TomlValue::Kind::string) context.problems.resize(before);
}

void system_identifier(ReadContext& context, const Field& field, DatabaseSection& target) {
  if (field.value.kind == TomlValue::Kind::integer && field.value.integer > 0) {
    target.expect_system_identifier = std::to_string(field.value.integer);
    return;
  }
  const auto value = read_text(context, field);
  if (!value) return;
  if (value->empty() || value->find_first_not_of("0123456789") != std::string::npos) {
    report(context, field, "must be the number that pg_control_system() shows");
    return;
  }
  target.expect_system_identifier = *value;
}

constexpr Key<DatabaseSection> expect_keys[] = {
    {"name", name<&DatabaseSection::expect_name>},
    {"system_identifier", system_identifier},
};

void expect(ReadContext& context, const Field& field, DatabaseSection& target) {
  read_table<DatabaseSection>(context, field, field.name + ".", expect_keys, target);
}

constexpr Key<DatabaseSection> database_keys[] = {
    {"url", url},
    {"schema", identifier<&DatabaseSection::schema>},
    {"role", text<&DatabaseSection::role>},
    {"history_schema", identifier<&DatabaseSection::history_schema>},
    {"expect", expect},
};

// --- [connection]
// -----------------------------------------------------------------------------------------------

void pooler(ReadContext& context, const Field& field, ConnectionSection& target) {
  if (read_word(context, field, {"session"})) target.pooler = "session";
}

constexpr int most_connections = 262'143;  // what max_connections may be at most (PG docs, 20.3.1)

constexpr Key<PoolSettings> pool_keys[] = {
    {"min", integer<&PoolSettings::min, 0, most_connections>},
    {"max", integer<&PoolSettings::max, 1, most_connections>},
    {"max_connecting", integer<&PoolSettings::max_connecting, 1, 1'000>},
    {"idle_timeout", duration<&PoolSettings::idle_timeout, 0>},
    {"lifetime", duration<&PoolSettings::lifetime, 0>},
    {"connect_timeout", duration<&PoolSettings::connect_timeout, 1>},
    {"leak_after", duration<&PoolSettings::leak_after, 0>},
    {"check_after", duration<&PoolSettings::check_after, 0>},
    {"check_timeout", duration<&PoolSettings::check_timeout, 1>},
};

void pool(ReadContext& context, const Field& field, ConnectionSection& target) {
  read_table<PoolSettings>(context, field, field.name + ".", pool_keys, target.pool);
}

constexpr Key<ConnectionSection> connection_keys[] = {
    {"connect_timeout", duration<&ConnectionSection::connect_timeout, 0>},
    {"statement_timeout", duration<&ConnectionSection::statement_timeout, 0>},
    {"lock_timeout", duration<&ConnectionSection::lock_timeout, 0>},
    {"build_wait", duration<&ConnectionSection::build_wait, 0>},
    {"response_timeout", duration<&ConnectionSection::response_timeout, 0>},
    {"keepalives_idle", duration<&ConnectionSection::keepalives_idle, 0>},
    {"keepalives_interval", duration<&ConnectionSection::keepalives_interval, 0>},
    {"keepalives_count", integer<&ConnectionSection::keepalives_count, 0, 127>},
    {"pooler", pooler},
    {"retry", retry<&ConnectionSection::retry>},
    {"pool", pool},
};

// --- [migrations]
// -----------------------------------------------------------------------------------------------

void directory(ReadContext& context, const Field& field, MigrationsSection& target) {
  if (auto value = read_name(context, field)) target.source.folder = std::move(*value);
}

void layout(ReadContext& context, const Field& field, MigrationsSection& target) {
  const auto layouts = all_layouts();
  std::vector<std::string_view> words;
  for (const LayoutRules& rules : layouts) words.push_back(to_string(rules.layout));
  if (const auto word = read_word(context, field, words)) target.source.layout = layouts[*word].layout;
}

void max_file_size(ReadContext& context, const Field& field, MigrationsSection& target) {
  if (const auto value = read_bytes(context, field)) target.source.max_file_size = *value;
}

void hazards(ReadContext& context, const Field& field, MigrationsSection& target) {
  if (const auto word = read_word(context, field, {"show", "refuse"})) target.refuse_hazards = *word == 1;
}

void variables(ReadContext& context, const Field& field, MigrationsSection& target) {
  const auto* members = read_members(context, field);
  if (members == nullptr) return;
  for (const TomlMember& member : *members) {
    auto value = read_text(context, {member.value, fmt::format("{}.{}", field.name, member.key)});
    if (!value) continue;
    auto& all = target.source.variables;
    const auto same =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == member.key; });
    if (same != all.end()) {
      same->second = std::move(*value);
    } else {
      all.emplace_back(member.key, std::move(*value));
    }
  }
}

constexpr Key<MigrationsSection> migrations_keys[] = {
    {"directory", directory},
    {"layout", layout},
    {"max_file_size", max_file_size},
    {"hazards", hazards},
    {"dump", text<&MigrationsSection::dump>},
    {"lock_wait", duration<&MigrationsSection::lock_wait, 0>},
    {"lock_retry", retry<&MigrationsSection::lock_retry>},
    {"variables", variables},
};

// --- the sections: a new one is a row here and the keys above
// ---------------------------------------------------

template <auto Member, auto& Keys>
void section(ReadContext& context, const Field& field, Profile& profile) {
  using Target = std::remove_reference_t<decltype(profile.*Member)>;
  read_table<Target>(context, field, field.name + " ", std::span<const Key<Target>>(Keys), profile.*Member);
}

void server(ReadContext& context, const Field& field, Profile& profile) {
  read_server(context, field, profile.server);
}

// Who loads the files has followed `extends` before the sections are read; queries are read after them.
void read_elsewhere(ReadContext&, const Field&, Profile&) {}

struct SectionRow {
  std::string_view name;
  void (*read)(ReadContext& context, const Field& field, Profile& profile);
  bool expands = false;  // durations and words are shown as the file has them, and so are settings
};

constexpr SectionRow sections[] = {
    {"extends", read_elsewhere},
    {"database", section<&Profile::database, database_keys>},
    {"connection", section<&Profile::connection, connection_keys>, true},
    {"migrations", section<&Profile::migrations, migrations_keys>},
    {"server", server, true},
    {"queries", read_elsewhere},
};

void read_sections(ReadContext& context, const TomlValue& root, Profile& profile) {
  std::vector<std::string_view> known;
  for (const auto& row : sections) known.push_back(row.name);
  add_object_sections(known);
  for (const TomlMember& member : root.members) {
    if (is_object_section(member.key)) continue;
    const auto* row = std::find_if(std::begin(sections), std::end(sections),
                                   [&](const auto& candidate) { return candidate.name == member.key; });
    if (row == std::end(sections)) {
      report_unknown_key(context, member, "the profile", known);
      continue;
    }
    row->read(context, {member.value, fmt::format("[{}]", member.key), row->expands}, profile);
  }
}

void check_retry(ReadContext& context, const std::string& table, const RetryPolicy& policy) {
  if (policy.initial <= policy.max_delay) return;
  const auto seen = context.tables.find(table);
  if (seen == context.tables.end()) return;
  context.problems.push_back(
      {.message = fmt::format("{} has initial above max_delay ({} > {})", table,
                              format_duration(policy.initial), format_duration(policy.max_delay)),
       .where = seen->second,
       .hint = {}});
}

void check_pool(ReadContext& context, const PoolSettings& pool) {
  const auto seen = context.tables.find("[connection] pool");
  if (pool.min <= pool.max || seen == context.tables.end()) return;
  context.problems.push_back(
      {.message = fmt::format("[connection] pool has min above max ({} > {})", pool.min, pool.max),
       .where = seen->second,
       .hint = {}});
}

Profile finish(ReadContext& context, Profile profile) {
  check_retry(context, "[connection] retry", profile.connection.retry);
  check_pool(context, profile.connection.pool);
  check_retry(context, "[migrations] lock_retry", profile.migrations.lock_retry);
  check_objects(context, profile.desired);
  check_queries(context, profile.queries);
  if (context.problems.empty()) return profile;
  sort_by_position(context.problems);
  throw Error(Exit::usage, std::move(context.problems));
}

}  // namespace

Profile read_profile(const std::string& name, bool required, const Environment& environment,
                     bool url_needed) {
  ReadContext context{.environment = environment, .url_needed = url_needed, .problems = {}, .tables = {}};
  Profile profile;
  profile.migrations.source.environment = environment;
  std::vector<ProfileFile> files = load_profile_files(context, profile_path(name), required);
  for (ProfileFile& file : files) {
    profile.files.push_back({file.path, file.sha256});
    if (!file.commented.empty()) profile.commented.push_back({file.path, std::move(file.commented)});
    read_sections(context, file.root, profile);
  }
  // The last word on the schema, which names without one mean, may be in the last file.
  for (const ProfileFile& file : files) {
    read_objects(context, file.root, profile.database.schema, profile.desired);
    read_queries(context, file.root, profile.database.schema, profile.queries);
  }
  return finish(context, std::move(profile));
}

Profile parse_profile(std::string_view text, const std::string& file, const Environment& environment) {
  ReadContext context{.environment = environment, .problems = {}, .tables = {}};
  Profile profile;
  profile.files.push_back({file, sha256_hex(text)});
  if (keeps_quiet(text)) profile.commented.push_back({file, std::string(text)});
  const TomlValue root = parse_toml(text, file);
  read_sections(context, root, profile);
  read_objects(context, root, profile.database.schema, profile.desired);
  read_queries(context, root, profile.database.schema, profile.queries);
  return finish(context, std::move(profile));
}

}  // namespace kdb::files
