#include "flow/migrate_adopt.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/to_report.hpp"
#include "files/flyway_checksum.hpp"
#include "files/migrations.hpp"
#include "flow/locked_history.hpp"
#include "flow/picture.hpp"

namespace kdb::flow {

namespace {

/// What the other tool says is applied.
struct Foreign {
  std::vector<std::string> versions;                     // as it writes them, in its order
  std::map<std::string, std::int32_t> flyway_checksums;  // by version; repeatable ones by "R:description"
  bool up_to = false;  // everything up to the one version is applied (golang-migrate)
};

/// A tool: where its history is by default, and how it is read.
struct Tool {
  std::string_view name;
  std::string_view table;
  Foreign (*read)(pg::Connection& connection, const std::string& table);
};

/// A row that names no migration: the other tool never writes one, so nobody knows what it stands for.
[[noreturn]] void refuse_nameless(const std::string& table, std::string_view what) {
  throw Error(Exit::history, fmt::format("{} has a row without a {}", table, what),
              "delete the row if it stands for nothing, or write the version of a file into it");
}

Foreign read_dbmate(pg::Connection& connection, const std::string& table) {
  Foreign foreign;
  const pg::Result dirty = connection.exec(fmt::format(
      "SELECT count(*) FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass({}) AND "
      "attname = 'dirty' AND NOT attisdropped",
      quote_literal(table)));
  if (dirty.integer(0, 0) > 0)
    throw Error(Exit::refused,
                fmt::format("{} has a column \"dirty\": it is golang-migrate's, not dbmate's", table),
                "--from golang-migrate");
  const pg::Result result = connection.exec(fmt::format("SELECT version FROM {} ORDER BY version", table));
  for (size_t row = 0; row < result.size(); ++row) {
    if (trim(result.text(row, 0)).empty()) refuse_nameless(table, "version");
    foreign.versions.push_back(result.text(row, 0));
  }
  return foreign;
}

/// goose appends a row per up and per down; the last one of a version decides. Version 0 marks the table's
/// creation.
Foreign read_goose(pg::Connection& connection, const std::string& table) {
  Foreign foreign;
  const pg::Result result = connection.exec(fmt::format(
      "SELECT version_id FROM (SELECT DISTINCT ON (version_id) version_id, is_applied FROM {} "
      "ORDER BY version_id, id DESC) last WHERE is_applied AND version_id > 0 ORDER BY version_id",
      table));
  for (size_t row = 0; row < result.size(); ++row) foreign.versions.push_back(result.text(row, 0));
  return foreign;
}

/// One row: everything up to its version is applied, unless it is dirty.
Foreign read_golang_migrate(pg::Connection& connection, const std::string& table) {
  Foreign foreign{.up_to = true};
  const pg::Result result =
      connection.exec(fmt::format("SELECT version, dirty FROM {} ORDER BY version DESC", table));
  for (size_t row = 0; row < result.size(); ++row) {
    if (result.boolean(row, 1))
      throw Error(Exit::history,
                  fmt::format("golang-migrate's state is dirty at version {}: nobody knows how far it came",
                              result.text(row, 0)),
                  "bring the database to a known version and run `migrate force VERSION` first");
    if (result.text(row, 0).empty()) refuse_nameless(table, "version");
    foreign.versions.push_back(result.text(row, 0));
  }
  return foreign;
}

Foreign read_flyway(pg::Connection& connection, const std::string& table) {
  Foreign foreign;
  const pg::Result result = connection.exec(fmt::format(
      "SELECT version, description, type, checksum, success FROM {} ORDER BY installed_rank", table));
  for (size_t row = 0; row < result.size(); ++row) {
    const std::string& type = result.text(row, 2);
    if (!result.boolean(row, 4))
      throw Error(Exit::history,
                  fmt::format("Flyway's migration {} failed and is recorded as such",
                              result.is_null(row, 0) ? result.text(row, 1) : result.text(row, 0)),
                  "mend it with Flyway (`flyway repair`) first");
    if (type == "SCHEMA") continue;
    if (result.is_null(row, 0) && result.text(row, 1).empty()) refuse_nameless(table, "description");
    if (!result.is_null(row, 0) && trim(result.text(row, 0)).empty()) refuse_nameless(table, "version");
    if (type != "SQL" && type != "SQL_BASELINE" && type != "BASELINE" && type != "UNDO_SQL" &&
        type != "DELETE")
      throw Error(
          Exit::history,
          fmt::format("Flyway's migration {} is of type {}, which is no SQL file", result.text(row, 0), type),
          "keep such migrations in Flyway, or rewrite them as SQL");
    const std::string version = result.is_null(row, 0)   ? "R:" + result.text(row, 1)
                                : type == "SQL_BASELINE" ? "B:" + result.text(row, 0)
                                                         : result.text(row, 0);
    if (type == "UNDO_SQL" || type == "DELETE") {
      std::erase(foreign.versions, version);
      continue;
    }
    if (std::find(foreign.versions.begin(), foreign.versions.end(), version) == foreign.versions.end())
      foreign.versions.push_back(version);
    if (type != "BASELINE" && !result.is_null(row, 3))
      foreign.flyway_checksums[version] = static_cast<std::int32_t>(result.integer(row, 3));
    if (type == "BASELINE") foreign.up_to = true;
  }
  return foreign;
}

const std::vector<Tool>& tools() {
  static const std::vector<Tool> rows = {
      {.name = "dbmate", .table = "schema_migrations", .read = read_dbmate},
      {.name = "goose", .table = "goose_db_version", .read = read_goose},
      {.name = "golang-migrate", .table = "schema_migrations", .read = read_golang_migrate},
      {.name = "flyway", .table = "flyway_schema_history", .read = read_flyway},
  };
  return rows;
}

const Tool& find_tool(const std::string& name) {
  for (const Tool& tool : tools())
    if (tool.name == name) return tool;
  throw Error(Exit::usage, fmt::format("nobody knows the tool '{}'", name),
              "--from dbmate, goose, golang-migrate or flyway");
}

std::string table_name(const Tool& tool, const std::string& given) {
  std::string quoted;
  for (const std::string_view part : split(given.empty() ? tool.table : std::string_view(given), '.'))
    quoted += (quoted.empty() ? "" : ".") + quote_ident(part);
  return quoted;
}

std::string without_zeros(std::string_view version) {
  const size_t digit = version.find_first_not_of('0');
  if (digit == std::string_view::npos) return version.empty() ? "" : "0";
  return std::string(version.substr(digit));
}

/// How the other tool's version is written as a key: Flyway's components as in files, all others one number.
std::string key_of_foreign(const std::string& version, Layout layout) {
  if (version.rfind("R:", 0) == 0) return version;
  if (version.rfind("B:", 0) == 0) return "B:" + key_of_foreign(version.substr(2), layout);
  if (layout != Layout::flyway) return without_zeros(version);
  std::vector<std::string> parts;
  std::string normal(version);
  std::replace(normal.begin(), normal.end(), '_', '.');
  for (const std::string_view part : split(normal, '.')) parts.push_back(without_zeros(part));
  while (parts.size() > 1 && parts.back() == "0") parts.pop_back();
  return fmt::format("{}", fmt::join(parts, "."));
}

/// Flyway writes a repeatable migration's description with spaces where the file has underscores.
std::string key_of_file(const MigrationFile& file) {
  if (file.kind != MigrationKind::repeatable)
    return (file.kind == MigrationKind::baseline ? "B:" : "") + file.version.key_text();
  std::string name = file.name;
  std::replace(name.begin(), name.end(), '_', ' ');
  return "R:" + name;
}

/// The files that count as applied; what the other tool applied and no file explains is a problem.
std::vector<const MigrationFile*> match(const Foreign& foreign, const MigrationFolder& folder,
                                        std::vector<Problem>& problems) {
  std::map<std::string, const MigrationFile*> by_key;
  for (const MigrationFile& file : folder.files) by_key[key_of_file(file)] = &file;
  std::set<std::string> applied;
  std::optional<Version> newest;
  for (const std::string& version : foreign.versions) {
    const auto found = by_key.find(key_of_foreign(version, folder.layout));
    if (found == by_key.end()) {
      problems.push_back(
          {.message = fmt::format("version {} is applied, but {} has no file for it", version, folder.path),
           .hint = "bring the file back, so that its text can be kept; if it was squashed away, "
                   "`kdb migrate baseline VERSION` declares what is there instead"});
      continue;
    }
    applied.insert(found->first);
    if (!newest || found->second->version > *newest) newest = found->second->version;
  }
  std::vector<const MigrationFile*> files;
  for (const MigrationFile& file : folder.files) {
    const bool below =
        foreign.up_to && newest && file.kind == MigrationKind::versioned && file.version <= *newest;
    if (below || applied.count(key_of_file(file)) > 0) files.push_back(&file);
  }
  return files;
}

/// A repeatable migration that changed since is not wrong: it is left out, so that the next `up` runs it.
void check_flyway(const Foreign& foreign, const MigrationFolder& folder,
                  std::vector<const MigrationFile*>& files, std::vector<Problem>& problems) {
  std::map<std::string, std::int32_t> expected;
  for (const auto& [version, checksum] : foreign.flyway_checksums)
    expected[key_of_foreign(version, folder.layout)] = checksum;
  std::erase_if(files, [&](const MigrationFile* file) {
    const auto found = expected.find(key_of_file(*file));
    if (found == expected.end()) return false;
    const std::int32_t actual = files::flyway_checksum(file->path);
    if (actual == found->second) return false;
    if (file->kind != MigrationKind::repeatable)
      problems.push_back(
          {.message = fmt::format("migration {} was changed after Flyway applied it: its checksum is {}, "
                                  "Flyway's is {}",
                                  title(file->version, file->name), actual, found->second),
           .where = {.file = file->path},
           .hint = "bring back the file as it was, or settle it with `flyway repair` first"});
    return true;
  });
}

}  // namespace

Report adopt(const Context& context, const AdoptOptions& options) {
  const Tool& tool = find_tool(options.tool);
  View view = open_and_look(context);
  Session& session = view.session;
  const std::string table = table_name(tool, options.table);
  const pg::Result present = session.connection->exec(
      fmt::format("SELECT pg_catalog.to_regclass({}) IS NOT NULL", quote_literal(table)));
  if (!present.boolean(0, 0))
    throw Error(Exit::refused,
                fmt::format("{} has no table {} of {}", session.facts.target, table, tool.name),
                "name it with --table [SCHEMA.]TABLE");
  const Foreign foreign = tool.read(*session.connection, table);

  std::vector<Problem> problems;
  std::vector<const MigrationFile*> files = match(foreign, view.picture.folder, problems);
  check_flyway(foreign, view.picture.folder, files, problems);
  if (!problems.empty()) throw Error(Exit::history, std::move(problems));

  LockedHistory locked(context, session);
  for (const AppliedMigration& applied : session.read_history().migrations)
    throw Error(
        Exit::refused,
        fmt::format("kdb's history is not empty: {} is applied", title(applied.version, applied.name)),
        "adopt only takes over a database that kdb has not migrated yet");
  Report report{.command = "migrate adopt"};
  report.fields = {{.key = "target", .value = session.facts.target},
                   {.key = "tool", .value = std::string(tool.name)}};
  Table adopted{.key = "adopted", .columns = {{.key = "version"}, {.key = "name"}}};
  std::string sql;
  for (const MigrationFile* file : files) {
    const MigrationPlan plan{.migration = files::read_migration(context.profile.migrations.source,
                                                                view.picture.folder.layout, *file)};
    sql += session.store.complete_sql(locked.run(), plan, std::chrono::milliseconds(0));
    adopted.rows.push_back({file->version.text, file->name});
  }
  locked.write(sql, "adopted", tool.name, fmt::format("{} from {}", count(files.size(), "migration"), table));
  report.tables.push_back(std::move(adopted));
  report.summary = fmt::format("{} taken over from {}; {} is left as it is", count(files.size(), "migration"),
                               tool.name, table);
  return report;
}

}  // namespace kdb::flow
