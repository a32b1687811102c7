#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/reference_ids.hpp"

namespace kdb {

/// The tables of the reference database, those that others speak of first.
enum class ReferenceTable { metrics, campaigns, profiles, events };

const std::vector<ReferenceTable>& reference_tables();
/// `klaviyo_events`
std::string_view to_string(ReferenceTable table);
std::optional<ReferenceTable> reference_table(std::string_view name);
/// Those that rows give a value for, as SQL has them: `id, name, …`.
std::string_view columns_of(ReferenceTable table);

/// What is generated. The same values give the same bytes, on every machine.
struct ReferenceData {
  std::int64_t events = 1'000'000;  // up to 2^31 - 1
  std::uint64_t seed = 1;           // ids do not depend on it, everything else does
  // Of what comes on top of a database that has data: the first event's ordinal, and the time of which they
  // are (a full hour, seconds since 1970 UTC).
  std::int64_t first_event = 0;
  std::int64_t start = reference_start();
  int days = reference_days;
  std::int64_t profiles = 0;  // 0: one for 25 events, and 1,000 at least

  std::int64_t rows(ReferenceTable table) const;
};

/// The rows of one table in COPY's text format, as they would arrive. Memory does not depend on how many
/// there are.
class ReferenceRows {
 public:
  ReferenceRows(ReferenceTable table, const ReferenceData& data);

  /// Appends the next rows, at most so many, each with its line feed; how many: 0 behind the last one.
  std::int64_t append(std::string& buffer, std::int64_t most);

 private:
  std::function<void(std::string&, std::int64_t)> write_;  // one row, by its ordinal
  std::int64_t next_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace kdb
