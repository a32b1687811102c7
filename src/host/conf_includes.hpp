#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kdb::host {

/// A line of a configuration file of PostgreSQL's that has others read.
struct ConfInclude {
  bool folder = false;  // include_dir; else include or include_if_exists
  std::string value;    // as it is meant, without quotes and escapes

  bool operator==(const ConfInclude&) const = default;
};

/// Those of a file, in its order, as the server reads them: guc-file.l and DeescapeQuotedString. A line with
/// a syntax error is none.
std::vector<ConfInclude> conf_includes(std::string_view text);

}  // namespace kdb::host
