#include "model/change.hpp"

namespace kdb {

std::string_view to_string(Action action) {
  switch (action) {
    case Action::run:
      return "run";
    case Action::create:
      return "create";
    case Action::alter:
      return "alter";
    case Action::replace:
      return "replace";
    case Action::rename:
      return "rename";
    case Action::repair:
      return "repair";
    case Action::drop:
      return "drop";
  }
  return {};
}

std::string_view to_string(LockMode mode) {
  switch (mode) {
    case LockMode::none:
      return "none";
    case LockMode::access_share:
      return "ACCESS SHARE";
    case LockMode::row_share:
      return "ROW SHARE";
    case LockMode::row_exclusive:
      return "ROW EXCLUSIVE";
    case LockMode::share_update_exclusive:
      return "SHARE UPDATE EXCLUSIVE";
    case LockMode::share:
      return "SHARE";
    case LockMode::share_row_exclusive:
      return "SHARE ROW EXCLUSIVE";
    case LockMode::exclusive:
      return "EXCLUSIVE";
    case LockMode::access_exclusive:
      return "ACCESS EXCLUSIVE";
  }
  return {};
}

std::string_view blocked_by(LockMode mode) {
  if (mode < LockMode::share) return "neither reads nor writes";
  return mode == LockMode::access_exclusive ? "reads and writes" : "writes";
}

std::string_view to_string(Finding::Level level) {
  switch (level) {
    case Finding::Level::error:
      return "error";
    case Finding::Level::warning:
      return "warning";
    case Finding::Level::note:
      return "note";
  }
  return {};
}

}  // namespace kdb
