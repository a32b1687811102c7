// What a folder and a history together mean: core/pending.

#include "core/pending.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/text.hpp"
#include "support/problems.hpp"

namespace kdb::pending_test {

namespace {

Version version(const std::string& number) { return version_from_history(number, number); }

/// "1 2 R:view B:1": files by kind and number; `2!` has other contents.
MigrationFolder folder_of(const std::string& files) {
  MigrationFolder folder{.path = "migrations"};
  for (std::string_view word : split(files, ' ')) {
    if (word.empty()) continue;
    MigrationFile file{.name = "x", .checksum = "same"};
    if (word.back() == '!') {
      file.checksum = "other";
      word.remove_suffix(1);
    }
    if (word.substr(0, 2) == "R:") {
      file.kind = MigrationKind::repeatable;
      file.name = word.substr(2);
    } else {
      if (word.substr(0, 2) == "B:") {
        file.kind = MigrationKind::baseline;
        word.remove_prefix(2);
      }
      file.version = version(std::string(word));
    }
    file.path = "migrations/" + std::string(word);
    folder.files.push_back(std::move(file));
  }
  return folder;
}

/// "1 2~ 3^ R:view B:1": `~` is half applied, `^` half undone.
History history_of(const std::string& applied) {
  History history{.exists = true, .format = 1};
  for (std::string_view word : split(applied, ' ')) {
    if (word.empty()) continue;
    AppliedMigration row{.name = "x", .checksum = "same"};
    if (word.back() == '~' || word.back() == '^') {
      row.state = AppliedMigration::State::partial;
      row.direction = word.back() == '^' ? Direction::down : Direction::up;
      word.remove_suffix(1);
    }
    if (word.substr(0, 2) == "R:") {
      row.kind = MigrationKind::repeatable;
      row.name = word.substr(2);
    } else {
      if (word.substr(0, 2) == "B:") {
        row.kind = MigrationKind::baseline;
        word.remove_prefix(2);
      }
      row.version = version(std::string(word));
    }
    history.migrations.push_back(std::move(row));
  }
  return history;
}

std::string words_of(const std::vector<MigrationStatus>& rows) {
  std::string text;
  for (const MigrationStatus& row : rows) {
    text += text.empty() ? "" : ", ";
    text += row.kind == MigrationKind::repeatable ? "R:" + row.name : row.version.text;
    text += " " + std::string(to_string(row.state));
  }
  return text;
}

}  // namespace

TEST_CASE("every migration has one state") {
  struct Case {
    const char* files;
    const char* applied;
    const char* states;
  };
  const Case cases[] = {
      {"", "", ""},
      {"1 2", "", "1 pending, 2 pending"},
      {"1 2", "1", "1 applied, 2 pending"},
      {"2 10 9", "2", "2 applied, 9 pending, 10 pending"},
      {"1 2!", "1 2", "1 applied, 2 changed"},
      {"1 3", "1 2 3", "1 applied, 2 missing, 3 applied"},
      {"1 2", "1 2 3", "1 applied, 2 applied, 3 ahead"},
      {"1 2 3", "1 3", "1 applied, 2 out of order, 3 applied"},
      {"1 2 3", "1 2 5", "1 applied, 2 applied, 3 out of order, 5 ahead"},
      {"1 2", "1 2~", "1 applied, 2 partial"},
      {"1 2 3", "1 3~", "1 applied, 2 pending, 3 partial"},
      {"1", "1 2~", "1 applied, 2 partial"},
      {"R:b R:a 1", "1", "1 applied, R:a pending, R:b pending"},
      {"1 R:a!", "1 R:a", "1 applied, R:a changed, runs again"},
      {"1", "1 R:a", "1 applied, R:a applied"},
      {"1 2 3", "B:2", "1 baseline, 2 baseline, 3 pending"},
      {"3", "B:2", "2 baseline, 3 pending"},
      {"1 2 B:2 3", "", "1 baseline, 2 pending, 2 baseline, 3 pending"},
      {"1 2 B:2 3", "1", "1 applied, 2 baseline, 2 pending, 3 pending"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.files);
    CAPTURE(row.applied);
    CHECK(words_of(compare(folder_of(row.files), history_of(row.applied))) == row.states);
  }
}

TEST_CASE("up runs what is left, in order") {
  struct Case {
    const char* files;
    const char* applied;
    UpSelection selection;
    const char* selected;
  };
  const Case cases[] = {
      {"1 2 3", "1", {}, "2 pending, 3 pending"},
      {"1 2 3", "1", {.steps = 1}, "2 pending"},
      {"1 2 3", "", {.to = version("2")}, "1 pending, 2 pending"},
      {"1 2 3", "1 3", {}, ""},
      {"1 2 3", "1 3", {.out_of_order = true}, "2 out of order"},
      {"1 2", "1 2~", {}, "2 partial"},
      {"1 R:a", "1", {}, "R:a pending"},
      {"1 R:a", "", {.to = version("1")}, "1 pending"},
      {"1 R:a!", "1 R:a", {}, "R:a changed, runs again"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.files);
    CAPTURE(row.applied);
    CHECK(words_of(select_up(compare(folder_of(row.files), history_of(row.applied)), row.selection)) ==
          row.selected);
  }
  const auto rows = compare(folder_of("1 2"), history_of(""));
  CHECK(test::problems_of([&] { select_up(rows, {.to = version("7")}); }) ==
        "no migration has the version 7 | `kdb migrate status` lists the versions");
}

TEST_CASE("each inconsistency has its own message") {
  struct Case {
    const char* files;
    const char* applied;
    const char* message;
  };
  const Case cases[] = {
      {"1 3", "1 2 3", "migration 2 x was applied, but migrations has no file for it"},
      {"1 2 3", "1 3", "migration 2 x is out of order: it is not applied, but newer ones are"},
      {"1 2", "1 2^", "migration 2 x was being undone and is half gone"},
      {"1", "1 2~", "migration 2 x was interrupted in its middle, and migrations has no file for it"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.message);
    const MigrationFolder folder = folder_of(row.files);
    const History history = history_of(row.applied);
    const std::vector<Problem> problems = history_problems(compare(folder, history), folder, history, false);
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().message == row.message);
    CHECK_FALSE(problems.front().hint.empty());
  }
  const MigrationFolder folder = folder_of("1 2 3");
  const History history = history_of("1 3");
  CHECK(history_problems(compare(folder, history), folder, history, true).empty());
}

}  // namespace kdb::pending_test
