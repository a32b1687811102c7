#include "pg/execute.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/encoding.hpp"
#include "pg/failure.hpp"
#include "pg/recovery.hpp"
#include "pg/session_sql.hpp"
#include "pg/tidy.hpp"

namespace kdb::pg {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::string_view query_canceled = "57014";

}  // namespace

Executor::Executor(Connection& connection, Watchdog& watchdog, const HistoryStore& history,
                   Observer& observer, ExecuteOptions options, EventSink events)
    : connection_(connection),
      watchdog_(watchdog),
      history_(history),
      observer_(observer),
      options_(std::move(options)),
      events_(std::move(events)) {}

void Executor::run(std::int64_t run, const MigrationPlan& plan, bool resume) {
  failures_ = 0;
  blockers_.clear();
  pause_ = milliseconds(0);
  if (!resume) {
    if (plan.one_transaction)
      run_in_one_transaction(run, plan);
    else
      run_step_by_step(run, plan, {});
    return;
  }
  const std::vector<JournalRow> journal = history_.journal(connection_, key_of(plan));
  const std::optional<MigrationPlan> separate =
      plan.one_transaction ? options_.separate(plan, "an earlier run did a part of it") : plan;
  if (!separate) throw insists_on_one_transaction(plan);
  run_step_by_step(run, *separate, journal);
}

void Executor::begin_attempt(const MigrationPlan& plan) {
  attempt_ = {};
  attempt_.budget = plan.options.lock_timeout.value_or(options_.lock_timeout);
}

std::string Executor::begin_sql(const MigrationPlan& plan, const std::string& begin) {
  std::string sql = begin;
  if (plan.options.statement_timeout)
    sql += fmt::format("; SET LOCAL statement_timeout TO {}", plan.options.statement_timeout->count());
  if (!plan.own_lock_timeout) {
    attempt_.in_force = attempt_.budget;
    sql += fmt::format("; SET LOCAL lock_timeout TO {}", attempt_.in_force.count());
  }
  if (!options_.role.empty() && plan.one_transaction) sql += "; SET LOCAL ROLE " + quote_ident(options_.role);
  return sql + "; ";
}

void Executor::execute(const MigrationPlan& plan, const Step& step, Phase phase) {
  attempt_.step = &step;
  const std::string label = plan.steps.size() == 1 ? title(plan)
                                                   : fmt::format("{} · statement {} of {}", title(plan),
                                                                 step.ordinal, plan.steps.size());
  events_({.kind = Event::Kind::progress, .message = label});
  observer_.begin(label, attempt_.budget);
  const auto observe = [&] {
    Observation seen = observer_.end();
    attempt_.budget -= std::min(attempt_.budget, seen.lock_wait);
    attempt_.blockers = std::move(seen.blockers);
  };
  // BEGIN and what belongs to it go along with the first statement: one message less for every migration.
  const std::string begin = std::exchange(attempt_.begin, "");
  try {
    connection_.exec(begin.empty() ? step.sql : begin + step.sql, phase);
  } catch (ServerError& error) {
    observe();
    if (error.line == 1) error.column -= static_cast<int>(begin.size());
    if (error.column <= 0) error.line = error.column = 0;  // kdb's own words
    throw;
  } catch (...) {
    observe();
    throw;
  }
  observe();
}

void Executor::execute_inside(const MigrationPlan& plan, const Step& step) {
  const bool bounded = step.what.blocking_lock || attempt_.holds_blocking_lock;
  const bool unlimited = plan.options.lock_timeout.value_or(options_.lock_timeout) == milliseconds(0);
  if (!plan.own_lock_timeout && !unlimited) {
    // Once something is locked, every further wait counts: what is left of the budget, and never none.
    const milliseconds wanted = bounded ? std::max(attempt_.budget, milliseconds(1)) : milliseconds(0);
    if (wanted != attempt_.in_force) {
      const std::string set = fmt::format("SET LOCAL lock_timeout TO {}; ", wanted.count());
      if (attempt_.begin.empty())
        connection_.exec(set, Phase::in_transaction);
      else
        attempt_.begin += set;
      attempt_.in_force = wanted;
    }
  }
  execute(plan, step, Phase::in_transaction);
  if (!connection_.in_transaction()) throw ended_transaction(plan, step);
  attempt_.holds_blocking_lock |= step.what.blocking_lock;
}

void Executor::roll_back() {
  if (!connection_.outside_transaction()) tidy(connection_, "ROLLBACK");  // a COMMIT that failed has done it
}

void Executor::reset_session() {
  connection_.exec(reset_session_sql(connection_.server_version(), options_.statement_timeout));
}

/// Whether only the tidying up behind COMMIT failed, which is then done again. Where somebody canceled it
/// (pg_cancel_backend), what they meant to stop is applied.
bool Executor::is_done_after_all(std::int64_t run, const MigrationPlan& plan) {
  constexpr int attempts = 3;
  for (int attempt = 1;; ++attempt) {
    try {
      if (!is_recorded(run, plan)) return false;
      reset_session();
      return true;
    } catch (const ServerError& error) {
      if (error.session_ended || error.sqlstate != query_canceled || attempt == attempts) throw;
    }
  }
}

void Executor::record(const std::string& sql, Phase phase) {
  try {
    speak_utf8(connection_, "BEGIN READ WRITE; SET LOCAL client_min_messages TO error; ");
    connection_.exec(in_own_transaction(history_.guard_sql() + sql), phase);
  } catch (const ServerError& error) {
    if (!error.session_ended) roll_back();
    throw;
  }
}

bool Executor::is_recorded(std::int64_t run, const MigrationPlan& plan) {
  return history_.has_completed(connection_, run, key_of(plan), plan.direction);
}

bool Executor::wait_and_retry(const MigrationPlan& plan, const ServerError& error, Phase phase) {
  RetryPolicy policy = options_.lock_retry;
  switch (classify_error(phase, error.sqlstate, error.session_ended, error.message)) {
    case RetryClass::lock:
      break;
    case RetryClass::transaction:
      policy.initial = milliseconds(10);
      break;
    case RetryClass::resources:
      policy.initial = milliseconds(2'000);
      policy.max_attempts = std::min(policy.max_attempts, 3);
      break;
    case RetryClass::never:
    case RetryClass::reconnect:
    case RetryClass::lost:
    case RetryClass::in_doubt:
    case RetryClass::inspect:
      return false;
  }
  if (!attempt_.blockers.empty()) blockers_ = attempt_.blockers;
  if (++failures_ >= policy.max_attempts) return false;
  pause_ = backoff_delay(policy, failures_ - 1, pause_, options_.random);
  std::string line = fmt::format(
      "{}: {}; trying again in {} (attempt {} of {})", title(plan), describe(error),
      human_duration(static_cast<double>(pause_.count()) / 1000.0), failures_ + 1, policy.max_attempts);
  for (const std::string_view blocker : split(attempt_.blockers, '\n'))
    if (!blocker.empty()) line += fmt::format("\n  blocked by {}", blocker);
  events_({.kind = Event::Kind::retry, .message = std::move(line)});
  watchdog_.sleep(pause_);
  return true;
}

void Executor::fail(std::int64_t run, const MigrationPlan& plan, const Step& step, const ServerError& error,
                    bool journalled) {
  const std::string key = key_of(plan);
  const std::string journal_row =
      plan.one_transaction || !journalled
          ? ""
          : history_.step_finished_sql(run, plan, step, "failed", error.sqlstate, error.message);
  if (!connection_.is_utf8()) tidy(connection_, "SET client_encoding TO 'UTF8'");
  tidy(connection_,
       in_own_transaction(journal_row + history_.event_sql(run, "failed", key, describe(error))));
  // The last attempt may end before anybody could look; who was in the way of one before mostly still is.
  const bool is_lock = error.sqlstate == "55P03";
  throw failed(plan, step, error, attempt_.blockers.empty() && is_lock ? blockers_ : attempt_.blockers);
}

void Executor::run_in_one_transaction(std::int64_t run, const MigrationPlan& plan) {
  const Step nothing{.where = beginning(plan)};
  for (;;) {
    begin_attempt(plan);
    attempt_.step = plan.steps.empty() ? &nothing : &plan.steps.front();
    const auto begun = Clock::now();
    try {
      attempt_.begin = begin_sql(plan, plan.begin);
      for (const Step& step : plan.steps) execute_inside(plan, step);
      const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
      speak_utf8(connection_);
      connection_.exec(
          fmt::format("{}{}{}COMMIT; {}", std::exchange(attempt_.begin, ""), own_rights_sql(),
                      history_.complete_sql(run, plan, took),
                      reset_session_sql(connection_.server_version(), options_.statement_timeout)),
          Phase::committing);
      return;
    } catch (const ServerError& error) {
      if (error.session_ended) throw;
      roll_back();
      if (is_done_after_all(run, plan)) return;
      const std::optional<MigrationPlan> separate =
          needs_own_transaction(error)
              ? options_.separate(plan, fmt::format("line {}: {}", attempt_.step->where.line, error.message))
              : std::nullopt;
      if (separate) {
        events_({.kind = Event::Kind::info,
                 .message = fmt::format("{}: rolled back; running its statements separately, because {}",
                                        title(plan), separate->mode_reason)});
        reset_session();
        return run_step_by_step(run, *separate, {});
      }
      if (!wait_and_retry(plan, error, Phase::in_transaction)) fail(run, plan, *attempt_.step, error);
      reset_session();        // prepared statements and the like outlive a rollback
    } catch (const Error&) {  // a signal
      roll_back();
      throw;
    }
  }
}

void Executor::run_step_by_step(std::int64_t run, const MigrationPlan& plan,
                                const std::vector<JournalRow>& journal) {
  const auto begun = Clock::now();
  std::map<int, const JournalRow*> rows;
  for (const JournalRow& row : journal) rows[row.ordinal] = &row;
  refuse_changed_steps(plan, journal);

  record(history_.partial_sql(run, plan));
  if (!options_.role.empty()) connection_.exec("SET ROLE " + quote_ident(options_.role));
  if (plan.object && plan.object->in_schema)
    connection_.exec("SET search_path TO " + quote_ident(options_.schema));
  if (plan.options.statement_timeout)
    connection_.exec(fmt::format("SET statement_timeout TO {}", plan.options.statement_timeout->count()));

  for (const Step& step : plan.steps) {
    const JournalRow* row = rows.count(step.ordinal) != 0U ? rows[step.ordinal] : nullptr;
    if (row != nullptr && row->state == "done") {
      replay(step);
      continue;
    }
    failures_ = 0;
    blockers_.clear();
    pause_ = milliseconds(0);
    // A CALL was tried inside of a transaction first; once it has begun outside of one, it stays there.
    const bool outside = !step.in_transaction || (row != nullptr && row->outside);
    if (outside)
      run_outside(run, plan, step, row);
    else
      run_inside(run, plan, step);
  }
  const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
  record(history_.complete_sql(run, plan, took), Phase::committing);
  reset_session();
}

/// What a finished step left in its session, which is another one now.
void Executor::replay(const Step& step) {
  if (step.what.session_state) connection_.exec(step.sql);
  for (const Step& inner : step.block)
    if (inner.what.session_state) connection_.exec(inner.sql);
}

void Executor::run_inside(std::int64_t run, const MigrationPlan& plan, const Step& step) {
  for (;;) {
    begin_attempt(plan);
    attempt_.step = &step;
    try {
      attempt_.begin = begin_sql(plan, step.block.empty() ? "BEGIN" : step.block_begin);
      if (step.block.empty()) execute_inside(plan, step);
      for (const Step& inner : step.block) execute_inside(plan, inner);
      speak_utf8(connection_);
      connection_.exec(
          fmt::format("{}{}{}{}COMMIT", std::exchange(attempt_.begin, ""), own_rights_sql(),
                      history_.guard_sql(), history_.step_finished_sql(run, plan, step, "done", "", "")),
          Phase::committing);
      return;
    } catch (const ServerError& error) {
      if (error.session_ended) throw;
      roll_back();
      if (needs_own_transaction(error) && step.block.empty()) return run_outside(run, plan, step, nullptr);
      if (!wait_and_retry(plan, error, Phase::in_transaction)) {
        if (attempt_.step == &step) fail(run, plan, step, error);
        Step at = *attempt_.step;  // a statement of a block: its own place, the block's row
        at.ordinal = step.ordinal;
        at.sql = step.sql;
        fail(run, plan, at, error);
      }
    } catch (const Error&) {
      roll_back();
      throw;
    }
  }
}

void Executor::run_outside(std::int64_t run, const MigrationPlan& plan, const Step& given,
                           const JournalRow* journal) {
  Step step = given;
  step.in_transaction = false;
  std::optional<JournalRow> row;  // as the journal has it, or will
  if (journal != nullptr) row = *journal;
  for (;;) {
    begin_attempt(plan);
    attempt_.step = &step;
    try {
      const Verdict verdict = row ? recover(connection_, step, *row, attempt_.budget, events_) : Verdict::run;
      if (verdict == Verdict::unknown) throw undecided(plan, step, *row);
      if (verdict == Verdict::run) run_journalled(run, plan, step, row);
      record(history_.step_finished_sql(run, plan, step, "done", "", ""));
      return;
    } catch (const ServerError& error) {
      if (error.session_ended) throw;
      if (!is_lock_lost(error) && wait_and_retry(plan, error, Phase::in_transaction)) continue;
      // What failed around the statement is no verdict on it; one that gave up the lock has to go.
      const bool failed = row && (row->state == "failed" || is_lock_lost(error));
      if (failed && !is_lock_lost(error)) clean_up(step, *row);
      fail(run, plan, step, error, failed);
    }
  }
}

void Executor::run_journalled(std::int64_t run, const MigrationPlan& plan, const Step& step,
                              std::optional<JournalRow>& row) {
  const std::string note = catalog_note(connection_, step);
  record(history_.step_started_sql(run, plan, step, note));
  row =
      JournalRow{.ordinal = step.ordinal, .sql = step.sql, .state = "started", .outside = true, .note = note};
  if (!plan.own_lock_timeout) {
    const bool unbounded = step.what.patient && !plan.options.lock_timeout;
    const milliseconds wait = unbounded ? options_.build_wait : attempt_.budget;
    connection_.exec(fmt::format("SET lock_timeout TO {}", wait.count()));
  }
  try {
    execute(plan, step, Phase::outside_transaction);
  } catch (const ServerError& error) {
    if (!error.session_ended) row->state = "failed";
    throw;
  }
  const std::string invalid = invalid_index_found(connection_, step);
  if (invalid.empty()) return;
  row->state = "failed";
  ServerError error;
  error.message =
      fmt::format("the index {} was there already and is invalid; IF NOT EXISTS left it so", invalid);
  throw error;
}

/// What a failed build left costs every writer until the next run, and is in its way when the file is mended.
void Executor::clean_up(const Step& step, const JournalRow& row) {
  if (step.what.recovery != sql::Recovery::create_index && step.what.command != "REINDEX") return;
  try {
    recover(connection_, step, row, attempt_.budget, events_);
  } catch (const ServerError&) {
    // The next run does it; the error to report is the statement's.
  }
}

}  // namespace kdb::pg
