#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kdb::test {

using Settings = std::map<std::string, std::string>;

/// What a server reads of a postgresql.conf, by the rules of guc-file.l: values without quotes and escapes.
/// Throws std::runtime_error, which names the line, where the server would find a syntax error.
Settings read_conf(std::string_view text);

/// The leaves of a YAML document by their path (`spec/postgresql/parameters/work_mem`), items of a list in
/// order under the list's own. Knows block mappings and lists of strings in double quotes, and nothing else;
/// lines end where YAML 1.1 ends them. Throws std::runtime_error for anything else, and for what no document
/// may hold.
std::vector<std::pair<std::string, std::string>> read_yaml(std::string_view text);

/// What `ALTER SYSTEM SET name = …;` lines set: the literals of each, in order. Throws std::runtime_error for
/// any other line but comments and `SELECT pg_reload_conf();`.
std::map<std::string, std::vector<std::string>> read_alter_system(std::string_view text);

}  // namespace kdb::test
