#pragma once

#include <string>

#include "model/query_statistics.hpp"

namespace kdb {

/// What the text of a counted statement says.
struct CountedText {
  /// On one line or many, without the comments before it. Of what is neither a read nor INSERT, UPDATE,
  /// DELETE or MERGE only the command and its object: of these the server keeps the constants, and a password
  /// may be one (PG docs, pg_stat_statements).
  std::string shown;
  bool explain = false;  // it asks for a plan: kdb explain does, and people do
  bool reads = false;    // it is one that a profile may declare …
  bool rows = false;  // … and worth it: it reads a table or view that is not the server's or a tool's own
  bool catalog = false;  // what it reads is: kdb's statements, and those of what watches the server
};

CountedText read_counted_text(const CountedStatement& statement);

}  // namespace kdb
