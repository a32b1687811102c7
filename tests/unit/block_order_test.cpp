#include "core/block_order.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "support/cases.hpp"

namespace kdb::block_order_test {

namespace {

using Orders = std::vector<std::vector<size_t>>;

/// How often each variant stands at each place.
std::vector<std::vector<size_t>> places(const Orders& orders, size_t variants) {
  std::vector<std::vector<size_t>> found(variants, std::vector<size_t>(variants));
  for (const auto& order : orders)
    for (size_t place = 0; place < order.size(); ++place) ++found[order[place]][place];
  return found;
}

}  // namespace

TEST_CASE("each block measures each variant once, and each stands at each place as often as can be") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  for (size_t variants = 1; variants <= 7; ++variants)
    for (size_t blocks = 0; blocks <= 20; ++blocks) {
      CAPTURE(variants);
      CAPTURE(blocks);
      const Orders orders = block_orders(variants, blocks, seed);
      REQUIRE(orders.size() == blocks);
      for (auto order : orders) {
        std::sort(order.begin(), order.end());
        for (size_t at = 0; at < variants; ++at) REQUIRE(order[at] == at);
        REQUIRE(order.size() == variants);
      }
      for (const auto& counts : places(orders, variants))
        for (const size_t count : counts) {
          CHECK(count >= blocks / variants);
          CHECK(count <= (blocks + variants - 1) / variants);
        }
    }
}

TEST_CASE("each variant follows each other one equally often") {
  for (size_t variants = 2; variants <= 7; ++variants) {
    CAPTURE(variants);
    std::map<std::pair<size_t, size_t>, size_t> follows;
    const size_t blocks = variants % 2 == 0 ? variants : 2 * variants;
    for (const auto& order : block_orders(variants, blocks, test::seed()))
      for (size_t at = 1; at < variants; ++at) ++follows[{order[at - 1], order[at]}];
    CHECK(follows.size() == variants * (variants - 1));
    for (const auto& pair : follows) CHECK(pair.second == blocks / variants);
  }
}

TEST_CASE("two blocks of two variants are ABBA or BAAB, and the seed decides which") {
  std::set<Orders> seen;
  for (unsigned seed = 0; seed < 64; ++seed) {
    const Orders orders = block_orders(2, 4, seed);
    CHECK(orders[0] != orders[1]);
    CHECK(orders[2] != orders[3]);
    CHECK(orders == block_orders(2, 4, seed));
    seen.insert(orders);
  }
  CHECK(seen.size() == 4);
}

TEST_CASE("no variants and no blocks are no orders") {
  CHECK(block_orders(0, 3, 1) == Orders(3));
  CHECK(block_orders(3, 0, 1).empty());
}

}  // namespace kdb::block_order_test
