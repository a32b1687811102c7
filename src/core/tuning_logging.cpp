#include <fmt/format.h>

#include "core/tuning_rules.hpp"

namespace kdb {

namespace {

std::optional<Advice> min_duration(const Sizing& sizing) {
  constexpr double second = 1000;
  if (sizing.is_set("log_min_duration_statement") && sizing.current("log_min_duration_statement") != second)
    return Advice{sizing.text("log_min_duration_statement"),
                  "as the server has it: somebody knows what is slow"};
  return Advice{"1s", "statements that take longer are logged: what to look at first"};
}

Judgement judge_min_duration(const Sizing& sizing) {
  const double milliseconds = sizing.number("log_min_duration_statement");
  if (milliseconds < 0) return {"no statement is logged for its time", {}};
  Judgement judgement{fmt::format("statements that take {} and longer are logged, with their values",
                                  sizing.text("log_min_duration_statement")),
                      {}};
  if (milliseconds == 0) {
    judgement.reason = "every statement is logged, with its values";
    judgement.against.emplace_back(
        "the log grows with every statement, and writing it takes part of their time");
  }
  return judgement;
}

std::optional<Advice> lock_waits(const Sizing&) {
  return Advice{"on", "waits for a lock that are longer than deadlock_timeout, with who blocks"};
}

std::optional<Advice> temp_files(const Sizing&) {
  return Advice{"10MB", "sorts and hashes that did not fit into work_mem: whether it is too small"};
}

std::optional<Advice> autovacuum_duration(const Sizing&) {
  return Advice{"1min", "what autovacuum takes long for"};
}

std::optional<Advice> checkpoints(const Sizing& sizing) {
  if (sizing.facts.major >= 15) return std::nullopt;  // on by default
  return Advice{"on", "why and how often there are checkpoints: whether max_wal_size is too small"};
}

std::optional<Advice> io_timing(const Sizing&) {
  return Advice{
      "on", "EXPLAIN and pg_stat views tell reading from computing; pg_test_timing says what it costs here"};
}

Judgement judge_statement_timeout(const Sizing& sizing) {
  if (sizing.number("statement_timeout") <= 0) return {"statements take as long as they take", {}};
  return {"ends every statement of every role that takes longer",
          {fmt::format("index builds, VACUUM by hand and every report end after {} too: declare it for the "
                       "role that is meant "
                       "([roles.NAME] settings)",
                       sizing.text("statement_timeout"))}};
}

constexpr TuningRule logging_table[] = {
    {"log_min_duration_statement", min_duration, judge_min_duration},
    {"log_lock_waits", lock_waits, nullptr},
    {"log_temp_files", temp_files, nullptr},
    {"log_autovacuum_min_duration", autovacuum_duration, nullptr},
    {"log_checkpoints", checkpoints, nullptr},
    {"track_io_timing", io_timing, nullptr},
    {"statement_timeout", nullptr, judge_statement_timeout},
};

}  // namespace

const std::span<const TuningRule> logging_rules = logging_table;

}  // namespace kdb
