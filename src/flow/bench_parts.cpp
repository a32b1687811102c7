#include "flow/bench_parts.hpp"

#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/tidy.hpp"

namespace kdb::flow {

namespace {

/// What no query shows that reads from a warm cache, by the beginning of a setting's name.
std::string_view why_unseen(std::string_view setting) {
  struct Row {
    std::string_view prefix;
    std::string_view why;
  };
  constexpr Row rows[] = {
      {"default_statistics_target", "it works through ANALYZE alone"},
      {"effective_io_concurrency", "nothing is read from the disk: the cache is warm"},
      {"maintenance_", "vacuums and the building of indexes are not measured"},
      {"max_parallel_maintenance_workers", "vacuums and the building of indexes are not measured"},
      {"vacuum_", "vacuums are not measured"},
      {"autovacuum", "autovacuum is off while designs are measured"},
      {"log_", "what is logged is not measured"},
  };
  for (const Row& row : rows)
    if (setting.starts_with(row.prefix)) return row.why;
  return {};
}

/// Whether PostgreSQL counts a setting among those that queries show (PG docs, pg_settings, category).
bool is_of_queries(std::string_view category) {
  return category.starts_with("Query Tuning") || category.starts_with("Resource Usage") ||
         category == "Customized Options";
}

/// Why a session cannot be without it, or its queries would not show it; empty where they may.
std::string why_not_left_out(const std::string& setting, const pg::Result& known) {
  if (!may_be_measured(setting)) return "a throwaway server has its own";
  if (known.empty()) return "the server does not know it";
  if (const std::string_view why = why_unseen(setting); !why.empty()) return std::string(why);
  if (known.text(0, 1) == "postmaster") return "it needs a restart: compare with a profile that lacks it";
  if (known.text(0, 1) == "sighup") return "it is the whole server's: compare with a profile that lacks it";
  if (!is_of_queries(known.view(0, 2))) return fmt::format("queries do not show it ({})", known.text(0, 2));
  return {};
}

/// A setting as it is without the profile is as it is built in: what else a throwaway server has is none of
/// those that a session can set.
DesignPart setting_part(const WantedSetting& wanted, pg::Connection& connection) {
  const pg::Result known = connection.exec(
      "SELECT name, context, category, pg_catalog.current_setting(name), boot_val, "
      "setting IS NOT DISTINCT FROM boot_val FROM pg_catalog.pg_settings WHERE pg_catalog.lower(name) = $1",
      {wanted.name});
  DesignPart part{.measures = {.kind = "setting", .name = wanted.name}, .leave_out = {}};
  part.measures.skipped = why_not_left_out(wanted.name, known);
  if (!part.measures.skipped.empty()) return part;
  part.measures.name = fmt::format("{} = {}", wanted.name, known.text(0, 3));
  part.measures.standard = known.boolean(0, 5);
  part.leave_out = fmt::format("SELECT pg_catalog.set_config({}, {}, true)", quote_literal(known.text(0, 0)),
                               quote_literal(known.text(0, 4)));
  return part;
}

/// Why an object of a kind is not left out; empty where a transaction can drop it and have it back.
template <class Kind>
std::string_view why_kept() {
  if constexpr (std::is_same_v<Kind, Index> || std::is_same_v<Kind, Statistics>) return "";
  if constexpr (std::is_same_v<Kind, Role> || std::is_same_v<Kind, DatabaseSettings>)
    return "the sessions that measure do not begin with it";
  return "rows would have to be written anew: compare with a profile that lacks it";
}

template <class Kind>
DesignPart object_part(const Declared<Kind>& declared, const std::string& schema) {
  DesignPart part{.measures = {.kind = std::string(Kind::word), .name = to_text(declared.value.name, schema)},
                  .leave_out = {}};
  part.measures.skipped = why_kept<Kind>();
  if constexpr (std::is_same_v<Kind, Index>) {
    part.leave_out = "DROP INDEX " + to_sql(declared.value.name);
    part.is_written = declared.value.table.name == to_string(ReferenceTable::events);
  }
  if constexpr (std::is_same_v<Kind, Statistics>)
    part.leave_out = "DROP STATISTICS " + to_sql(declared.value.name);
  return part;
}

}  // namespace

std::vector<DesignPart> parts_of(const Design& design, pg::Connection& connection) {
  std::vector<DesignPart> parts;
  design.profile.desired.each([&](const auto& list) {
    using Kind = typename std::decay_t<decltype(list)>::value_type::Kind;
    if constexpr (!std::is_same_v<Kind, Setting> && !std::is_same_v<Kind, Extension>)
      for (const auto& declared : list)
        if (!declared.absent) parts.push_back(object_part(declared, design.profile.database.schema));
  });
  for (const WantedSetting& wanted : design.profile.server.settings)
    parts.push_back(setting_part(wanted, connection));
  return parts;
}

LeftOut::LeftOut(pg::Connection& connection, const std::string& statements) : connection_(connection) {
  connection_.exec("BEGIN");
  try {
    if (!statements.empty()) connection_.exec(statements);
  } catch (...) {
    pg::tidy(connection_, "ROLLBACK");
    throw;
  }
}

LeftOut::~LeftOut() { pg::tidy(connection_, "ROLLBACK"); }

}  // namespace kdb::flow
