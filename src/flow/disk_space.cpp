#include "flow/disk_space.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/allowance.hpp"
#include "base/hazard_list.hpp"
#include "base/text.hpp"
#include "host/server_disk.hpp"

namespace kdb::flow {

namespace {

struct Disk {
  std::string data;
  std::uint64_t free = 0;
};

/// Of the server, if it is on this machine and the role may know where.
std::optional<Disk> read_disk(Session& session) {
  const pg::Result place = session.connection->exec(
      "SELECT setting, pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::bigint "
      "FROM pg_catalog.pg_settings WHERE name = 'data_directory'");
  if (place.empty() || place.is_null(0, 0)) return std::nullopt;
  const std::optional<std::uint64_t> free = host::free_disk(place.text(0, 0), place.integer(0, 1));
  return free ? std::optional(Disk{.data = place.text(0, 0), .free = *free}) : std::nullopt;
}

}  // namespace

void refuse_full_disk(const Context& context, const std::vector<Change>& changes,
                      const std::vector<std::string>& allow) {
  std::uint64_t needed = 0;
  for (const Change& change : changes) needed += static_cast<std::uint64_t>(change.estimate.disk.value_or(0));
  constexpr std::uint64_t unnoticed = 64 << 20;  // as much comes and goes by itself
  const bool allowed = std::any_of(allow.begin(), allow.end(), [](const std::string& allowance) {
    return sql::permits(allowance, sql::hazard::disk_space, "");
  });
  if (needed < unnoticed || allowed) return;
  const std::optional<Disk> disk = read_again(context, [&] {
    Session session = open_session(context);
    return read_disk(session);
  });
  if (!disk || disk->free > needed) return;
  throw Error(Exit::refused,
              fmt::format("the new indexes may take {}, and {} are free where the server has its data, {}",
                          human_bytes(needed), human_bytes(disk->free), disk->data),
              fmt::format("make room, or apply some of them at a time; `--allow {}` begins all the same",
                          sql::hazard::disk_space));
}

}  // namespace kdb::flow
