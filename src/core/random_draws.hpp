#pragma once

#include <cstdint>
#include <iterator>

namespace kdb {

/// Another number for each number: a bijection of 64 bits, the last step of splitmix64 (Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", 2014).
constexpr std::uint64_t scramble(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15U;
  number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9U;
  number = (number ^ (number >> 27U)) * 0x94d049bb133111ebU;
  return number ^ (number >> 31U);
}

/// Random numbers by integers alone: the same for the same seed on every machine, which the distributions of
/// the standard library are not. splitmix64, whose period is 2^64.
class Draws {
 public:
  /// Streams of one seed have nothing to do with each other.
  Draws(std::uint64_t seed, std::uint64_t stream) : state_(scramble(scramble(seed) ^ stream)) {}

  std::uint64_t bits() {
    const std::uint64_t drawn = scramble(state_);
    state_ += 0x9e3779b97f4a7c15U;
    return drawn;
  }
  /// From 0 to `bound` - 1, each as likely as the others but for `bound` in 2^32; `bound` is at most 2^32.
  std::uint64_t below(std::uint64_t bound) { return ((bits() >> 32U) * bound) >> 32U; }
  bool chance(std::uint64_t in_a_million) { return below(1'000'000) < in_a_million; }
  template <class List>
  const auto& one_of(const List& list) {
    return list[below(std::size(list))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace kdb
