#include "model/history.hpp"

namespace kdb {

std::string history_key(MigrationKind kind, const Version& version, std::string_view name) {
  switch (kind) {
    case MigrationKind::versioned: return version.key_text();
    case MigrationKind::repeatable: return "R:" + std::string(name);
    case MigrationKind::baseline: return "B:" + version.key_text();
  }
  return {};
}

}  // namespace kdb
