#include "pg/copy.hpp"

#include <exception>

#include <libpq-fe.h>

#include "pg/result.hpp"

namespace kdb::pg {

namespace {

/// Reads what the server says until it wants rows, offers some or has said all. A COPY under way gives no
/// end.
ExecStatusType read_results(pg_conn* session) {
  while (PGresult* result = PQgetResult(session)) {
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) return status;
    if (PQstatus(session) != CONNECTION_OK) break;
  }
  return PGRES_COMMAND_OK;
}

/// Whether all went out, up to the end of the source or `reason`. A buffer is sent before the next is made.
bool send_rows(pg_conn* session, const CopySource& source, const std::function<const char*()>& stop,
               const char*& reason) {
  std::string buffer;
  while (reason == nullptr && source(buffer)) {
    if (!buffer.empty() && PQputCopyData(session, buffer.data(), static_cast<int>(buffer.size())) != 1)
      return false;
    buffer.clear();
    reason = stop();
  }
  return true;
}

}  // namespace

CopyFed feed_copy(pg_conn* session, const std::string& sql, const CopySource& source,
                  const std::function<const char*()>& stop) {
  CopyFed fed;
  const auto complain = [&] {
    if (!fed.complaint) fed.complaint = first_line(PQerrorMessage(session));
  };
  if (PQsendQuery(session, sql.c_str()) != 1) {
    complain();
    return fed;
  }
  ExecStatusType status = read_results(session);
  fed.asked = status == PGRES_COPY_IN;
  std::exception_ptr thrown;
  const char* reason = nullptr;
  if (fed.asked) {
    try {
      if (!send_rows(session, source, stop, reason)) complain();
    } catch (...) {
      thrown = std::current_exception();
      reason = "its rows could not be made";
    }
    if (fed.complaint && reason == nullptr) reason = "its rows could not be sent";
  }
  // Also after a failure: a server that ends the session says first why. Of several COPYs one is fed.
  while (status == PGRES_COPY_IN) {
    if (PQputCopyEnd(session, reason) != 1) {
      complain();
      break;
    }
    status = read_results(session);
    reason = "only the first COPY of a statement is fed";
  }
  fed.offers_rows = status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
  if (PQstatus(session) != CONNECTION_OK) complain();
  if (thrown) std::rethrow_exception(thrown);
  return fed;
}

}  // namespace kdb::pg
