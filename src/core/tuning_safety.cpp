#include "core/tuning_rules.hpp"

namespace kdb {

namespace {

/// Of a setting that is on for good reason.
template <const char* name, const char* without>
Judgement judge_guard(const Sizing& sizing) {
  if (sizing.is_on(name)) return {"as by default, and needed", {}};
  return {"off", {without}};
}

/// Of one that reads on over damage.
template <const char* name, const char* what>
Judgement judge_rescue(const Sizing& sizing) {
  if (!sizing.is_on(name)) return {"off, as by default", {}};
  return {"for the rescue of a damaged database", {what}};
}

constexpr char fsync[] = "fsync";
constexpr char without_fsync[] = "after a crash of the machine the database may be beyond repair";
constexpr char full_pages[] = "full_page_writes";
constexpr char without_full_pages[] =
    "a page that was half written when the machine crashed is lost, unless the file system never does that";
constexpr char vacuum[] = "autovacuum";
constexpr char without_vacuum[] =
    "dead rows and old statistics stay until somebody vacuums, and before transaction ids run out it comes "
    "all the same";
constexpr char zero_pages[] = "zero_damaged_pages";
constexpr char with_zero_pages[] = "a damaged page is emptied when it is read, and its rows are gone";
constexpr char no_checksums[] = "ignore_checksum_failure";
constexpr char with_no_checksums[] = "what is damaged is read and written on as if it were right";

constexpr TuningRule safety_table[] = {
    {fsync, nullptr, judge_guard<fsync, without_fsync>},
    {full_pages, nullptr, judge_guard<full_pages, without_full_pages>},
    {vacuum, nullptr, judge_guard<vacuum, without_vacuum>},
    {zero_pages, nullptr, judge_rescue<zero_pages, with_zero_pages>},
    {no_checksums, nullptr, judge_rescue<no_checksums, with_no_checksums>},
};

}  // namespace

const std::span<const TuningRule> safety_rules = safety_table;

}  // namespace kdb
