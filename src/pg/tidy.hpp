#pragma once

#include <exception>
#include <string_view>

#include "pg/connection.hpp"

namespace kdb::pg {

/// exec_cleanup where a failure concerns nobody any more: the error that led here is the one to report. An
/// empty result if it failed.
inline Result tidy(Connection& connection, std::string_view sql) {
  try {
    return connection.exec_cleanup(sql);
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace kdb::pg
