#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "core/block_order.hpp"
#include "core/paired_ratio.hpp"

namespace kdb::test {

/// A machine that disturbs what is measured on it, as real ones do. Deviations are of log times.
struct NoisyMachine {
  double block_noise = 0.02;      // of one variant within one block, beyond what its executions differ
  double execution_noise = 0.05;  // of one execution
  double memory = 0.7;            // how much of an execution's deviation the next one keeps
  double spikes = 0.05;           // part of the executions that something else delays, by twice on average
  double bad_blocks =
      0.02;             // part of the blocks of one variant that are disturbed as a whole, by 20 % on average
  double drift = 0.10;  // from the first block to the last
  int executions = 7;   // per block and variant
};

class SimulatedTimes {
 public:
  SimulatedTimes(unsigned seed, const NoisyMachine& machine) : random_(seed), machine_(machine) {}

  /// B takes `ratio` times A's time.
  std::vector<BlockTimes> query(double a_ms, double ratio, int blocks) {
    std::vector<BlockTimes> times;
    const auto orders = block_orders(2, static_cast<size_t>(blocks), random_());
    for (int block = 0; block < blocks; ++block) {
      double measured[2] = {0, 0};
      for (size_t place = 0; place < 2; ++place) {
        const size_t variant = orders[static_cast<size_t>(block)][place];
        const double elapsed = (2.0 * block + static_cast<double>(place)) / (2.0 * blocks);
        measured[variant] = median(std::log(variant == 0 ? a_ms : a_ms * ratio) + machine_.drift * elapsed);
      }
      times.push_back({.a_ms = measured[0], .b_ms = measured[1]});
    }
    return times;
  }

  /// As many queries, of 0.3 ms to 3 s.
  std::vector<QueryBlocks> queries(int count, double ratio, int blocks) {
    std::vector<QueryBlocks> all;
    for (int at = 0; at < count; ++at)
      all.push_back({.blocks = query(0.3 * std::pow(10, 4.0 * unit()), ratio, blocks)});
    return all;
  }

  double unit() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  double normal() { return std::normal_distribution<double>(0, 1)(random_); }

 private:
  double median(double log_ms) {
    log_ms += machine_.block_noise * normal();
    if (unit() < machine_.bad_blocks) log_ms += std::log1p(exponential() * 0.2);
    double deviation = normal();
    std::vector<double> times;
    for (int i = 0; i < machine_.executions; ++i) {
      deviation = machine_.memory * deviation + std::sqrt(1 - machine_.memory * machine_.memory) * normal();
      const double spike = unit() < machine_.spikes ? std::log1p(exponential()) : 0;
      times.push_back(std::exp(log_ms + machine_.execution_noise * deviation + spike));
    }
    return median_of(std::move(times));
  }

  double exponential() { return std::exponential_distribution<double>(1)(random_); }

  std::mt19937 random_;
  NoisyMachine machine_;
};

}  // namespace kdb::test
