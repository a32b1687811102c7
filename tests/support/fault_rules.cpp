#include "support/fault_rules.hpp"

#include <string>
#include <utility>

namespace kdb::test {

void RuleBook::add(FaultProxy::Rule rule) {
  const std::lock_guard lock(mutex_);
  rules_.push_back(std::move(rule));
}

std::optional<FaultProxy::Rule> RuleBook::take(const FaultProxy::Query& query) {
  const std::lock_guard lock(mutex_);
  queries_.push_back(query);
  const int number = static_cast<int>(queries_.size());
  for (auto rule = rules_.begin(); rule != rules_.end(); ++rule) {
    if (rule->number != 0 && rule->number != number) continue;
    if (query.sql.find(rule->contains) == std::string::npos) continue;
    const FaultProxy::Rule taken = *rule;
    if (rule->once) rules_.erase(rule);
    return taken;
  }
  return std::nullopt;
}

void RuleBook::count_fired() {
  const std::lock_guard lock(mutex_);
  ++fired_;
}

void RuleBook::count_cancel() {
  const std::lock_guard lock(mutex_);
  ++cancels_;
}

void RuleBook::reset() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
  queries_.clear();
  fired_ = 0;
  cancels_ = 0;
}

int RuleBook::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

int RuleBook::cancels() const {
  const std::lock_guard lock(mutex_);
  return cancels_;
}

std::vector<FaultProxy::Query> RuleBook::queries() const {
  const std::lock_guard lock(mutex_);
  return queries_;
}

}  // namespace kdb::test
