#pragma once

#include <functional>
#include <optional>
#include <string>

struct pg_conn;

namespace kdb::pg {

/// Where the rows of a COPY come from: appends some of them, in the format that the statement names, to an
/// empty buffer of at most 1 GB; false where there are no more. It may throw.
using CopySource = std::function<bool(std::string& buffer)>;

/// How a COPY was fed.
struct CopyFed {
  bool asked = false;                    // the server wanted rows
  bool offers_rows = false;              // the server wants to send some, and goes on only when they are read
  std::optional<std::string> complaint;  // what libpq says if it is not content
};

/// Runs `COPY … FROM STDIN` and feeds it: what the server says of it comes by libpq's events. Between two
/// buffers it asks `stop`, and ends the COPY there with that reason, which the server gives back as 57014.
/// What the source throws ends it in the same way, and flies on. Only for Connection.
CopyFed feed_copy(pg_conn* session, const std::string& sql, const CopySource& source,
                  const std::function<const char*()>& stop);

}  // namespace kdb::pg
