#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kinds/index.hpp"
#include "kinds/statistics.hpp"

namespace kdb::pg {

/// Whether the server need not be asked: what it would print is what it printed of the live object, byte for
/// byte.
bool is_as_live(const Index& declared, const Index& live);
bool is_as_live(const Statistics& declared, const Statistics& live);

/// What is written another way than the live object has it and means the same, written as there: parameters,
/// which the catalog keeps as somebody wrote them.
void spell_as_live(Index& declared, const Index& live);
inline void spell_as_live(Statistics&, const Statistics&) {}

/// The statement that makes it on a copy of its table; both names as SQL.
std::string create_on_copy(const Index& index, std::string_view name, std::string_view copy);
std::string create_on_copy(const Statistics& statistics, std::string_view name, std::string_view copy);

/// The declared object with its SQL as the server printed it of the one on the copy.
Index with_definition(Index declared, const Index& made);
Statistics with_definition(Statistics declared, const Statistics& made);

/// The object without one of its fields (or with one that cannot be wrong), to find the field that the server
/// refuses; in the order in which to try. What is left if it is none of them is `last_suspect`.
template <class T>
using Suspects = std::vector<std::pair<std::string_view, T>>;
Suspects<Index> suspects(const Index& index);
Suspects<Statistics> suspects(const Statistics& statistics);
std::string_view last_suspect(const Index& index);
std::string_view last_suspect(const Statistics& statistics);

/// Whether a fragment has its table's own name in it: `t.*`, `f(t)`, `public.t.a`, `NULL::t`. The copy has
/// that name, but is another table, of another row type.
bool names_table(const Index& index);
bool names_table(const Statistics& statistics);

}  // namespace kdb::pg
