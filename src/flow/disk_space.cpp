#include "flow/disk_space.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/allowance.hpp"
#include "base/hazard_list.hpp"
#include "base/text.hpp"
#include "host/server_disk.hpp"

namespace kdb::flow {

namespace {

constexpr std::uint64_t unnoticed = 64 << 20;  // as much comes and goes by itself

/// What is needed on one file system.
struct Need {
  std::uint64_t bytes = 0;
  std::uint64_t free = 0;
  std::string place;  // "where the server has its data, /var/lib/…"
};

/// What a tablespace needs is added to its file system's, as far as that is on this machine and the role may
/// know where.
void add_need(Session& session, const std::string& tablespace, std::uint64_t bytes,
              std::map<std::uint64_t, Need>& needs) {
  // The location of pg_default is empty, and relative to the data directory where it is "in place".
  const pg::Result row = session.connection->exec(fmt::format(
      "SELECT s.setting, pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::bigint, "
      "pg_catalog.pg_tablespace_location(t.oid), t.spcname "
      "FROM pg_catalog.pg_settings s, pg_catalog.pg_tablespace t, pg_catalog.pg_database d "
      "WHERE s.name = 'data_directory' AND d.datname = pg_catalog.current_database() "
      "AND CASE WHEN {0} = '' THEN t.oid = d.dattablespace ELSE t.spcname = {0} END",
      quote_literal(tablespace)));
  if (row.empty() || row.is_null(0, 0)) return;
  const std::string data = row.text(0, 0);
  const std::string& location = row.text(0, 2);
  const std::string folder = location.empty()            ? data
                             : location.starts_with('/') ? location
                                                         : data + "/" + location;
  const std::optional<host::FileSystem> disk = host::find_disk(folder, data, row.integer(0, 1));
  if (!disk) return;
  Need& need = needs[disk->device];
  need.bytes += bytes;
  need.free = disk->free;
  need.place = location.empty() ? "where the server has its data, " + data
                                : fmt::format("in tablespace {}, {}", row.text(0, 3), folder);
}

}  // namespace

void refuse_full_disk(const Context& context, const std::vector<Change>& changes,
                      const std::vector<std::string>& allow) {
  std::map<std::string, std::uint64_t> needed;  // by tablespace
  for (const Change& change : changes)
    if (change.estimate.disk)
      needed[change.estimate.tablespace] += static_cast<std::uint64_t>(*change.estimate.disk);
  std::uint64_t all = 0;
  for (const auto& [tablespace, bytes] : needed) all += bytes;
  const bool allowed = std::any_of(allow.begin(), allow.end(), [](const std::string& allowance) {
    return sql::permits(allowance, sql::hazard::disk_space, "");
  });
  if (all < unnoticed || allowed) return;
  const auto needs = read_again(context, [&] {
    Session session = open_session(context);
    std::map<std::uint64_t, Need> by_device;
    for (const auto& [tablespace, bytes] : needed) add_need(session, tablespace, bytes, by_device);
    return by_device;
  });
  for (const auto& [device, need] : needs)
    if (need.bytes >= unnoticed && need.free <= need.bytes)
      throw Error(Exit::refused,
                  fmt::format("the new indexes may take {}, and {} are free {}", human_bytes(need.bytes),
                              human_bytes(need.free), need.place),
                  fmt::format("make room, or apply some of them at a time; `--allow {}` begins all the same",
                              sql::hazard::disk_space));
}

}  // namespace kdb::flow
