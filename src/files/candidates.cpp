#include "files/candidates.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/checksum.hpp"
#include "base/text.hpp"
#include "files/layouts.hpp"
#include "files/names.hpp"
#include "files/read_file.hpp"
#include "files/sections.hpp"

namespace kdb::files {
namespace {

using Evidence = std::vector<std::pair<Layout, std::string_view>>;

bool is_claimed(const MigrationSource& source, std::string_view path) {
  // diesel's down.sql is claimed by no layout: alone it makes no migration.
  if (parse_folder(path) && base_name(path) == "down.sql") return true;
  if (source.layout) return rules_of(*source.layout).claims(path);
  const auto layouts = all_layouts();
  return std::any_of(layouts.begin(), layouts.end(),
                     [&](const LayoutRules& rules) { return rules.claims(path); });
}

// Nothing for an empty file: it is of any layout, and is reported when it is parsed.
std::optional<Layout> layout_of_contents(std::string_view contents) {
  contents = without_byte_order_mark(contents);
  if (trim(contents).empty()) return std::nullopt;
  for (const LayoutRules& rules : all_layouts()) {
    if (rules.recognises != nullptr && rules.recognises(contents)) return rules.layout;
  }
  return std::nullopt;
}

Problem unread(const ReadResult& result, std::uint64_t limit, const std::string& path) {
  Problem problem{.message = fmt::format("cannot read the migration: {}", result.error),
                  .where = {.file = path},
                  .hint = {}};
  if (result.status == ReadResult::Status::too_large) {
    const bool alike = human_bytes(result.size) == human_bytes(limit);
    const auto shown = [&](std::uint64_t size) {
      return alike ? fmt::format("{} bytes", size) : human_bytes(size);
    };
    problem.message =
        fmt::format("file of {} is too large for a migration (limit {})", shown(result.size), shown(limit));
    problem.hint = "load data with psql's \\copy, or raise [migrations] max_file_size";
  }
  return problem;
}

/// One file of each layout that is there. Files in sub-folders count for tools that read these, and only when
/// the folder itself has no migrations.
Evidence find_evidence(const std::vector<Candidate>& candidates, bool in_subfolders) {
  Evidence seen;
  const auto add = [&](Layout layout, std::string_view path) {
    const bool known =
        std::any_of(seen.begin(), seen.end(), [&](const auto& one) { return one.first == layout; });
    if (!known) seen.emplace_back(layout, path);
  };
  for (const Candidate& candidate : candidates) {
    if (candidate.layout && !in_subfolders) add(*candidate.layout, candidate.path);
    for (const LayoutRules& rules : all_layouts()) {
      const bool deep = rules.recursive && candidate.path.find('/') != std::string_view::npos;
      if (rules.recognises != nullptr || deep != in_subfolders) continue;
      if (rules.claims(candidate.path)) add(rules.layout, candidate.path);
    }
  }
  return seen;
}

}  // namespace

CandidateReader::CandidateReader(const MigrationSource& source, const FolderScan& scan,
                                 const std::string& folder)
    : source_(source), scan_(scan), folder_(folder), candidates_(scan.paths().size()) {}

void CandidateReader::read() {
  constexpr size_t batch = 16;  // so that threads seldom meet
  std::string buffer;
  for (size_t begin = next_.fetch_add(batch); begin < candidates_.size(); begin = next_.fetch_add(batch)) {
    const size_t end = std::min(begin + batch, candidates_.size());
    // Counted even if memory runs out: another thread waits for it, and this one's error ends the command.
    const auto count = [&](void*) {
      read_ += end - begin;
      read_.notify_all();
    };
    const std::unique_ptr<void, decltype(count)> counted(this, count);
    for (size_t i = begin; i < end; ++i) candidates_[i] = read_one(scan_.paths()[i], buffer);
  }
}

std::optional<Candidate> CandidateReader::read_one(const std::string& path, std::string& buffer) {
  if (!is_claimed(source_, path)) return std::nullopt;
  Candidate candidate{.path = path, .checksum = {}, .layout = {}};
  const ReadResult result = read_file_at(scan_.fd(), path.c_str(), source_.max_file_size, buffer);
  if (result.status != ReadResult::Status::ok) {
    const std::lock_guard lock(problems_mutex_);
    problems_.push_back(unread(result, source_.max_file_size, fmt::format("{}/{}", folder_, path)));
    return candidate;
  }
  candidate.checksum = sha256_hex(result.contents);
  if (!source_.layout && is_numbered_file(path)) candidate.layout = layout_of_contents(result.contents);
  return candidate;
}

std::vector<Candidate> CandidateReader::take(std::vector<Problem>& problems) {
  read();
  for (size_t read = read_; read < candidates_.size(); read = read_) read_.wait(read);
  std::vector<Candidate> candidates;
  candidates.reserve(candidates_.size());
  for (std::optional<Candidate>& candidate : candidates_)
    if (candidate) candidates.push_back(std::move(*candidate));
  sort_by_position(problems_);
  problems.insert(problems.end(), problems_.begin(), problems_.end());
  return candidates;
}

std::optional<Layout> detect_layout(const std::vector<Candidate>& candidates, const std::string& folder,
                                    std::vector<Problem>& problems) {
  auto seen = find_evidence(candidates, false);
  if (seen.empty()) seen = find_evidence(candidates, true);
  if (seen.empty()) {
    const bool numbered = std::any_of(candidates.begin(), candidates.end(),
                                      [](const Candidate& one) { return is_numbered_file(one.path); });
    if (numbered) return Layout::plain;
    // `1_a/down.sql` alone is diesel's form, though it makes no migration.
    const bool folders = std::any_of(candidates.begin(), candidates.end(), [](const Candidate& one) {
      return !leading_digits(one.path).empty() && parse_folder(one.path);
    });
    return folders ? std::optional(Layout::diesel) : std::nullopt;
  }
  if (seen.size() == 1) return seen.front().first;
  std::vector<std::string> files;
  for (const auto& [layout, path] : seen) files.push_back(fmt::format("{} ({})", path, to_string(layout)));
  problems.push_back({.message = fmt::format("the folder mixes layouts: {}", fmt::join(files, ", ")),
                      .where = {.file = folder},
                      .hint = "keep one tool's files in it, or say which with [migrations] layout"});
  return std::nullopt;
}

}  // namespace kdb::files
