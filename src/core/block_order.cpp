#include "core/block_order.hpp"

#include <numeric>
#include <utility>

#include "base/seeded_random.hpp"

namespace kdb {

namespace {

/// Fisher and Yates, as Durstenfeld has it.
std::vector<size_t> shuffled_numbers(size_t count, SeededRandom& random) {
  std::vector<size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  for (size_t left = count; left > 1; --left) std::swap(numbers[left - 1], numbers[random.below(left)]);
  return numbers;
}

/// 0, 1, n-1, 2, n-2 …: its neighbours' differences are all different, if n is even; the rows of a Williams
/// square are this one with a number added to each, modulo n.
size_t zigzag(size_t place, size_t count) {
  const size_t step = (place + 1) / 2;
  return place % 2 == 1 ? step : (count - step) % count;
}

}  // namespace

std::vector<std::vector<size_t>> block_orders(size_t variants, size_t blocks, std::uint64_t seed) {
  std::vector<std::vector<size_t>> orders(blocks);
  if (variants == 0) return orders;
  SeededRandom random(seed);
  std::vector<size_t> names;
  std::vector<size_t> rows;
  for (size_t block = 0; block < blocks; ++block) {
    const size_t square = block / variants;
    const bool mirrored = variants % 2 == 1 && square % 2 == 1;  // completes the square before it
    if (block % variants == 0) {
      if (!mirrored) names = shuffled_numbers(variants, random);
      rows = shuffled_numbers(variants, random);
    }
    for (size_t at = 0; at < variants; ++at) {
      const size_t place = mirrored ? variants - 1 - at : at;
      orders[block].push_back(names[(zigzag(place, variants) + rows[block % variants]) % variants]);
    }
  }
  return orders;
}

}  // namespace kdb
