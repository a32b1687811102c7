#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kdb::sql {

/// What takes the parser more memory than a statement is worth is not compared.
inline constexpr size_t longest_fingerprinted = size_t{256} * 1024;  // bytes

/// The same for statements that differ in no more than white space, case, constants, which of them are
/// parameters, and what these are cast to: as pg_stat_statements has them and as applications write them.
/// Nothing for what this kdb's grammar does not know, for several statements or none, and for what is too
/// long. Texts of a stranger are safe.
std::optional<std::string> fingerprint(std::string_view statement);

}  // namespace kdb::sql
