#include "files/plan_file.hpp"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "files/read_file.hpp"

namespace kdb::files {

namespace {

using Json = nlohmann::json;

constexpr std::uint64_t max_size = 256ULL * 1024 * 1024;  // bytes
constexpr int format_version = 1;

constexpr std::array actions = {Action::run,    Action::create, Action::alter, Action::replace,
                                Action::rename, Action::repair, Action::drop};

Error malformed(const std::string& path, std::string what) {
  return {Exit::usage, Problem{.message = std::move(what),
                               .where = {.file = path},
                               .hint = "a plan file is what `kdb plan -o plan.json` writes, as it is"}};
}

/// Reads members, and says which one is not there or is something else.
class Members {
 public:
  Members(const Json& json, std::string place, const std::string& path)
      : json_(json), place_(std::move(place)), path_(path) {
    if (!json_.is_object()) throw malformed(path_, fmt::format("{} is no object", what("")));
  }

  std::string text(const char* key) const {
    const Json& value = member(key);
    if (!value.is_string()) throw malformed(path_, fmt::format("{} is no string", what(key)));
    return value.get<std::string>();
  }
  /// Empty where it is left out.
  std::string optional_text(const char* key) const { return json_.contains(key) ? text(key) : ""; }
  bool boolean(const char* key) const {
    const Json& value = member(key);
    if (!value.is_boolean()) throw malformed(path_, fmt::format("{} is not true or false", what(key)));
    return value.get<bool>();
  }
  /// False where it is left out.
  bool flag(const char* key) const { return json_.contains(key) && boolean(key); }
  template <class Read>
  void each(const char* key, Read read) const {
    const Json& list = member(key);
    if (!list.is_array()) throw malformed(path_, fmt::format("{} is no array", what(key)));
    for (size_t i = 0; i < list.size(); ++i) read(list[i], fmt::format("{}[{}]", what(key), i));
  }
  Members inner(const Json& json, std::string place) const { return {json, std::move(place), path_}; }

 private:
  const Json& member(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) throw malformed(path_, fmt::format("{} is missing", what(key)));
    return *found;
  }
  std::string what(std::string_view key) const {
    if (key.empty()) return place_.empty() ? "the plan" : place_;
    return place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key);
  }

  const Json& json_;
  std::string place_;
  const std::string& path_;
};

Change read_change(const Members& members, const std::string& path, const std::string& place) {
  Change change;
  const std::string word = members.text("action");
  bool known = false;
  for (const Action action : actions) {
    if (to_string(action) != word) continue;
    change.action = action;
    known = true;
  }
  if (!known) throw malformed(path, fmt::format("{}.action is unknown: '{}'", place, word));
  change.kind = members.text("kind");
  change.object = members.text("object");
  change.fingerprint = members.optional_text("fingerprint");
  change.provisional = members.flag("provisional");
  members.each("steps", [&](const Json& step, const std::string& at) {
    const Members of_step = members.inner(step, at);
    change.steps.push_back({.sql = of_step.text("sql"),
                            .purpose = {},
                            .in_transaction = of_step.boolean("in_transaction"),
                            .lock = {},
                            .hazards = {}});
  });
  return change;
}

}  // namespace

SavedPlan parse_plan(std::string_view text, const std::string& path) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) throw malformed(path, "is no JSON");
  const Members plan(json, "", path);
  if (plan.text("command") != "plan")
    throw malformed(path, fmt::format("is the result of `kdb {}`", plan.text("command")));
  if (const auto version = json.find("format_version"); version == json.end() || *version != format_version)
    throw malformed(path, "has another format_version: it was written by another version of kdb");
  SavedPlan saved;
  PlanOrigin& origin = saved.origin;
  origin.kdb_version = plan.text("kdb_version");
  origin.system_identifier = plan.text("system_identifier");
  origin.database = plan.text("database");
  origin.role = plan.text("role");
  origin.prune = plan.boolean("prune");
  origin.sandbox = plan.flag("sandbox");
  plan.each("parts", [&](const Json& part, const std::string& at) {
    if (!part.is_string()) throw malformed(path, fmt::format("{} is no string", at));
    origin.parts.push_back(part.get<std::string>());
  });
  plan.each("profile_files", [&](const Json& file, const std::string& at) {
    const Members members = plan.inner(file, at);
    origin.profiles.push_back({members.text("path"), members.text("sha256")});
  });
  plan.each("changes", [&](const Json& change, const std::string& at) {
    saved.changes.push_back(read_change(plan.inner(change, at), path, at));
  });
  return saved;
}

SavedPlan read_plan_file(const std::string& path) {
  std::string text;
  const ReadResult read = read_file(path, max_size, text);
  switch (read.status) {
    case ReadResult::Status::ok:
      return parse_plan(text, path);
    case ReadResult::Status::missing:
      throw malformed(path, "there is no such plan file");
    case ReadResult::Status::too_large:
      throw malformed(path, "is too large for a plan");
    case ReadResult::Status::failed:
      break;
  }
  throw malformed(path, fmt::format("cannot be read: {}", read.error));
}

}  // namespace kdb::files
