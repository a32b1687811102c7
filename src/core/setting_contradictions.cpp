#include "core/setting_contradictions.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb {

namespace {

class Contradictions {
 public:
  Contradictions(const Sizing& sizing, const std::function<Source(std::string_view)>& place)
      : sizing_(sizing), place_(place) {}

  std::vector<Problem> find() {
    reserved_connections();
    minimal_wal();
    segments();
    locks();
    return std::move(found_);
  }

 private:
  void add(std::string_view name, const std::string& message) {
    found_.push_back({.message = "[server.settings] " + message,
                      .where = place_(name),
                      .hint = "the server would not start"});
  }
  double value(std::string_view name) const { return sizing_.number(name); }

  void reserved_connections() {
    const double reserved = value("superuser_reserved_connections") + value("reserved_connections");
    if (reserved >= value("max_connections"))
      add("superuser_reserved_connections",
          fmt::format("{} reserved connections are as many as max_connections ({}) or more", reserved,
                      value("max_connections")));
  }

  void minimal_wal() {
    if (to_lower(sizing_.text("wal_level")) != "minimal") return;
    if (value("max_wal_senders") > 0)
      add("wal_level",
          fmt::format("wal_level = minimal wants max_wal_senders = 0, not {}", value("max_wal_senders")));
    if (const std::string mode = to_lower(sizing_.text("archive_mode")); mode != "off" && !mode.empty())
      add("wal_level", fmt::format("wal_level = minimal wants archive_mode = off, not {}", mode));
  }

  void segments() {
    const double two = 2 * sizing_.bytes("wal_segment_size");
    for (const char* name : {"min_wal_size", "max_wal_size"})
      if (sizing_.bytes(name) < two)
        add(name, fmt::format("{} = {} is less than two segments of WAL ({})", name, sizing_.text(name),
                              people(two)));
  }

  void locks() {
    constexpr double of_a_lock = 270;  // bytes of shared memory, LOCK and PROCLOCK
    const double bytes = of_a_lock * value("max_locks_per_transaction") *
                         (value("max_connections") + value("max_prepared_transactions"));
    if (!sizing_.facts.memory || bytes < sizing_.memory() / 2) return;
    add("max_locks_per_transaction",
        fmt::format("max_locks_per_transaction = {} takes {} of {}", value("max_locks_per_transaction"),
                    people(bytes), people(sizing_.memory())));
  }

  const Sizing& sizing_;
  const std::function<Source(std::string_view)>& place_;
  std::vector<Problem> found_;
};

}  // namespace

std::vector<Problem> contradictions(const Sizing& sizing,
                                    const std::function<Source(std::string_view)>& place) {
  return Contradictions(sizing, place).find();
}

}  // namespace kdb
