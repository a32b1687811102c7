#pragma once

#include <string>

namespace kdb::test {

/// What stands at `pointer` (RFC 6901) in the JSON document `text`, as JSON without spaces and with sorted
/// keys; "" where nothing does. The tests' only way to JSON: its header alone takes longer to compile than
/// most of them.
std::string json_at(const std::string& text, const std::string& pointer);

}  // namespace kdb::test
