#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lint/input.hpp"
#include "lint/known_tables.hpp"
#include "lint/statement.hpp"
#include "model/change.hpp"

namespace kdb::lint {

class Findings;

/// What a rule cannot do without.
enum class Need {
  files,
  server,  // a live schema, and what is known of the server
};

/// One judgement: a row of the table in rules.cpp. Names are squawk's where the rule is. Errors are what is
/// certain to fail, or destroys what nobody named; warnings are what hurts where a table is big or busy;
/// notes are taste, and what is good to know.
struct Rule {
  std::string_view name;
  Finding::Level level = Finding::Level::warning;
  std::string_view summary;                    // what it finds, in one line
  std::string_view why;                        // what goes wrong
  std::string_view lock;                       // which one, and what waits; empty where none matters
  std::string_view instead;                    // the safe way; each line is a paragraph, an indented one SQL
  std::vector<std::string_view> aliases = {};  // other names of it in comments and --explain
  Need needs = Need::files;
  bool in_down = true;  // down sections too

  // Exactly one of these, called for every statement, every script, or once.
  void (*statement)(const Statement& statement, Findings& findings) = nullptr;
  void (*script)(const MigrationScripts& migration, const Script& script, Findings& findings) = nullptr;
  void (*whole)(const Input& input, const KnownTables& tables, Findings& findings) = nullptr;
};

/// All rules, by name.
std::span<const Rule> rules();

/// By name or alias; null if there is none.
const Rule* find_rule(std::string_view name);

/// Names that rules are called by, aliases left out.
std::vector<std::string_view> rule_names();

/// What rules find.
class Findings {
 public:
  /// What is added from here on is of this rule.
  void of(const Rule& rule) { rule_ = &rule; }
  void add(Source where, std::string message, std::string hint = {}) {
    found_.push_back(
        {.rule = std::string(rule_->name),
         .level = rule_->level,
         .problem = {.message = std::move(message), .where = std::move(where), .hint = std::move(hint)}});
  }
  std::vector<Finding> take() { return std::move(found_); }

 private:
  const Rule* rule_ = nullptr;
  std::vector<Finding> found_;
};

// One file each, or one per small family.
Rule adding_field_with_default();
Rule adding_foreign_key_constraint();
Rule adding_not_nullable_field();
Rule adding_required_field();
Rule adding_serial_primary_key_field();
Rule ban_alter_domain_with_add_constraint();
Rule ban_char_field();
Rule ban_concurrent_index_creation_in_transaction();
Rule ban_create_domain_with_constraint();
Rule ban_drop_column();
Rule ban_drop_database();
Rule ban_drop_not_null();
Rule ban_drop_table();
Rule ban_duplicate_column_assignments();
Rule ban_truncate_cascade();
Rule brin_beside_btree();
Rule brin_uncorrelated();
Rule changing_column_type();
Rule columnstore_without_order_by();
Rule columnstore_without_segment_by();
Rule concurrent_index_if_not_exists();
Rule concurrent_lock_timeout();
Rule constant_index_column();
Rule constraint_missing_not_valid();
Rule deletes_data();
Rule disallowed_unique_constraint();
Rule duplicate_index();
Rule few_rows_per_segment();
Rule gin_for_one_key();
Rule identifier_too_long();
Rule ignore_without_reason();
Rule index_column_order();
Rule index_entry_too_wide();
Rule index_include_unbounded();
Rule lookup_in_every_chunk();
Rule many_chunks_with_jit();
Rule missing_down();
Rule mixed_transactions();
Rule newer_grammar();
Rule prefer_bigint_over_int();
Rule prefer_bigint_over_smallint();
Rule prefer_identity();
Rule prefer_repack();
Rule prefer_robust_stmts();
Rule prefer_text_field();
Rule prefer_timestamptz();
Rule query_without_index();
Rule redundant_index();
Rule refresh_beyond_retention();
Rule renaming_column();
Rule renaming_table();
Rule require_concurrent_index_creation();
Rule require_concurrent_index_deletion();
Rule require_concurrent_partition_detach();
Rule require_concurrent_reindex();
Rule require_enum_value_ordering();
Rule require_lock_timeout();
Rule segment_by_unique();
Rule space_dimension();
Rule transaction_nesting();
Rule unique_index_without_partition_column();
Rule unused_ignore();
Rule validating_in_same_transaction();

}  // namespace kdb::lint
