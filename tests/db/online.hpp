#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "db/project.hpp"
#include "support/skip.hpp"

namespace kdb::test {

/// A table of parts in one of two makes, and what it is to become.
struct Parted {
  const char* name;  // "partitions"
  bool chunks;

  /// Why there is none on this server; empty where there is.
  std::string missing() const {
    if (!chunks) return "";
    const std::string version = Session(server_url())
                                    .text(
                                        "SELECT coalesce(max(default_version), '') FROM "
                                        "pg_available_extensions WHERE name = 'timescaledb'");
    if (version.empty()) return "the server has no TimescaleDB";
    if (Session(server_url())
            .text("SELECT current_setting('shared_preload_libraries')")
            .find("timescaledb") == std::string::npos)
      return "TimescaleDB is not preloaded";
    const bool old = std::stoi(version) < 2 || (version[0] == '2' && std::stoi(version.substr(2)) < 22);
    return old ? "TimescaleDB " + version + " matches no indexes of chunks" : "";
  }

  /// Twelve of them, those of partitions on two levels; two indexes.
  std::string table_sql() const {
    const std::string columns = "(a int NOT NULL, k int NOT NULL, v int, t text)";
    const std::string rest =
        "INSERT INTO e SELECT n * 10, n % 3, n, 'x' || n % 7 FROM generate_series(0, 119) n;"
        "CREATE INDEX e_v ON e (v); CREATE INDEX e_gone ON e (t);"
        "CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.025) WHERE n BETWEEN 0 AND 119; RETURN n; END $$;";
    if (chunks)
      return "SET client_min_messages TO error; CREATE EXTENSION timescaledb; CREATE TABLE e " + columns +
             "; SELECT create_hypertable('e', 'a', chunk_time_interval => 100, create_default_indexes => "
             "false); " +
             rest;
    std::string sql = "CREATE TABLE e " + columns + " PARTITION BY RANGE (a);";
    for (int part = 0; part < 4; ++part) {
      const std::string middle = "e" + std::to_string(part);
      sql += "CREATE TABLE " + middle + " PARTITION OF e FOR VALUES FROM (" + std::to_string(part * 300) +
             ") TO (" + std::to_string(part * 300 + 300) + ") PARTITION BY LIST (k);";
      for (int leaf = 0; leaf < 3; ++leaf)
        sql += "CREATE TABLE " + middle + "_" + std::to_string(leaf) + " PARTITION OF " + middle +
               " FOR VALUES IN (" + std::to_string(leaf) + ");";
    }
    return sql + rest;
  }

  std::string leaf() const { return chunks ? "_timescaledb_internal._hyper_1_5_chunk" : "e1_1"; }
};

inline constexpr Parted makes[] = {{"partitions", false}, {"chunks", true}};

/// All indexes of a database's own tables and chunks with what they belong to.
inline std::string index_catalog(const Database& database) {
  return database.text(R"(
    SELECT coalesce(string_agg(format('%s valid=%s ready=%s of %s: %s -- %s', i.indexrelid::regclass, i.indisvalid,
             i.indisready, h.inhparent::regclass, pg_get_indexdef(i.indexrelid), obj_description(i.indexrelid)),
             E'\n' ORDER BY i.indexrelid::regclass::text), '')
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid
    WHERE t.relnamespace = 'public'::regnamespace OR t.relname ~ '^_hyper_')");
}

inline std::string invalid_indexes(const Database& database) {
  return database.text(
      "SELECT coalesce(string_agg(indexrelid::regclass::text, ' '), '') FROM pg_index WHERE NOT indisvalid");
}

/// kdb with a profile.
class ProfileRun {
 public:
  explicit ProfileRun(const std::string& profile) { folder_.write("p.toml", profile); }

  std::vector<std::string> command(const std::string& url, const std::string& word) const {
    std::vector<std::string> command = {KDB_BINARY,     word,
                                        "-d",           url,
                                        "-p",           folder_.path() / "p.toml",
                                        "--migrations", folder_.write("m/.keep", "").parent_path().string()};
    if (word == "apply") command.insert(command.end(), {"--allow", "INDEX_DROPPED"});
    if (word == "plan") command.emplace_back("--exit-code");
    return command;
  }
  Run apply(const Database& database, const std::vector<std::string>& options = {}) const {
    std::vector<std::string> all = command(database.url(), "apply");
    all.insert(all.end(), options.begin(), options.end());
    return run(all);
  }
  Run plan(const Database& database) const { return run(command(database.url(), "plan")); }

 private:
  TempDir folder_;
};

/// One index is made, one made unique, one replaced, one dropped.
inline constexpr const char* everything = R"toml(
[indexes.e_new]
table = "e"
columns = ["v DESC", "lower(t)"]
include = ["k"]
comment = "made"
[indexes.e_unique]
table = "e"
columns = ["a", "k"]
unique = true
[indexes.e_v]
table = "e"
columns = ["v"]
where = "v > 5"
[indexes.e_gone]
table = "e"
columns = ["t"]
state = "absent"
)toml";

/// A database with the table, and one with the end state that nothing disturbed.
struct Start {
  Parted make;
  ProfileRun run{everything};

  void fill(const Database& database) const { database.exec(make.table_sql()); }

  std::string undisturbed() const {
    const Database database;
    fill(database);
    const Run applied = run.apply(database);
    REQUIRE_MESSAGE(applied.exit == 0, applied.err);
    return index_catalog(database);
  }
};

template <class Body>
void for_each_make(const Body& body) {
  for (const Parted& make : makes) {
    CAPTURE(std::string(make.name));
    if (const std::string why = make.missing(); !why.empty())
      skip(std::string(make.name) + ": " + why);
    else
      body(make);
  }
}

/// Sessions that read and write a table all the time, and note how long they had to wait.
class Traffic {
 public:
  Traffic(const std::string& url, std::vector<std::string> statements) {
    for (const std::string& sql : statements) threads_.emplace_back([this, url, sql] { keep_on(url, sql); });
  }
  ~Traffic() { stop(); }
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  void stop() {
    ended_ = true;
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  int statements() const { return statements_; }
  int failures() const { return failures_; }
  std::chrono::milliseconds longest() const { return std::chrono::milliseconds(longest_); }

 private:
  void keep_on(const std::string& url, const std::string& sql) {
    try {
      Session session(url);
      while (!ended_) {
        const auto begun = std::chrono::steady_clock::now();
        session.exec(sql);
        const auto took =
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
        for (auto seen = longest_.load(); seen < took.count();)
          if (longest_.compare_exchange_weak(seen, took.count())) break;
        ++statements_;
      }
    } catch (const pg::ServerError& error) {
      ++failures_;
      std::fprintf(stderr, "traffic: %s\n%s\n", error.what(), error.detail.c_str());
    } catch (const std::exception& error) {
      ++failures_;
      std::fprintf(stderr, "traffic: %s\n", error.what());
    }
  }

  std::atomic<bool> ended_{false};
  std::atomic<int> statements_{0};
  std::atomic<int> failures_{0};
  std::atomic<std::int64_t> longest_{0};
  std::vector<std::thread> threads_;
};

}  // namespace kdb::test
