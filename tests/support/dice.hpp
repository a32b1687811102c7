#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace kdb::test {

/// Chooses at random, the same for the same seed.
class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}

  size_t pick(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }
  bool chance(size_t percent) { return pick(100) < percent; }
  template <class T = std::string>
  T one_of(std::vector<T> words) {
    return words[pick(words.size())];
  }

 private:
  std::mt19937 random_;
};

}  // namespace kdb::test
