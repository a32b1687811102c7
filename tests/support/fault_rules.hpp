#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "support/fault_proxy.hpp"

namespace kdb::test {

/// Which queries have come, and which rule concerns the next one. For any number of threads.
class RuleBook {
 public:
  void add(FaultProxy::Rule rule);
  /// Numbers the query and finds its rule.
  std::optional<FaultProxy::Rule> take(const FaultProxy::Query& query);
  void count_fired();
  void count_cancel();
  void reset();

  int fired() const;
  int cancels() const;
  std::vector<FaultProxy::Query> queries() const;

 private:
  mutable std::mutex mutex_;
  std::vector<FaultProxy::Rule> rules_;
  std::vector<FaultProxy::Query> queries_;
  int fired_ = 0;
  int cancels_ = 0;
};

}  // namespace kdb::test
