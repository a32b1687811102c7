#pragma once

namespace kdb {

/// How many repetitions many units of work may have together: a token bucket. Each unit that is begun earns
/// `ratio` of a repetition, each repetition costs one, and no more than `burst` are saved up. So a server
/// that is overloaded gets at most `ratio` more work, however many clients it fails (Finagle's RetryBudget;
/// Google SRE book, ch. 21). One thread at a time.
class RetryBudget {
 public:
  /// A new one has `burst` saved up, so that a single failure early on is repeated.
  explicit RetryBudget(double ratio = 0.1, double burst = 10);

  /// A unit of work is begun.
  void earn();
  /// Whether one more repetition is within the budget; takes it if so.
  bool spend();
  double saved() const { return saved_; }

 private:
  double ratio_;
  double burst_;
  double saved_;
};

}  // namespace kdb
