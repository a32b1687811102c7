#pragma once

#include <string>

#include "flow/session.hpp"
#include "model/report.hpp"

namespace kdb::flow {

struct AdoptOptions {
  std::string tool;   // dbmate, goose, golang-migrate, flyway
  std::string table;  // [SCHEMA.]TABLE; empty: the tool's default
};

/// Takes over another tool's history: every migration that it says is applied counts as applied here, with
/// the text of today's file. Runs nothing and leaves the other tool's table alone. Throws Error(history) for
/// a dirty state, checksums that differ, and applied versions without a file; Error(refused) if kdb's history
/// is not empty.
Report adopt(const Context& context, const AdoptOptions& options);

}  // namespace kdb::flow
