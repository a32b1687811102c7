#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kdb {

/// In which order each block measures the variants (0 .. variants - 1): a random permutation of all of them,
/// the same for the same seed. Within each run of as many blocks as there are variants, counted from the
/// first block, each variant stands at each place once, so that drift within a block favours none; two such
/// blocks of two variants are ABBA or BAAB. With an even number of variants each also follows each other one
/// once (E. J. Williams, Experimental designs balanced for the estimation of residual effects, 1949); with an
/// odd one, twice in two such runs. Blocks left over at the end cannot be balanced: no variant stands at a
/// place more than once oftener than another.
std::vector<std::vector<size_t>> block_orders(size_t variants, size_t blocks, std::uint64_t seed);

}  // namespace kdb
