#include "flow/bench_data.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "flow/locked_history.hpp"
#include "model/object.hpp"
#include "pg/failure.hpp"
#include "pg/tidy.hpp"

namespace kdb::flow {

namespace {

using std::chrono::milliseconds;
using LoadClock = std::chrono::steady_clock;

/// Of one COPY: the server says what is wrong with a row only when a COPY ends.
constexpr std::int64_t rows_of_copy = 50'000;
/// Of one buffer: some 100 kB.
constexpr std::int64_t rows_of_buffer = 250;
constexpr milliseconds progress_interval{200};

milliseconds since(LoadClock::time_point begun) {
  return std::chrono::duration_cast<milliseconds>(LoadClock::now() - begun);
}

std::int64_t per_second(std::int64_t rows, milliseconds time) {
  return rows * 1'000 / std::max<std::int64_t>(time.count(), 1);
}

std::vector<ReferenceTable> tables_of(const BenchDataOptions& options) {
  std::vector<ReferenceTable> tables;
  for (const ReferenceTable table : reference_tables())
    if (options.only.empty() ||
        std::find(options.only.begin(), options.only.end(), table) != options.only.end())
      tables.push_back(table);
  return tables;
}

std::string copy_sql(std::string_view schema, ReferenceTable table) {
  return fmt::format("COPY {} ({}) FROM STDIN",
                     to_sql({.schema = std::string(schema), .name = std::string(to_string(table))}),
                     columns_of(table));
}

/// The line that the server names in `COPY klaviyo_events, line 17, column value: "x"`; 0 without one.
std::int64_t line_of(const std::string& context) {
  const size_t copy = context.find("COPY ");
  size_t at = copy == std::string::npos ? copy : context.find(", line ", copy);
  if (at == std::string::npos) return 0;
  std::int64_t line = 0;
  for (at += 7; at < context.size() && is_digit(context[at]); ++at) line = line * 10 + (context[at] - '0');
  return line;
}

/// The road of one `kdb bench data`.
class Loader {
 public:
  Loader(const Context& context, Session& session, const BenchDataOptions& options)
      : context_(context),
        connection_(*session.connection),
        options_(options),
        schema_(context.profile.database.schema),
        tables_(tables_of(options)) {
    for (const ReferenceTable table : tables_) total_ += options.data.rows(table);
  }

  std::vector<LoadedTable> run() {
    refuse_missing_tables();
    std::vector<LoadedTable> loaded;
    try {
      begin();
      for (const ReferenceTable table : tables_) loaded.push_back(load(table));
      commit();
    } catch (const Error& error) {
      pg::tidy(connection_, "ROLLBACK");
      if (error.exit() != Exit::interrupted && error.exit() != Exit::terminated) throw;
      throw Error(error.exit(), fmt::format("{} while loading the reference data", error.what()),
                  "nothing was loaded");
    }
    analyze();
    return loaded;
  }

 private:
  ObjectName name_of(ReferenceTable table) const {
    return {.schema = schema_, .name = std::string(to_string(table))};
  }
  std::string text_of(ReferenceTable table) const { return to_text(name_of(table), "public"); }
  template <class Of>
  std::string joined(const Of& of) const {
    std::string text;
    for (const ReferenceTable table : tables_) text += (text.empty() ? "" : ", ") + of(table);
    return text;
  }

  void refuse_missing_tables() const {
    const pg::Result there =
        execute(fmt::format("SELECT {}", joined([&](ReferenceTable table) {
                              return fmt::format("pg_catalog.to_regclass({}) IS NOT NULL",
                                                 quote_literal(to_sql(name_of(table))));
                            })),
                Phase::outside_transaction);
    std::vector<Problem> problems;
    for (size_t i = 0; i < tables_.size(); ++i)
      if (!there.boolean(0, i))
        problems.push_back({.message = fmt::format("table {} is missing", text_of(tables_[i])),
                            .hint = "`kdb migrate up` with the reference database's migrations makes it"});
    if (!problems.empty()) throw Error(Exit::refused, std::move(problems));
  }

  /// Under a lock that keeps other writers out, so that two of these do not both find the tables empty.
  void begin() const {
    const std::string& role = context_.profile.database.role;
    execute(
        fmt::format("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = {}; SET LOCAL "
                    "statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0{}",
                    context_.profile.connection.lock_timeout.count(),
                    role.empty() ? "" : "; SET LOCAL ROLE " + quote_ident(role)));
    execute(fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE",
                        joined([&](ReferenceTable table) { return to_sql(name_of(table)); })));
    const pg::Result filled =
        execute(fmt::format("SELECT {}", joined([&](ReferenceTable table) {
                              return fmt::format("EXISTS (SELECT FROM {})", to_sql(name_of(table)));
                            })));
    std::vector<Problem> problems;
    for (size_t i = 0; i < tables_.size(); ++i)
      if (filled.boolean(0, i))
        problems.push_back({.message = fmt::format("{} holds rows already", text_of(tables_[i])),
                            .hint = "load into a database of its own; --only names single tables"});
    if (!problems.empty()) throw Error(Exit::refused, std::move(problems));
  }

  LoadedTable load(ReferenceTable table) {
    const LoadClock::time_point begun = LoadClock::now();
    const std::string sql = copy_sql(schema_, table);
    ReferenceRows rows(table, options_.data);
    LoadedTable loaded{.table = table};
    for (const std::int64_t all = options_.data.rows(table); loaded.rows < all;) {
      std::int64_t left = std::min(rows_of_copy, all - loaded.rows);
      const std::int64_t expected = left;
      const auto next = [&](std::string& buffer) {
        const std::int64_t made = rows.append(buffer, std::min(left, rows_of_buffer));
        left -= made;
        sent_ += made;
        show_progress(table);
        return made > 0;
      };
      copy(table, sql, next, loaded.rows);
      loaded.rows += expected;
    }
    loaded.time = since(begun);
    return loaded;
  }

  void copy(ReferenceTable table, const std::string& sql, const pg::CopySource& source, std::int64_t before) {
    try {
      connection_.copy(sql, source, Phase::in_transaction);
    } catch (const pg::ServerError& error) {
      const std::int64_t line = line_of(error.context);
      const std::string where =
          line > 0 ? fmt::format("row {} of {}", before + line, text_of(table)) : text_of(table);
      throw failed(error, where + ": ",
                   "the tables have to be as the reference database's migrations make them");
    }
  }

  /// Its answer may be lost with the connection: then nobody knows.
  void commit() const {
    try {
      connection_.exec("COMMIT", Phase::committing);
    } catch (const pg::ServerError& error) {
      if (!error.session_ended) throw failed(error, "", "nothing was loaded");
      throw Error(
          Exit::failed, fmt::format("the connection was lost in COMMIT: {}", pg::describe(error)),
          "look whether the tables hold rows: they have all or none; what is missing then is ANALYZE");
    }
  }

  /// Of tables without rows nobody has statistics, and whoever measures plans needs them at once.
  void analyze() const {
    const auto warning = std::make_shared<std::string>();  // the connection may outlive this
    connection_.on_notice([warning](std::string_view notice) {
      if (notice.starts_with("WARNING:  ") && warning->empty()) *warning = notice.substr(10);
    });
    warning->clear();  // those of connecting
    analyze_as_owner();
    connection_.on_notice({});
    // Whom the server does not let, it passes over, and is content.
    if (!warning->empty())
      throw Error(Exit::failed, fmt::format("ANALYZE: {}", *warning),
                  "all rows are there; run ANALYZE by hand, as the tables' owner");
  }

  void analyze_as_owner() const {
    const std::string& role = context_.profile.database.role;
    try {
      context_.events({.kind = Event::Kind::progress, .message = "ANALYZE", .figures = {}});
      connection_.exec(fmt::format("BEGIN READ WRITE; {}ANALYZE {}; COMMIT",
                                   role.empty() ? "" : fmt::format("SET LOCAL ROLE {}; ", quote_ident(role)),
                                   joined([&](ReferenceTable table) { return to_sql(name_of(table)); })));
    } catch (const pg::ServerError& error) {
      throw Error(Exit::failed, fmt::format("ANALYZE: {}", pg::describe(error)),
                  "all rows are there; run ANALYZE by hand");
    } catch (const Error& error) {
      throw Error(error.exit(), fmt::format("{} in ANALYZE", error.what()), "all rows are there");
    }
  }

  void show_progress(ReferenceTable table) {
    const LoadClock::time_point now = LoadClock::now();
    if (now - shown_ < progress_interval) return;
    shown_ = now;
    const std::int64_t rate = per_second(sent_, since(begun_));
    std::string figures =
        fmt::format(" · {} % of {} rows", 100 * sent_ / std::max<std::int64_t>(total_, 1), total_);
    if (rate > 0)
      figures += fmt::format(" · {} rows/s · {} left", rate,
                             human_duration(static_cast<double>(total_ - sent_) / static_cast<double>(rate)));
    context_.events(
        {.kind = Event::Kind::progress, .message = text_of(table), .figures = std::move(figures)});
  }

  pg::Result execute(const std::string& sql, Phase phase = Phase::in_transaction) const {
    try {
      return connection_.exec(sql, phase);
    } catch (const pg::ServerError& error) {
      if (error.sqlstate == "55P03")
        throw Error(Exit::lock, "somebody else uses the tables of the reference data",
                    "wait for them to end, or raise --lock-timeout");
      throw failed(error, "", error.hint);
    }
  }

  static Error failed(const pg::ServerError& error, const std::string& where, std::string hint) {
    return {Exit::failed, Problem{.message = where + pg::describe(error),
                                  .hint = std::move(hint),
                                  .details = pg::details_of(error, {})}};
  }

  const Context& context_;
  pg::Connection& connection_;
  const BenchDataOptions& options_;
  const std::string& schema_;
  std::vector<ReferenceTable> tables_;
  std::int64_t total_ = 0;
  std::int64_t sent_ = 0;
  LoadClock::time_point begun_ = LoadClock::now();
  LoadClock::time_point shown_{};
};

Report report_of(const BenchDataOptions& options, const std::string& target,
                 const std::vector<LoadedTable>& loaded) {
  Report report{.command = "bench data"};
  report.fields = {{.key = "target", .label = "", .value = target},
                   {.key = "events", .label = "", .value = options.data.events},
                   {.key = "seed", .label = "", .value = std::to_string(options.data.seed)}};
  Table table{.key = "tables",
              .columns = {{.key = "table", .title = "table"},
                          {.key = "rows", .title = "rows", .align_right = true},
                          {.key = "milliseconds", .title = ""},
                          {.key = "", .title = "time", .align_right = true},
                          {.key = "rows_per_second", .title = "rows/s", .align_right = true}}};
  LoadedTable all;
  for (const LoadedTable& one : loaded) {
    const std::int64_t time = one.time.count();
    table.rows.push_back({std::string(to_string(one.table)), one.rows, time, human_duration(one.time),
                          per_second(one.rows, one.time)});
    all.rows += one.rows;
    all.time += one.time;
  }
  report.tables.push_back(std::move(table));
  report.summary = fmt::format("{} rows loaded in {}, {} rows/s, and analysed", all.rows,
                               human_duration(all.time), per_second(all.rows, all.time));
  return report;
}

}  // namespace

std::vector<LoadedTable> load_reference_data(const Context& context, Session& session,
                                             const BenchDataOptions& options) {
  return Loader(context, session, options).run();
}

Report bench_data(const Context& context, const BenchDataOptions& options) {
  Session session = open_session(context);
  refuse_standby(session.facts.in_recovery, session.facts.target);
  context.events({.kind = Event::Kind::info, .message = "target: " + session.facts.target});
  return report_of(options, session.facts.target, load_reference_data(context, session, options));
}

void print_reference_data(const BenchDataOptions& options, std::string_view schema,
                          const std::function<void(const std::string&)>& print) {
  print("BEGIN;\n");
  for (const ReferenceTable table : tables_of(options)) {
    print(copy_sql(schema, table) + ";\n");
    ReferenceRows rows(table, options.data);
    for (std::string buffer; rows.append(buffer, rows_of_buffer) > 0; buffer.clear()) print(buffer);
    print("\\.\n");
  }
  print("COMMIT;\n");
}

}  // namespace kdb::flow
