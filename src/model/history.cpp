#include "model/history.hpp"

#include <fmt/format.h>

namespace kdb {

std::string_view to_string(MigrationKind kind) {
  switch (kind) {
    case MigrationKind::versioned:
      return "versioned";
    case MigrationKind::repeatable:
      return "repeatable";
    case MigrationKind::baseline:
      return "baseline";
  }
  return {};
}

std::string history_key(MigrationKind kind, const Version& version, std::string_view name) {
  switch (kind) {
    case MigrationKind::versioned:
      return version.key_text();
    case MigrationKind::repeatable:
      return "R:" + std::string(name);
    case MigrationKind::baseline:
      return "B:" + version.key_text();
  }
  return {};
}

std::string to_string(const SectionOptions& options) {
  std::string text;
  const auto add = [&](std::string word) { text += (text.empty() ? "" : " ") + word; };
  if (options.transaction) add(fmt::format("transaction:{}", *options.transaction));
  if (options.lock_timeout) add(fmt::format("lock_timeout:{}ms", options.lock_timeout->count()));
  if (options.statement_timeout)
    add(fmt::format("statement_timeout:{}ms", options.statement_timeout->count()));
  for (const std::string& allowed : options.allow) add("allow:" + allowed);
  return text;
}

}  // namespace kdb
