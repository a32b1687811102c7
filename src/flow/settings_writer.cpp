#include "flow/settings_writer.hpp"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/auto_conf.hpp"
#include "core/change_plan.hpp"
#include "core/setting_changes.hpp"
#include "flow/compare_settings.hpp"
#include "flow/deployment.hpp"
#include "host/postmaster.hpp"
#include "pg/rights.hpp"

namespace kdb::flow {

namespace {

/// What is in the first line of a file that kdb has written.
constexpr std::string_view mark = "by kdb tune apply";

/// kdb's file as it would be found, or why there can be none.
host::SettingsFile own_file(const AskedServer& asked, const std::optional<LocalServer>& local) {
  constexpr const char* otherwise = "--method alter-system needs no file of the server's";
  if (!local)
    throw Error(Exit::refused, "--method conf.d: the server is not known to be on this machine", otherwise);
  if (!asked.files.lines)
    throw Error(Exit::refused, "--method conf.d: this role may not see what the server's files say",
                "GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() and SELECT ON pg_file_settings to it");
  const std::string main = asked.value("config_file");
  if (main.empty())
    throw Error(Exit::refused, "--method conf.d: this role may not see where the server's file is",
                "GRANT pg_read_all_settings to it");
  // As root kdb would write where the server's word leads it.
  if (!host::may_trust_with(main, local->pid))
    throw Error(
        Exit::refused,
        fmt::format("--method conf.d: \"{}\" does not belong to the user that the server runs as", main),
        otherwise);
  host::SettingsFile file = host::find_settings_file(main);
  const auto text = host::read_bytes(file.path, main);
  if (text && text->substr(0, text->find('\n')).find(mark) == std::string::npos)
    throw Error(Exit::refused,
                fmt::format("--method conf.d: \"{}\" is there and not of kdb's making", file.path),
                "move it away, or --method alter-system");
  return file;
}

/// The server's own file, if kdb can read it.
std::string readable_auto_conf(const std::optional<LocalServer>& local) {
  if (!local) return {};
  const std::string path = local->data + "/postgresql.auto.conf";
  try {
    return host::read_bytes(path, "") ? path : "";
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

SettingsWriter::SettingsWriter(const Context& context, Session& session, const AskedServer& asked,
                               const std::optional<LocalServer>& local, SettingsMethod method)
    : context_(context), method_(method) {
  if (method == SettingsMethod::conf_d)
    file_ = own_file(asked, local);
  else if (method == SettingsMethod::alter_system)
    auto_conf_ = readable_auto_conf(local);
  if (method == SettingsMethod::alter_system && session.facts.in_recovery)
    throw Error(Exit::refused, "--method alter-system: a standby keeps no journal",
                "--method conf.d on the standby's machine");
}

bool SettingsWriter::is_as_rendered(const AskedServer& asked, const std::vector<SettingLine>& lines) const {
  if (file_.path.empty()) return true;
  std::vector<std::pair<std::string, std::string>> there;
  for (const FileSetting& line : *asked.files.lines)
    if (is_line_of(line.place, file_.path)) there.emplace_back(line.name, line.value);
  // What the server has from elsewhere needs no file.
  if (there.empty()) return true;
  std::vector<std::pair<std::string, std::string>> rendered;
  for (const SettingLine& line : lines) rendered.emplace_back(line.name, line.value);
  return there == rendered;
}

void SettingsWriter::write(const std::vector<SettingLine>& lines, const std::string& conf) {
  if (method_ == SettingsMethod::alter_system) return alter_system(lines);
  std::vector<host::FileEdit> edits = host::edits_for(file_, conf);
  host::make(edits);
  edits_ = std::move(edits);
}

void SettingsWriter::alter_system(const std::vector<SettingLine>& lines) {
  const auto decide = [&](Session& session) {
    const AskedServer asked = ask_server(context_, session, {});
    const Differences found = compare_lines(context_, session, asked, lines).objects;
    if (!found.problems.empty()) throw Error(Exit::refused, found.problems);
    std::vector<Work> work;
    for (const Change& change : found.changes) {
      if (!is_reload(change)) names_.insert(change.object);
      work.push_back({.plan = to_plan(change), .resume = false});
    }
    const auto missing =
        pg::missing_setting_rights(*session.connection, names_, context_.profile.database.role);
    if (!missing.empty()) throw Error(Exit::failed, missing);
    // Under the lock: nothing of other deployers comes between.
    if (!auto_conf_.empty() && !before_) before_ = host::read_bytes(auto_conf_, "");
    return work;
  };
  Deployment(context_, decide).run(open_session(context_));
  after_ = auto_conf_.empty() ? std::nullopt : host::read_bytes(auto_conf_, "");
}

bool SettingsWriter::can_take_back() const {
  return method_ == SettingsMethod::conf_d || !auto_conf_.empty();
}

void SettingsWriter::take_back() {
  if (method_ == SettingsMethod::conf_d) return host::take_back(edits_);
  if (!before_) return;  // nothing was written
  const auto now = host::read_bytes(auto_conf_, "");
  const std::string text =
      without_changes(now.value_or(""), *before_, after_.value_or(now.value_or("")), names_);
  host::make({host::FileEdit{.path = auto_conf_, .before = now, .after = text, .like = {}}});
}

std::vector<std::string> SettingsWriter::written() const {
  std::vector<std::string> texts;
  if (method_ == SettingsMethod::alter_system) return {"postgresql.auto.conf"};
  for (const host::FileEdit& edit : edits_) {
    const std::string backup = host::backup_path(edit);
    texts.push_back(backup.empty() ? edit.path : fmt::format("{} (before: {})", edit.path, backup));
  }
  return texts;
}

}  // namespace kdb::flow
