#include "core/reference_data.hpp"

#include <algorithm>

#include "core/reference_rows.hpp"

namespace kdb {

namespace {

struct TableOfReference {
  ReferenceTable table;
  std::string_view name;
  std::string_view columns;
  RowWriter (*writer)(const ReferenceData& data);
};

constexpr TableOfReference tables_of_reference[] = {
    {ReferenceTable::metrics, "klaviyo_metrics",
     "id, name, integration_name, integration_category, created_at, updated_at, synced_at", metric_rows},
    {ReferenceTable::campaigns, "klaviyo_campaigns",
     "id, name, channel, status, archived, audiences, send_options, scheduled_at, sent_at, created_at, "
     "updated_at, synced_at",
     campaign_rows},
    {ReferenceTable::profiles, "klaviyo_profiles",
     "id, email, phone_number, external_id, first_name, last_name, locale, location, properties, created_at, "
     "updated_at, synced_at",
     profile_rows},
    {ReferenceTable::events, "klaviyo_events",
     "id, metric_id, profile_id, \"timestamp\", value, properties, synced_at", event_rows},
};

const TableOfReference& entry_of(ReferenceTable table) {
  return tables_of_reference[static_cast<size_t>(table)];
}

}  // namespace

const std::vector<ReferenceTable>& reference_tables() {
  static const std::vector<ReferenceTable> tables = {ReferenceTable::metrics, ReferenceTable::campaigns,
                                                     ReferenceTable::profiles, ReferenceTable::events};
  return tables;
}

std::string_view to_string(ReferenceTable table) { return entry_of(table).name; }

std::optional<ReferenceTable> reference_table(std::string_view name) {
  for (const TableOfReference& entry : tables_of_reference)
    if (entry.name == name) return entry.table;
  return std::nullopt;
}

std::string_view columns_of(ReferenceTable table) { return entry_of(table).columns; }

std::int64_t ReferenceData::rows(ReferenceTable table) const {
  switch (table) {
    case ReferenceTable::metrics:
      return reference_metric_count;
    case ReferenceTable::campaigns:
      return reference_campaign_count;
    case ReferenceTable::profiles:
      return profiles > 0 ? profiles : std::max<std::int64_t>(1'000, events / 25);
    case ReferenceTable::events:
      return events;
  }
  return 0;
}

ReferenceRows::ReferenceRows(ReferenceTable table, const ReferenceData& data)
    : write_(entry_of(table).writer(data)), rows_(data.rows(table)) {}

std::int64_t ReferenceRows::append(std::string& buffer, std::int64_t most) {
  const std::int64_t end = std::min(rows_, next_ + most);
  const std::int64_t appended = end - next_;
  for (; next_ < end; ++next_) write_(buffer, next_);
  return appended;
}

}  // namespace kdb
