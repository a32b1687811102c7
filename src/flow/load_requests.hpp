#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/histogram.hpp"
#include "core/load_report.hpp"

namespace kdb::flow {

using LoadClock = std::chrono::steady_clock;

/// One that a load makes.
struct Request {
  size_t query = 0;
  LoadClock::time_point start;  // when it was to begin
};

/// Requests that are due, for whoever is free. Nothing is ever left out: who comes late says so.
class RequestQueue {
 public:
  void push(Request request) {
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    due_.notify_one();
  }
  /// Nothing when there will be none.
  std::optional<Request> pop() {
    std::unique_lock lock(mutex_);
    due_.wait(lock, [&] { return !requests_.empty() || ended_; });
    if (requests_.empty()) return std::nullopt;
    const Request request = requests_.front();
    requests_.pop_front();
    return request;
  }
  /// Those that are due are still given out; with `at_once` they are not.
  void end(bool at_once) {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      if (at_once) requests_.clear();
    }
    due_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable due_;
  std::deque<Request> requests_;
  bool ended_ = false;
};

/// What the workers of one step have measured.
class Tally {
 public:
  explicit Tally(std::vector<LoadQuery>& queries) : queries_(queries) {}

  /// Once for each request: it has a connection, or goes without.
  void begin() { ++begun_; }
  std::uint64_t begun() const { return begun_; }
  void add(size_t query, const LoadCounts& counts, LoadClock::duration latency) {
    const auto time = std::chrono::duration_cast<std::chrono::microseconds>(latency);
    const std::lock_guard lock(mutex_);
    counts_.add(counts);
    latency_.record(time);
    queries_[query].counts.add(counts);
    queries_[query].latency.record(time);
  }
  LoadCounts counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  Histogram latency() const {
    const std::lock_guard lock(mutex_);
    return latency_;
  }
  /// The first error that was none of the server's.
  void fail(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  void rethrow() const {
    const std::lock_guard lock(mutex_);
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::atomic<std::uint64_t> begun_ = 0;
  mutable std::mutex mutex_;
  std::vector<LoadQuery>& queries_;
  LoadCounts counts_;
  Histogram latency_;
  std::exception_ptr error_;
};

}  // namespace kdb::flow
