#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/object.hpp"

namespace kdb::sql {
class Words;
}

namespace kdb {

/// What must be true of a query's plan, or of a run of it.
struct Expectation {
  enum class Kind {
    index,             // it uses this index, of its table or of a part of it
    no_seq_scan,       // it reads neither this table nor a part of it from one end to the other
    no_sort,           // nothing is sorted
    no_temp_files,     // nothing is written to temporary files
    max_rows_removed,  // fewer rows than `limit` are read and thrown away by a filter
    max_buffers,       // fewer pages than `limit` are looked at, in shared buffers or read into them
    max_chunks,        // fewer chunks or partitions than `limit` are touched
  };

  Kind kind = Kind::no_sort;
  ObjectName object;       // the index or the table
  std::int64_t limit = 0;  // the number that it has to stay below
  std::string text;        // as the profile has it
  Source where;

  bool operator==(const Expectation&) const = default;
};

/// Whether only a run of the query can tell, and no plan of it. `max_chunks` may be told by either.
bool needs_run(Expectation::Kind kind);

/// What is wrong with an expectation, and what was meant.
struct ExpectationProblem {
  std::string message;
  std::string hint;
};

/// Reads `index:NAME`, `no seq scan on TABLE`, `no sort`, `no temp files`, `rows removed by filter < N`,
/// `buffers < N` or `chunks < N` into everything but `where`. Words in any case; N may have `_` or `,`
/// between its digits. Names without a schema mean `schema`.
std::optional<ExpectationProblem> parse_expectation(std::string_view text, std::string_view schema,
                                                    Expectation& expectation);

/// A query of the application, as a profile declares it: `[queries.NAME]`.
struct DeclaredQuery {
  std::string name;
  std::string sql;
  std::vector<std::string> parameters;  // $1 and on, as text: the server gives them their types
  double weight = 1;                    // how often it runs, compared with the others
  std::optional<std::chrono::milliseconds> max_latency;
  std::vector<Expectation> expects;
  Source where;             // of its table
  Source sql_where;         // of `sql`
  Source parameters_where;  // of `parameters`
  Source latency_where;     // of `max_latency`
  bool absent = false;      // state = "absent": a file that is extended declares it, and this one does not

  bool operator==(const DeclaredQuery&) const = default;
};

/// Why a query cannot be asked, one entry for each reason: it is not one statement, it does not only read, or
/// its parameters are not those that it is given.
std::vector<Problem> check(const DeclaredQuery& query);

/// Why a statement is none that a profile may declare, as `changes data: …`; empty where it only reads.
std::string why_no_read(const sql::Words& words);

}  // namespace kdb
