#include "lint/rules.hpp"

#include <algorithm>

namespace kdb::lint {

std::span<const Rule> rules() {
  static const std::vector<Rule> rows = {
      adding_field_with_default(),
      adding_foreign_key_constraint(),
      adding_not_nullable_field(),
      adding_required_field(),
      adding_serial_primary_key_field(),
      ban_alter_domain_with_add_constraint(),
      ban_char_field(),
      ban_concurrent_index_creation_in_transaction(),
      ban_create_domain_with_constraint(),
      ban_drop_column(),
      ban_drop_database(),
      ban_drop_not_null(),
      ban_drop_table(),
      ban_duplicate_column_assignments(),
      ban_truncate_cascade(),
      brin_beside_btree(),
      brin_uncorrelated(),
      changing_column_type(),
      columnstore_without_order_by(),
      columnstore_without_segment_by(),
      concurrent_index_if_not_exists(),
      concurrent_lock_timeout(),
      constant_index_column(),
      constraint_missing_not_valid(),
      deletes_data(),
      disallowed_unique_constraint(),
      duplicate_index(),
      few_rows_per_segment(),
      gin_for_one_key(),
      identifier_too_long(),
      ignore_without_reason(),
      index_column_order(),
      index_entry_too_wide(),
      index_include_unbounded(),
      lookup_in_every_chunk(),
      many_chunks_with_jit(),
      missing_down(),
      mixed_transactions(),
      newer_grammar(),
      prefer_bigint_over_int(),
      prefer_bigint_over_smallint(),
      prefer_identity(),
      prefer_repack(),
      prefer_robust_stmts(),
      prefer_text_field(),
      prefer_timestamptz(),
      query_without_index(),
      redundant_index(),
      refresh_beyond_retention(),
      renaming_column(),
      renaming_table(),
      require_concurrent_index_creation(),
      require_concurrent_index_deletion(),
      require_concurrent_partition_detach(),
      require_concurrent_reindex(),
      require_enum_value_ordering(),
      require_lock_timeout(),
      segment_by_unique(),
      space_dimension(),
      transaction_nesting(),
      unique_index_without_partition_column(),
      unused_ignore(),
      validating_in_same_transaction(),
  };
  return rows;
}

const Rule* find_rule(std::string_view name) {
  const std::span<const Rule> rows = rules();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Rule& rule) {
    return rule.name == name ||
           std::find(rule.aliases.begin(), rule.aliases.end(), name) != rule.aliases.end();
  });
  return found == rows.end() ? nullptr : &*found;
}

std::vector<std::string_view> rule_names() {
  std::vector<std::string_view> names;
  for (const Rule& rule : rules()) names.push_back(rule.name);
  return names;
}

}  // namespace kdb::lint
