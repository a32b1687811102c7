#include "flow/bench_load.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/checksum.hpp"
#include "base/seeded_random.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "core/load_report.hpp"
#include "core/to_report.hpp"
#include "flow/load_requests.hpp"
#include "host/machine.hpp"
#include "pg/failure.hpp"
#include "pg/pool.hpp"
#include "pg/pool_work.hpp"

namespace kdb::flow {

namespace {

using std::chrono::milliseconds;

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
    LoadResult result{.offered_per_second = rate, .counts = {}, .latency = Histogram()};
    bool at_once = true;
    try {
      offer(pool, queue, tally, begun, result);
      at_once = false;
    } catch (...) {
      tally.fail(std::current_exception());
    }
    queue.end(at_once);
    for (std::thread& worker : workers) worker.join();
    tally.rethrow();
    const LoadClock::duration all = LoadClock::now() - begun;
    result.drain = std::chrono::duration_cast<milliseconds>(all) - result.time;
    result.counts = tally.counts();
    result.latency = tally.latency();
    const double seconds = std::chrono::duration<double>(all).count();
    result.client_cpu =
        (host::own_cpu_seconds() - cpu_before) / seconds / std::max(host::read_machine().cpus, 0.1);
    return result;
  }

  /// Hands out each request when it is due, and looks at the end how many wait.
  void offer(pg::Pool& pool, RequestQueue& queue, const Tally& tally, LoadClock::time_point begun,
             LoadResult& result) {
    LoadSchedule schedule(options_.arrivals, result.offered_per_second, options_.seed);
    const LoadClock::time_point end = begun + options_.duration;
    LoadClock::time_point shown = begun;
    std::uint64_t offers = 0;
    for (;;) {
      const auto offset = schedule.next();
      const LoadClock::time_point due = offset < options_.duration ? begun + offset : end;
      while (LoadClock::now() < due) shown = watch(pool, tally, begun, shown, due, result);
      context_.watchdog.check();
      tally.rethrow();
      if (due == end) break;
      queue.push({.query = next_query(), .start = due});
      ++offers;
    }
    result.time = options_.duration;
    result.done_in_time = tally.counts().done;
    result.waiting = offers - tally.begun();
  }

  /// A part of waiting for `until`, never long, with a look at the pool. Returns when a line was last shown.
  LoadClock::time_point watch(pg::Pool& pool, const Tally& tally, LoadClock::time_point begun,
                              LoadClock::time_point shown, LoadClock::time_point until, LoadResult& result) {
    const LoadClock::time_point now = LoadClock::now();
    const pg::PoolStatistics statistics = pool.statistics();
    result.most_active = std::max(result.most_active, statistics.active);
    result.most_waiting = std::max(result.most_waiting, statistics.waiting);
    const bool is_due = now - shown >= std::chrono::seconds(1);
    if (is_due)
      show(statistics, tally, result.offered_per_second,
           std::chrono::duration_cast<milliseconds>(now - begun));
    const auto left = std::chrono::duration_cast<milliseconds>(until - now);
    if (left > milliseconds(20))
      context_.watchdog.sleep(std::min(left, milliseconds(200)));
    else
      std::this_thread::sleep_until(until);
    return is_due ? now : shown;
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
      tally.begin();
      return tally.add(request.query, counts, LoadClock::now() - request.start);
    }
    size_t rows = 0;
    bool begun = false;
    LoadClock::time_point ended;
    const pg::WorkOutcome outcome = run_on(pool, how_of(request, budget), [&](pg::Pool::Lease& lease) {
      if (!std::exchange(begun, true)) tally.begin();
      ask(*lease, request, rows, ended);
    });
    if (!begun) tally.begin();
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
