#include "files/profile_files.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/checksum.hpp"
#include "files/read_file.hpp"

namespace kdb::files {
namespace {

// No profile that a person wrote comes near this.
constexpr std::uint64_t max_profile_size = 16ULL * 1024 * 1024;

std::string identity(const std::string& path) {
  std::error_code ignored;
  const auto canonical = std::filesystem::weakly_canonical(path, ignored);
  return canonical.empty() ? path : canonical.string();
}

std::string available_profiles(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  const auto folder = std::filesystem::path(path).parent_path();
  for (std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, error), end;
       !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".toml") names.push_back(entry->path().stem().string());
  }
  std::sort(names.begin(), names.end());
  if (names.empty()) return "create it, or name another one with --profile";
  return fmt::format("profiles there: {}", fmt::join(names, ", "));
}

class Loader {
 public:
  explicit Loader(ReadContext& context) : context_(context) {}

  void load(const std::string& path, bool required, const Source& extended_at) {
    const std::string id = identity(path);
    if (std::find(done_.begin(), done_.end(), id) != done_.end()) return;
    const auto open =
        std::find_if(chain_.begin(), chain_.end(), [&](const auto& link) { return link.id == id; });
    if (open != chain_.end()) {
      std::string cycle;
      for (auto link = open; link != chain_.end(); ++link) cycle += link->path + " -> ";
      problem(fmt::format("extends goes in a circle: {}{}", cycle, path), extended_at, {});
      return;
    }
    chain_.push_back({id, path});
    if (auto file = read(path, required, extended_at)) {
      load_extended(path, file->root);
      files_.push_back(std::move(*file));
    }
    chain_.pop_back();
    done_.push_back(id);
  }

  std::vector<ProfileFile> take() { return std::move(files_); }

 private:
  struct Link {
    std::string id;
    std::string path;
  };

  void problem(std::string message, const Source& where, std::string hint) {
    context_.problems.push_back({.message = std::move(message), .where = where, .hint = std::move(hint)});
  }

  std::optional<ProfileFile> read(const std::string& path, bool required, const Source& extended_at) {
    std::string text;
    const ReadResult result = read_file(path, max_profile_size, text);
    switch (result.status) {
      case ReadResult::Status::ok:
        break;
      case ReadResult::Status::missing:
        if (!required) return std::nullopt;
        problem(fmt::format("profile \"{}\" not found", path), extended_at, available_profiles(path));
        return std::nullopt;
      case ReadResult::Status::too_large:
        problem(fmt::format("profile \"{}\" is too large ({} bytes)", path, result.size), extended_at, {});
        return std::nullopt;
      case ReadResult::Status::failed:
        problem(fmt::format("cannot read profile \"{}\": {}", path, result.error), extended_at, {});
        return std::nullopt;
    }
    try {
      ProfileFile file{.path = path, .sha256 = sha256_hex(text), .root = parse_toml(text, path)};
      if (keeps_quiet(text)) file.commented = std::move(text);
      return file;
    } catch (const Error& error) {
      context_.problems.insert(context_.problems.end(), error.problems().begin(), error.problems().end());
      return std::nullopt;
    }
  }

  void load_extended(const std::string& path, const TomlValue& root) {
    const TomlValue* extends = root.find("extends");
    if (extends == nullptr) return;
    if (extends->kind != TomlValue::Kind::array) {
      report(context_, {*extends, "extends"}, "must be an array of paths, as in extends = [\"base.toml\"]");
      return;
    }
    const auto folder = std::filesystem::path(path).parent_path();
    for (const TomlValue& item : extends->items) {
      const auto text = read_name(context_, {item, "extends"});
      if (text) load((folder / *text).string(), true, item.where);
    }
  }

  ReadContext& context_;
  std::vector<ProfileFile> files_;
  std::vector<Link> chain_;        // the files being read, each extended by the one before
  std::vector<std::string> done_;  // identities: a file that two others extend applies once
};

}  // namespace

std::string profile_path(const std::string& name) {
  const bool is_path = name.find('/') != std::string::npos || name.ends_with(".toml");
  return is_path ? name : fmt::format("profiles/{}.toml", name);
}

bool keeps_quiet(std::string_view text) { return text.find("kdb:ignore") != std::string_view::npos; }

std::vector<ProfileFile> load_profile_files(ReadContext& context, const std::string& path, bool required) {
  Loader loader(context);
  loader.load(path, required, {});
  auto files = loader.take();
  for (size_t earlier = 0; earlier < files.size(); ++earlier) {
    for (size_t later = earlier + 1; later < files.size(); ++later) {
      mark_overridden(files[earlier].root, files[later].root);
    }
  }
  return files;
}

void mark_overridden(TomlValue& earlier, const TomlValue& later) {
  if (earlier.kind != TomlValue::Kind::table || later.kind != TomlValue::Kind::table) {
    earlier.overridden = true;
    return;
  }
  for (TomlMember& member : earlier.members) {
    if (const TomlValue* again = later.find(member.key)) mark_overridden(member.value, *again);
  }
}

}  // namespace kdb::files
