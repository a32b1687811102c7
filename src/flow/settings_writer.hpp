#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flow/asked_server.hpp"
#include "flow/settings_trial.hpp"
#include "flow/tune_apply.hpp"
#include "host/file_edit.hpp"
#include "host/settings_file.hpp"

namespace kdb::flow {

/// What is written of a server's settings, and how that is undone.
class SettingsWriter {
 public:
  /// Finds out what would be written; throws Error(refused) or Error(failed) where that cannot be done.
  SettingsWriter(const Context& context, Session& session, const AskedServer& asked,
                 const std::optional<LocalServer>& local, SettingsMethod method);

  /// Whether kdb's own file has just these lines, and the server reads it; true where kdb has no file.
  bool is_as_rendered(const AskedServer& asked, const std::vector<SettingLine>& lines) const;
  /// kdb's own file; empty where it has none.
  const std::string& file() const { return file_.path; }
  /// `conf`: the file's text. What was written where that throws can be taken back.
  void write(const std::vector<SettingLine>& lines, const std::string& conf);
  /// Whether all of it can be put back without the server's help.
  bool can_take_back() const;
  /// Puts the files back as they were.
  void take_back();
  /// What was written, and where the bytes before are kept.
  std::vector<std::string> written() const;

 private:
  void alter_system(const std::vector<SettingLine>& lines);

  const Context& context_;
  SettingsMethod method_;
  host::SettingsFile file_;
  std::string auto_conf_;              // empty where kdb cannot read it
  std::vector<host::FileEdit> edits_;  // of files of kdb's way
  std::optional<std::string> before_;  // postgresql.auto.conf; nothing: not written yet, or not to be read
  std::optional<std::string> after_;
  std::set<std::string> names_;  // of the settings in there that are changed
};

}  // namespace kdb::flow
