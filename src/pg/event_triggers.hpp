#pragma once

#include <string>
#include <string_view>

namespace kdb::pg {

/// A subquery: the names of the event triggers that would run if one of `tags` (SQL strings, by commas) were
/// tried, NULL where there are none. What they do may reach beyond a transaction that is rolled back;
/// TimescaleDB's own is harmless.
std::string event_triggers_sql(std::string_view tags);

}  // namespace kdb::pg
