#pragma once

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <random>
#include <string>

#include <doctest/doctest.h>

namespace kdb::test {

/// How many cases a property test tries: KDB_CASES, else 200.
inline int cases() {
  const char* value = std::getenv("KDB_CASES");
  return value == nullptr ? 200 : std::stoi(value);
}

/// How often a simulation is repeated whose figures are judged. A run of fewer cases repeats a twentieth, for
/// the sanitizers, and judges nothing: the figures would say less than they promise.
struct Rounds {
  int count = 0;
  bool judged = false;
};
inline Rounds rounds(int all) {
  if (cases() < 200) return {.count = std::max(all / 20, 1), .judged = false};
  return {.count = all, .judged = true};
}

/// The seed of a property test: KDB_SEED, else a new one. Capture it, so that a failure names it.
inline unsigned seed() {
  const char* value = std::getenv("KDB_SEED");
  return value == nullptr ? std::random_device{}() : static_cast<unsigned>(std::stoul(value));
}

/// Of the places at which a test does harm, a short run takes one in KDB_HARM_EVERY, else each: from one on
/// that the seed decides, so that no two runs take the same.
inline unsigned harm_every() {
  const char* value = std::getenv("KDB_HARM_EVERY");
  return value == nullptr ? 1 : static_cast<unsigned>(std::stoul(value));
}

/// Visits one in so many of the rows, and at least one.
template <class Rows, class Visit>
void for_some(const Rows& rows, const Visit& visit) {
  const unsigned first = seed();
  CAPTURE(first);
  const size_t every = std::min<size_t>(harm_every(), std::size(rows));
  for (size_t at = first % every; at < std::size(rows); at += every) visit(rows[at]);
}

}  // namespace kdb::test
