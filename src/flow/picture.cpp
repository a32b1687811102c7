#include "flow/picture.hpp"

#include <algorithm>
#include <future>
#include <memory>

#include <fmt/format.h>

#include "base/sql.hpp"
#include "base/text.hpp"
#include "core/difference.hpp"
#include "core/steps.hpp"
#include "files/migrations.hpp"

namespace kdb::flow {

namespace {

Migration read(const Context& context, const Picture& picture, const MigrationStatus& row) {
  return files::read_migration(context.profile.migrations.source, picture.folder.layout,
                               picture.folder.files[*row.file]);
}

Problem changed_problem(const MigrationFile& file, const StoredMigration* stored, const Section* now) {
  Problem problem;
  problem.where.file = file.path;
  problem.hint = fmt::format(
      "put the change into a new migration; or, if the database is right, "
      "`kdb migrate repair {} --accept`",
      file.version.text);
  const bool options_only =
      stored != nullptr && now != nullptr && sql::equal_tokens(stored->up_text, now->text);
  problem.message =
      fmt::format("migration {} {} was changed after it was applied{}", file.version.text, file.name,
                  stored == nullptr ? " (by another tool: its text is not known)"
                  : options_only    ? ": its options"
                                    : "");
  if (stored == nullptr || now == nullptr) return problem;
  problem.details = options_only ? fmt::format("- {}\n+ {}", stored->up_options, to_string(now->options))
                                 : difference(stored->up_text, trim(now->text));
  return problem;
}

/// Whether an applied down section is still the one in the file.
bool same_down(const StoredMigration& stored, const Migration& now) {
  if (!stored.down_text || !now.down) return stored.down_text.has_value() == now.down.has_value();
  return sql::equal_tokens(*stored.down_text, now.down->text);
}

/// The checksums differ: do the texts?
void compare_texts(const Context& context, const Session& session, Picture& picture, MigrationStatus& row) {
  const MigrationFile& file = picture.folder.files[*row.file];
  const std::optional<StoredMigration> stored = session.store.stored(*session.connection, key_of(row));
  const Migration now = read(context, picture, row);
  const bool equal = stored && now.up && sql::equal_tokens(stored->up_text, now.up->text) &&
                     stored->up_options == to_string(now.up->options);
  if (!equal) {
    picture.changed.push_back(
        changed_problem(file, stored ? &*stored : nullptr, now.up ? &*now.up : nullptr));
    return;
  }
  row.state = MigrationStatus::State::applied;
  if (same_down(*stored, now)) {
    picture.reformatted.push_back(row);
    return;
  }
  picture.changed_down.push_back(
      {.message = fmt::format("the down section of migration {} {} was changed after it was applied",
                              file.version.text, file.name),
       .where = {.file = file.down_path.empty() ? file.path : file.down_path},
       .details = difference(stored->down_text.value_or(""), now.down ? trim(now.down->text) : "")});
}

Picture picture_of(const Context& context, const Session& session, MigrationFolder folder, History history) {
  Picture picture{.folder = std::move(folder), .history = std::move(history)};
  picture.rows = compare(picture.folder, picture.history);
  for (MigrationStatus& row : picture.rows)
    if (row.state == MigrationStatus::State::changed) compare_texts(context, session, picture, row);
  return picture;
}

/// The folder is read, and its files hashed, while the server is asked; then this thread helps.
View open_and_look_once(const Context& context, bool with_times) {
  files::FolderListing listing(context.profile.migrations.source);
  const auto listed = std::async(std::launch::async, [&] {
                        listing.read();
                        return std::make_shared<MigrationFolder>(listing.finish());
                      }).share();
  // A folder that is wrong ends the command before a server that is away is tried again and again.
  Context connecting = context;
  connecting.events = [&](const Event& event) {
    if (event.kind == Event::Kind::retry) listed.get();
    context.events(event);
  };
  try {
    Session session = open_session(connecting);
    History history = session.read_history(with_times);
    listing.read();
    Picture picture = picture_of(context, session, std::move(*listed.get()), std::move(history));
    return {.session = std::move(session), .picture = std::move(picture)};
  } catch (const std::exception&) {
    listed.get();  // what is wrong with the folder is said first
    throw;
  }
}

}  // namespace

Picture look(const Context& context, const Session& session, MigrationFolder folder, bool with_times) {
  return picture_of(context, session, std::move(folder), session.read_history(with_times));
}

View open_and_look(const Context& context, bool with_times) {
  return read_again(context, [&] { return open_and_look_once(context, with_times); });
}

std::string key_of(const MigrationStatus& row) { return history_key(row.kind, row.version, row.name); }

const MigrationStatus& find_version(const Picture& picture, const std::string& version) {
  const std::string_view digits = std::string_view(version).substr(
      std::min(version.find_first_not_of('0'), version.empty() ? 0 : version.size() - 1));
  const MigrationStatus* found = nullptr;
  for (const MigrationStatus& row : picture.rows) {
    if (row.kind == MigrationKind::repeatable) continue;
    const std::string key = row.version.key_text();
    if (key == "/" + version) return row;  // a Prisma folder's whole name
    if (row.version.text != version && key != digits && key != version) continue;
    if (found != nullptr && found->version != row.version) {
      throw Error(Exit::usage, fmt::format("several migrations have the version {}", version),
                  fmt::format("give the folder's whole name, such as {}", row.version.key_text().substr(1)));
    }
    if (found == nullptr) found = &row;
  }
  if (found != nullptr) return *found;
  throw Error(Exit::usage, fmt::format("no migration has the version {}", version),
              "`kdb migrate status` lists the versions");
}

std::vector<MigrationPlan> plan_rows(const Context& context, const Picture& picture,
                                     const std::vector<MigrationStatus>& rows, Direction direction) {
  std::vector<Problem> problems;
  std::vector<MigrationPlan> plans;
  for (const MigrationStatus& row : rows) {
    try {
      plans.push_back(plan_migration(read(context, picture, row), direction, problems));
    } catch (const Error& error) {
      if (error.exit() != Exit::usage) throw;
      problems.insert(problems.end(), error.problems().begin(), error.problems().end());
    }
  }
  if (!problems.empty()) {
    sort_by_position(problems);
    throw Error(Exit::usage, std::move(problems));
  }
  return plans;
}

}  // namespace kdb::flow
