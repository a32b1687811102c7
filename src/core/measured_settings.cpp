#include "core/measured_settings.hpp"

#include <algorithm>
#include <string>

#include "base/text.hpp"

namespace kdb {

namespace {

// A list of what is allowed: the settings that load code or name files are more with each major and each
// extension (jit_provider, plperl.on_init, oauth_validator_libraries …), and one that is forgotten here is
// measured without and says so. By category of pg_settings. -- PG docs 19, 54.24
constexpr std::string_view cost_settings[] = {
    // Connections and Authentication / Connection Settings
    "max_connections", "reserved_connections", "superuser_reserved_connections",
    // Resource Usage / Memory
    "autovacuum_work_mem", "commit_timestamp_buffers", "dynamic_shared_memory_type", "hash_mem_multiplier",
    "huge_page_size", "huge_pages", "logical_decoding_work_mem", "maintenance_work_mem",
    "max_prepared_transactions", "max_stack_depth", "min_dynamic_shared_memory", "multixact_member_buffers",
    "multixact_offset_buffers", "notify_buffers", "serializable_buffers", "shared_buffers",
    "shared_memory_type", "subtransaction_buffers", "temp_buffers", "transaction_buffers",
    "vacuum_buffer_usage_limit", "work_mem",
    // … / Disk, Kernel Resources, Background Writer
    "temp_file_limit", "max_files_per_process", "bgwriter_delay", "bgwriter_flush_after",
    "bgwriter_lru_maxpages", "bgwriter_lru_multiplier",
    // … / I/O, Worker Processes
    "backend_flush_after", "effective_io_concurrency", "io_combine_limit", "io_max_combine_limit",
    "io_max_concurrency", "io_method", "io_workers", "maintenance_io_concurrency", "max_parallel_workers",
    "max_parallel_maintenance_workers", "max_parallel_workers_per_gather", "max_worker_processes",
    "old_snapshot_threshold", "parallel_leader_participation",
    // Write-Ahead Log
    "checkpoint_completion_target", "checkpoint_flush_after", "checkpoint_warning", "commit_delay",
    "commit_siblings", "max_wal_senders", "min_wal_size", "wal_buffers", "wal_compression", "wal_init_zero",
    "wal_log_hints", "wal_recycle", "wal_skip_threshold", "wal_sync_method", "wal_writer_delay",
    "wal_writer_flush_after",
    // Query Tuning / Planner Method Configuration
    "enable_async_append", "enable_bitmapscan", "enable_distinct_reordering", "enable_gathermerge",
    "enable_group_by_reordering", "enable_hashagg", "enable_hashjoin", "enable_incremental_sort",
    "enable_indexonlyscan", "enable_indexscan", "enable_material", "enable_memoize", "enable_mergejoin",
    "enable_nestloop", "enable_parallel_append", "enable_parallel_hash", "enable_partition_pruning",
    "enable_partitionwise_aggregate", "enable_partitionwise_join", "enable_presorted_aggregate",
    "enable_self_join_elimination", "enable_seqscan", "enable_sort", "enable_tidscan",
    // … / Planner Cost Constants
    "cpu_index_tuple_cost", "cpu_operator_cost", "cpu_tuple_cost", "effective_cache_size", "jit_above_cost",
    "jit_inline_above_cost", "jit_optimize_above_cost", "min_parallel_index_scan_size",
    "min_parallel_table_scan_size", "parallel_setup_cost", "parallel_tuple_cost", "random_page_cost",
    "seq_page_cost",
    // … / Genetic Query Optimizer, Other Planner Options
    "geqo", "geqo_effort", "geqo_generations", "geqo_pool_size", "geqo_seed", "geqo_selection_bias",
    "geqo_threshold", "constraint_exclusion", "cursor_tuple_fraction", "default_statistics_target",
    "from_collapse_limit", "jit", "join_collapse_limit", "plan_cache_mode", "recursive_worktable_factor",
    // Vacuuming, Autovacuum
    "autovacuum_analyze_scale_factor", "autovacuum_analyze_threshold", "autovacuum_freeze_max_age",
    "autovacuum_max_workers", "autovacuum_multixact_freeze_max_age", "autovacuum_naptime",
    "autovacuum_vacuum_cost_delay", "autovacuum_vacuum_cost_limit", "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_vacuum_insert_threshold", "autovacuum_vacuum_max_threshold", "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_threshold", "autovacuum_worker_slots", "vacuum_cost_delay", "vacuum_cost_limit",
    "vacuum_cost_page_dirty", "vacuum_cost_page_hit", "vacuum_cost_page_miss", "vacuum_failsafe_age",
    "vacuum_freeze_min_age", "vacuum_freeze_table_age", "vacuum_max_eager_freeze_failure_rate",
    "vacuum_multixact_failsafe_age", "vacuum_multixact_freeze_min_age", "vacuum_multixact_freeze_table_age",
    "vacuum_truncate",
    // Client Connection Defaults / Statement Behavior, Locale and Formatting
    "default_text_search_config", "default_toast_compression", "default_transaction_deferrable",
    "default_transaction_isolation", "gin_fuzzy_search_limit", "gin_pending_list_limit",
    "idle_in_transaction_session_timeout", "idle_session_timeout", "lock_timeout", "statement_timeout",
    "transaction_timeout",
    // Lock Management, Version and Platform Compatibility
    "deadlock_timeout", "max_locks_per_transaction", "max_pred_locks_per_page", "max_pred_locks_per_relation",
    "max_pred_locks_per_transaction", "synchronize_seqscans",
    // Statistics
    "compute_query_id", "stats_fetch_consistency", "track_activities", "track_activity_query_size",
    "track_counts", "track_functions", "track_wal_io_timing",
    // Reporting and Logging: how much of it, not where to
    "log_autovacuum_min_duration", "log_checkpoints", "log_duration", "log_lock_waits",
    "log_min_duration_sample", "log_min_duration_statement", "log_statement", "log_statement_sample_rate",
    "log_temp_files", "log_transaction_sample_rate"};

/// Of an extension's settings, whose names nobody lists for each of its versions.
bool names_what_is_outside(std::string_view name) {
  constexpr std::string_view ends[] = {"command",  "library",   "libraries", "path",           "file",
                                       "dir",      "_proc",     "_init",     "directories",    "provider",
                                       "conninfo", "directory", "url",       "telemetry_level"};
  return std::any_of(std::begin(ends), std::end(ends), [&](auto end) { return name.ends_with(end); });
}

bool is_plain_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '.'; });
}

}  // namespace

bool only_changes_costs(std::string_view setting) {
  const std::string name = to_lower(setting);
  if (name.starts_with("timescaledb.")) return is_plain_name(name) && !names_what_is_outside(name);
  return std::find(std::begin(cost_settings), std::end(cost_settings), name) != std::end(cost_settings);
}

}  // namespace kdb
