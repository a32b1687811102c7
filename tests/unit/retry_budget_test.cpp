#include "base/retry_budget.hpp"

#include <doctest/doctest.h>

namespace kdb::retry_budget_test {

TEST_CASE("repetitions are at most a tenth of the work, beyond what was saved up") {
  RetryBudget budget(0.1, 10);
  int repeated = 0;
  for (int i = 0; i < 10'000; ++i) {
    budget.earn();
    while (budget.spend()) ++repeated;  // everything fails, always
  }
  CHECK(repeated >= 1'000);
  CHECK(repeated <= 1'010);
}

TEST_CASE("no more than the burst is saved up") {
  RetryBudget budget(0.5, 3);
  CHECK(budget.saved() == 3);
  for (int i = 0; i < 100; ++i) budget.earn();
  for (int i = 0; i < 3; ++i) CHECK(budget.spend());
  CHECK_FALSE(budget.spend());
  budget.earn();
  CHECK_FALSE(budget.spend());
  budget.earn();
  CHECK(budget.spend());
}

TEST_CASE("ten tenths are one") {
  RetryBudget budget(0.1, 1);
  CHECK(budget.spend());
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(budget.spend());
    budget.earn();
  }
  CHECK(budget.spend());
}

TEST_CASE("a budget of nothing repeats nothing") {
  for (RetryBudget budget : {RetryBudget(0, 0), RetryBudget(-1, -1)}) {
    budget.earn();
    CHECK_FALSE(budget.spend());
  }
}

}  // namespace kdb::retry_budget_test
