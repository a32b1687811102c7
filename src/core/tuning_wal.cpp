#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/tuning_rules.hpp"

namespace kdb {

namespace {

std::optional<Advice> checkpoint_timeout(const Sizing&) {
  return Advice{"15min",
                "each checkpoint makes WAL of whole pages; after a crash up to this much is replayed"};
}

double wal_of_workload(const Sizing& sizing) {
  switch (sizing.facts.workload.value) {
    case Workload::olap:
    case Workload::timeseries:
      return 16 * gigabyte;
    case Workload::oltp:
      return 8 * gigabyte;
    case Workload::web:
    case Workload::mixed:
      return 4 * gigabyte;
  }
  return 4 * gigabyte;
}

/// A machine with little memory has little disk for WAL, too.
double usual_wal(const Sizing& sizing) {
  const double of_workload = wal_of_workload(sizing);
  if (!sizing.facts.memory) return of_workload;
  return std::clamp(2 * sizing.memory(), gigabyte, of_workload);
}

double two_segments(const Sizing& sizing) { return 2 * sizing.bytes("wal_segment_size"); }

/// Checkpoints are to come by time and not because WAL is full: the server begins one when the WAL since the
/// last reaches max_wal_size / (1 + checkpoint_completion_target). A rate only ever asks for more: that of an
/// idle server or a standby says nothing of the next load.
std::optional<Advice> max_wal_size(const Sizing& sizing) {
  constexpr double of_the_disk = 0.3;
  constexpr double whole_cycle = 2;  // 1 + checkpoint_completion_target, rounded up
  double bytes = std::max(usual_wal(sizing), two_segments(sizing));
  std::string reason =
      fmt::format("usual for {}{}", to_string(sizing.facts.workload.value),
                  usual_wal(sizing) < wal_of_workload(sizing) ? ", cut to twice the memory" : "");
  if (const auto& rate = sizing.facts.wal_rate) {
    const double by_rate =
        std::ceil(*rate * sizing.number("checkpoint_timeout") * whole_cycle / gigabyte) * gigabyte;
    reason += fmt::format("; the server writes {}/s on average", people(*rate));
    if (by_rate > bytes) {
      bytes = by_rate;
      reason = fmt::format("{}/s of WAL x {} x 2: checkpoints come by time", people(*rate),
                           sizing.text("checkpoint_timeout"));
    }
  } else if (!sizing.is_asked()) {
    reason += "; no server was asked how much WAL it writes";
  }
  const double now = sizing.is_set("max_wal_size") ? sizing.current_bytes("max_wal_size") : 0;
  if (now > bytes) {
    bytes = now;
    reason = "as the server has it: kdb takes none away";
  }
  if (const auto& disk = sizing.facts.wal_disk; disk && bytes > of_the_disk * static_cast<double>(*disk)) {
    bytes = std::max(two_segments(sizing), of_the_disk * static_cast<double>(*disk));
    reason = fmt::format("30 % of WAL's disk ({})", people(static_cast<double>(*disk)));
  }
  return Advice{size_text(bytes), reason};
}

Judgement judge_max_wal_size(const Sizing& sizing) {
  const double bytes = sizing.bytes("max_wal_size");
  Judgement judgement{"a checkpoint begins when about half of it is written", {}};
  if (const auto& rate = sizing.facts.wal_rate; rate && *rate > 0) {
    const double seconds = bytes / 1.9 / *rate;
    judgement.reason += fmt::format(": after {} at {}/s", human_duration(seconds), people(*rate));
    if (seconds < sizing.number("checkpoint_timeout"))
      judgement.against.push_back(fmt::format("sooner than checkpoint_timeout ({}): checkpoints are forced",
                                              sizing.text("checkpoint_timeout")));
  }
  if (const auto& disk = sizing.facts.wal_disk; disk && bytes > static_cast<double>(*disk) / 2)
    judgement.against.push_back(
        fmt::format("more than half of WAL's disk ({})", people(static_cast<double>(*disk))));
  return judgement;
}

std::optional<Advice> min_wal_size(const Sizing& sizing) {
  const double bytes = std::max(sizing.bytes("max_wal_size") / 4, two_segments(sizing));
  return Advice{size_text(bytes), "a quarter of max_wal_size: files that are used again and not made anew"};
}

Judgement judge_min_wal_size(const Sizing& sizing) {
  Judgement judgement{"files that are used again and not made anew", {}};
  if (sizing.bytes("min_wal_size") > sizing.bytes("max_wal_size"))
    judgement.against.push_back(fmt::format("more than max_wal_size ({})", sizing.text("max_wal_size")));
  return judgement;
}

std::optional<Advice> wal_compression(const Sizing& sizing) {
  const SettingFacts* setting = sizing.find("wal_compression");
  const bool has_lz4 =
      setting != nullptr && std::count(setting->type.choices.begin(), setting->type.choices.end(), "lz4") > 0;
  if (sizing.is_asked() && has_lz4)
    return Advice{"lz4", "whole pages in WAL take less space, for little CPU"};
  if (sizing.facts.major < 15) return Advice{"on", "whole pages in WAL take less space, for some CPU"};
  return Advice{"pglz",
                "whole pages in WAL take less space, for some CPU; lz4 is faster where the server has it"};
}

constexpr TuningRule wal_table[] = {
    {"checkpoint_timeout", checkpoint_timeout, nullptr},
    {"max_wal_size", max_wal_size, judge_max_wal_size},
    {"min_wal_size", min_wal_size, judge_min_wal_size},
    {"wal_compression", wal_compression, nullptr},
};

}  // namespace

const std::span<const TuningRule> wal_rules = wal_table;

}  // namespace kdb
