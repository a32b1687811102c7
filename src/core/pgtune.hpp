#pragma once

#include <string>
#include <vector>

#include "core/formula_input.hpp"

namespace kdb {

/// What pgtune (July 2026) recommends for Linux, in the order and the text that it prints: sizes in the
/// largest of kB, MB and GB that is exact. Reads all but wal_disk. Its `dw` is olap; it knows nothing of
/// timeseries, which is computed as mixed: steady writing beside queries over much of the data. The databases
/// are smaller than memory, up to three times as large, or larger; where that is unknown, the one in the
/// middle, as in its form. -- github.com/le0pard/pgtune, src/features/configuration/configurationSlice.js
std::vector<FormulaValue> pgtune(const FormulaInput& input);

/// Why the tool's form would refuse this input, said behind its name; empty where it would not. The formula
/// has values all the same. That the form takes whole MB of memory only is not counted.
std::string pgtune_problem(const FormulaInput& input);

}  // namespace kdb
