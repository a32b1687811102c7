#include "flow/bench_load.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/checksum.hpp"
#include "base/histogram.hpp"
#include "base/seeded_random.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "core/load_report.hpp"
#include "core/to_report.hpp"
#include "host/machine.hpp"
#include "pg/failure.hpp"
#include "pg/pool.hpp"
#include "pg/pool_work.hpp"

namespace kdb::flow {

namespace {

using LoadClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

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
  mutable std::mutex mutex_;
  std::vector<LoadQuery>& queries_;
  LoadCounts counts_;
  Histogram latency_;
  std::exception_ptr error_;
};

class Load {
 public:
  Load(const Context& context, const BenchLoadOptions& options)
      : context_(context), options_(options), random_(options.seed) {
    for (const DeclaredQuery& query : options.queries) {
      queries_.push_back({.name = query.name, .counts = {}, .latency = Histogram()});
      weights_ += query.weight;
    }
  }

  Report run() {
    const PoolSettings& settings = context_.profile.connection.pool;
    pg::Pool pool(settings, context_.profile.connection.retry, opener(),
                  [this](const Event& event) { tell(event); });
    refuse_unreachable(pool);
    std::vector<LoadResult> results;
    for (const double rate : options_.rates) results.push_back(step(pool, rate, settings.max));
    if (options_.to_knee) go_to_knee(pool, results, settings.max);
    std::sort(results.begin(), results.end(), [](const LoadResult& a, const LoadResult& b) {
      return a.offered_per_second < b.offered_per_second;
    });
    return report_load(results, queries_, settings, options_.arrivals);
  }

 private:
  pg::PoolOpener opener() const {
    const std::string& schema = context_.profile.database.schema;
    pg::PoolConnect connect{.connect = context_.connect,
                            .connect_timeout = context_.profile.connection.pool.connect_timeout,
                            .statement_timeout = options_.timeout};
    // Whatever a query calls: this is somebody's database.
    connect.also = fmt::format("SET default_transaction_read_only TO on; SET search_path TO {}, public; ",
                               quote_ident(schema));
    return pg::open_connections(connect, context_.watchdog);
  }

  /// Before anything is offered.
  void refuse_unreachable(pg::Pool& pool) const {
    const auto first =
        pool.acquire(LoadClock::now() + context_.profile.connection.connect_timeout, "the first");
    if (const auto* refusal = std::get_if<pg::PoolRefusal>(&first))
      throw Error(Exit::failed, refusal->message, refusal->hint);
  }

  /// Twice as much each time until it is too much, then halfway between what was borne and what was not.
  void go_to_knee(pg::Pool& pool, std::vector<LoadResult>& results, int most) {
    constexpr int most_doublings = 12;
    constexpr int halvings = 3;
    Knee knee = find_knee(load_steps(results), {});
    for (int i = 0; i < most_doublings && !knee.breaks_per_second; ++i) {
      results.push_back(step(pool, 2 * results.back().offered_per_second, most));
      knee = find_knee(load_steps(results), {});
    }
    for (int i = 0; i < halvings && knee.breaks_per_second; ++i) {
      results.push_back(step(pool, (knee.holds_per_second.value_or(0) + *knee.breaks_per_second) / 2, most));
      knee = find_knee(load_steps(results), {});
    }
  }

  /// From several threads.
  void tell(const Event& event) {
    const std::lock_guard lock(telling_);
    context_.events(event);
  }

  size_t next_query() {
    double at = random_.unit() * weights_;
    for (size_t query = 0; query + 1 < options_.queries.size(); ++query) {
      at -= options_.queries[query].weight;
      if (at < 0) return query;
    }
    return options_.queries.size() - 1;
  }

  LoadResult step(pg::Pool& pool, double rate, int most) {
    RequestQueue queue;
    Tally tally(queries_);
    pg::SharedRetryBudget budget;
    // More than there are connections: whoever waits for one shows in the pool's figures.
    std::vector<std::thread> workers;
    const double cpu_before = host::own_cpu_seconds();
    const LoadClock::time_point begun = LoadClock::now();
    for (int i = 0; i < most + most / 2 + 2; ++i)
      workers.emplace_back([&] { work(pool, queue, tally, budget); });
    LoadResult result{.offered_per_second = rate, .time = {}, .counts = {}, .latency = Histogram()};
    bool at_once = true;
    try {
      offer(pool, queue, tally, rate, begun, result);
      at_once = false;
    } catch (...) {
      tally.fail(std::current_exception());
    }
    queue.end(at_once);
    for (std::thread& worker : workers) worker.join();
    tally.rethrow();
    result.time = std::chrono::duration_cast<milliseconds>(LoadClock::now() - begun);
    result.counts = tally.counts();
    result.latency = tally.latency();
    const double seconds = std::chrono::duration<double>(result.time).count();
    result.client_cpu =
        (host::own_cpu_seconds() - cpu_before) / seconds / std::max(host::read_machine().cpus, 0.1);
    return result;
  }

  /// Hands out each request when it is due.
  void offer(pg::Pool& pool, RequestQueue& queue, const Tally& tally, double rate,
             LoadClock::time_point begun, LoadResult& result) {
    LoadSchedule schedule(options_.arrivals, rate, options_.seed);
    LoadClock::time_point shown = begun;
    for (;;) {
      const auto offset = schedule.next();
      if (offset >= options_.duration) return;
      const LoadClock::time_point due = begun + offset;
      for (LoadClock::time_point now = LoadClock::now(); now < due; now = LoadClock::now()) {
        const pg::PoolStatistics statistics = pool.statistics();
        result.most_active = std::max(result.most_active, statistics.active);
        result.most_waiting = std::max(result.most_waiting, statistics.waiting);
        if (now - shown >= std::chrono::seconds(1)) {
          shown = now;
          show(statistics, tally, rate, std::chrono::duration_cast<milliseconds>(now - begun));
        }
        const auto left = std::chrono::duration_cast<milliseconds>(due - now);
        if (left > milliseconds(20))
          context_.watchdog.sleep(std::min(left, milliseconds(200)));
        else
          std::this_thread::sleep_until(due);
      }
      context_.watchdog.check();
      tally.rethrow();
      queue.push({.query = next_query(), .start = due});
    }
  }

  void show(const pg::PoolStatistics& statistics, const Tally& tally, double rate, milliseconds time) {
    const Histogram latency = tally.latency();
    tell({.kind = Event::Kind::progress,
          .message = fmt::format("{:.4g}/s", rate),
          .figures = fmt::format(" · {} of {} · active {} idle {} waiting {} of {} · p99 {:.1f} ms",
                                 human_duration(time), human_duration(options_.duration), statistics.active,
                                 statistics.idle, statistics.waiting, statistics.max,
                                 static_cast<double>(latency.value_at(99).count()) / 1'000)});
  }

  void work(pg::Pool& pool, RequestQueue& queue, Tally& tally, pg::SharedRetryBudget& budget) {
    try {
      while (const std::optional<Request> request = queue.pop()) serve(pool, *request, tally, budget);
    } catch (...) {
      tally.fail(std::current_exception());
      queue.end(true);
    }
  }

  void serve(pg::Pool& pool, const Request& request, Tally& tally, pg::SharedRetryBudget& budget) {
    const DeclaredQuery& query = options_.queries[request.query];
    LoadCounts counts;
    if (left_of(request).count() <= 0) {
      counts.timeouts = 1;
      return tally.add(request.query, counts, LoadClock::now() - request.start);
    }
    size_t rows = 0;
    LoadClock::time_point ended;
    const pg::WorkOutcome outcome = run_on(
        pool, how_of(request, budget), [&](pg::Pool::Lease& lease) { ask(*lease, request, rows, ended); });
    if (outcome.end == pg::WorkOutcome::End::refused) ended = LoadClock::now();
    const LoadClock::duration latency = ended - request.start;
    counts.retries = static_cast<std::uint64_t>(std::max(outcome.attempts - 1, 0));
    const bool timed_out = latency > options_.timeout ||
                           (outcome.error && outcome.error->sqlstate == "57014") ||
                           (outcome.refusal && outcome.refusal->reason == pg::PoolRefusal::Reason::timeout);
    if (timed_out)
      counts.timeouts = 1;
    else if (outcome.end == pg::WorkOutcome::End::done)
      counts.done = 1;
    else
      counts.errors = 1;
    tally.add(request.query, counts, latency);
    tell_of(query, outcome, rows, latency);
  }

  milliseconds left_of(const Request& request) const {
    return options_.timeout - std::chrono::duration_cast<milliseconds>(LoadClock::now() - request.start);
  }

  pg::PoolWork how_of(const Request& request, pg::SharedRetryBudget& budget) const {
    const auto seed = options_.seed + static_cast<std::uint64_t>(request.start.time_since_epoch().count());
    pg::PoolWork how{.policy = context_.profile.connection.retry,
                     .budget = &budget,
                     .purpose = options_.queries[request.query].name,
                     .now = [] { return LoadClock::now(); },
                     .sleep = [this](milliseconds time) { context_.watchdog.sleep(time); },
                     .random = [chance = SeededRandom(seed)]() mutable { return chance.unit(); }};
    how.policy.deadline = std::max(left_of(request), milliseconds(1));
    return how;
  }

  /// `ended` is when the answer was there: giving the connection back, which takes a round trip, is not the
  /// request's. Nothing is done by a lost one that only reads, as if its transaction had been undone.
  void ask(pg::Connection& connection, const Request& request, size_t& rows,
           LoadClock::time_point& ended) const {
    const DeclaredQuery& query = options_.queries[request.query];
    const std::vector<pg::Result::Value> values(query.parameters.begin(), query.parameters.end());
    try {
      limit(connection, left_of(request));
      rows = connection.exec(query.sql, values, Phase::in_transaction).size();
      ended = LoadClock::now();
    } catch (...) {
      ended = LoadClock::now();
      throw;
    }
  }

  /// The session's own limit is that of a request that begins in time, and is there again for the next one.
  /// Whoever has waited does not notice another round trip.
  void limit(pg::Connection& connection, milliseconds left) const {
    if (left > options_.timeout - options_.timeout / 10) return;
    connection.exec(fmt::format("SET statement_timeout TO {}", std::max(left, milliseconds(1)).count()),
                    Phase::in_transaction);
  }

  /// Of what is slow or fails, a line a second at most: there may be thousands.
  void tell_of(const DeclaredQuery& query, const pg::WorkOutcome& outcome, size_t rows,
               LoadClock::duration latency) {
    const auto time = std::chrono::duration_cast<milliseconds>(latency);
    const bool failed = outcome.end != pg::WorkOutcome::End::done;
    if (!failed && time < options_.slow) return;
    const std::lock_guard lock(telling_);
    const LoadClock::time_point now = LoadClock::now();
    if (now - told_ < std::chrono::seconds(1)) return;
    told_ = now;
    const std::string why = outcome.error     ? ": " + pg::describe(*outcome.error)
                            : outcome.refusal ? ": " + outcome.refusal->message
                                              : "";
    context_.events(
        {.kind = Event::Kind::warning,
         .message = fmt::format("{} {} after {}{}, statement {}", query.name,
                                failed ? "failed" : fmt::format("was slow, {},", count(rows, "row")),
                                human_duration(time), why, sha256_hex(query.sql).substr(0, 12))});
  }

  const Context& context_;
  const BenchLoadOptions& options_;
  std::vector<LoadQuery> queries_;
  double weights_ = 0;
  SeededRandom random_;
  std::mutex telling_;
  LoadClock::time_point told_{};
};

}  // namespace

Report bench_load(const Context& context, const BenchLoadOptions& options) {
  {
    // Closed before the pool connects: a pooler by session may have this one server connection.
    Session session = open_session(context);
    refuse_transaction_pooler(context, session);
  }
  return Load(context, options).run();
}

}  // namespace kdb::flow
