#include "kinds/index_flags.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/text.hpp"

namespace kdb {

namespace {

bool identifies_rows(const Index& index) {
  return index.unique && index.where.sql.empty() &&
         std::none_of(index.columns.begin(), index.columns.end(),
                      [](const Fragment& key) { return plain_column(key).empty(); });
}

bool orders_rows(const Index& index) {
  return index.where.sql.empty() && (index.method == "btree" || index.method == "gist");
}

}  // namespace

IndexFlags refused_flags(const IndexFlags& flags, const Index& index) {
  return {flags.replica_identity && !identifies_rows(index), flags.clustered && !orders_rows(index)};
}

std::vector<ChangeStep> set_flags(const IndexFlags& flags, const Index& index, const ObjectName& table,
                                  const std::string& name, const Surroundings& around) {
  std::vector<ChangeStep> steps;
  const auto add = [&](std::string_view what, std::string purpose, LockMode mode) {
    steps.push_back({.sql = fmt::format("ALTER TABLE {} {} {}", to_sql(table), what, quote_ident(name)),
                     .purpose = std::move(purpose),
                     .lock = {mode, around.text(table)},
                     .hazards = {}});
  };
  if (flags.replica_identity && identifies_rows(index))
    add("REPLICA IDENTITY USING INDEX", "makes the new one the replica identity", LockMode::access_exclusive);
  if (flags.clustered && orders_rows(index))
    add("CLUSTER ON", "keeps the order for CLUSTER", LockMode::share_update_exclusive);
  return steps;
}

std::vector<std::string> flag_words(const IndexFlags& flags) {
  std::vector<std::string> words;
  if (flags.replica_identity) words.emplace_back("the replica identity");
  if (flags.clustered) words.emplace_back("the order for CLUSTER");
  return words;
}

Hazard identity_hazard(const std::string& index, const std::string& table) {
  return {
      .id = std::string(sql::hazard::index_dropped),
      .object = index,
      .reason = fmt::format("replicas find the rows of {} by it: where it is published, UPDATE and DELETE "
                            "fail without",
                            table),
      .blocks = true};
}

}  // namespace kdb
