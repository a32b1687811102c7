#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/setting_value.hpp"
#include "kinds/declared.hpp"
#include "model/live_setting.hpp"
#include "pg/connection.hpp"

namespace kdb::pg {

/// All that the session's role may see.
class ServerSettings {
 public:
  explicit ServerSettings(Connection& connection);

  /// Null where there is none; the case of the name does not count.
  const ServerSetting* find(std::string_view name) const;
  std::vector<std::string_view> names() const;
  /// Whether the server may take a name that it does not show: one that only superusers see, or one whose
  /// prefix belongs to nobody. Not one of earlier versions, under which nothing is kept.
  bool may_exist(std::string_view name) const;
  /// The name that was most likely meant.
  std::optional<std::string_view> suggestion(std::string_view name) const;

 private:
  Connection& connection_;
  std::map<std::string, ServerSetting, std::less<>> by_name_;  // in lower case
};

/// The files and ALTER ROLE, ALTER DATABASE … SET.
ServerFiles read_server_files(Connection& connection);

/// What the server makes of a value that a session is given, or says against it.
struct JudgedValue {
  std::string kept;
  std::optional<ServerError> error;
};

/// Of names and values, in a transaction that is rolled back. Throws ServerError only where the session ends.
std::vector<JudgedValue> judge_values(Connection& connection,
                                      const std::vector<std::pair<std::string, std::string>>& values);

/// Gives the declared settings of roles and databases their names and types as the server has them, and says
/// what is wrong with them on this server: a name that it does not know, a value that it does not take, one
/// that sessions cannot have of their own. Reads nothing where none is declared.
std::vector<Problem> complete_settings(Connection& connection, DesiredSchema& desired);

}  // namespace kdb::pg
