#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/memory_budget.hpp"
#include "core/tuning_rules.hpp"

namespace kdb {

namespace {

std::string memory_of(const Sizing& sizing) { return people(sizing.memory()); }
bool knows_memory(const Sizing& sizing) { return sizing.facts.memory.has_value(); }

std::string share(const Sizing& sizing, double bytes) {
  return fmt::format("{:.3g} % of {}", 100 * bytes / sizing.memory(), memory_of(sizing));
}

/// Those that nobody but superusers and pg_use_reserved_connections gets; the server wants more in all.
double reserved(const Sizing& sizing) {
  return sizing.number("superuser_reserved_connections") + sizing.number("reserved_connections");
}

std::optional<Advice> max_connections(const Sizing& sizing) {
  if (const auto& wanted = sizing.facts.connections) {
    const int least = static_cast<int>(reserved(sizing)) + 1;
    if (wanted->value < least)
      return Advice{std::to_string(least), fmt::format("{} says {}, and {} are reserved for superusers",
                                                       wanted->source, wanted->value, least - 1)};
    return Advice{std::to_string(wanted->value), fmt::format("as {} says", wanted->source)};
  }
  if (sizing.is(Workload::olap))
    return Advice{"40", "few, big queries: each connection fewer leaves the others more memory"};
  if (sizing.is(Workload::oltp) || sizing.is(Workload::web))
    return Advice{"200", "many short transactions; with more than that a pooler in front is faster"};
  return std::nullopt;
}

Judgement judge_connections(const Sizing& sizing) {
  return {fmt::format("each may use work_mem ({}) for every sort, and about 5 MB besides",
                      sizing.text("work_mem")),
          {}};
}

std::optional<Advice> shared_buffers(const Sizing& sizing) {
  if (!knows_memory(sizing)) return std::nullopt;
  // PG docs 20.4: a quarter is a reasonable start, and less on a machine with under 1 GB.
  const double part = sizing.memory() < gigabyte ? 0.15 : 0.25;
  const double bytes = sizing.memory() * part;
  return Advice{size_text(bytes), fmt::format("{:.0f} % of {}; the rest caches files and is for queries",
                                              part * 100, memory_of(sizing))};
}

Judgement judge_shared_buffers(const Sizing& sizing) {
  if (!knows_memory(sizing)) return {"the server's own cache", {}};
  constexpr double too_much = 0.4;  // PG docs 20.4: more is unlikely to work better
  const double bytes = sizing.bytes("shared_buffers");
  Judgement judgement{share(sizing, bytes) + ": the server's own cache", {}};
  if (bytes > too_much * sizing.memory())
    judgement.against.push_back(
        fmt::format("more than 40 % leaves too little for queries and for the system's cache: {} of {}",
                    people(sizing.memory() - bytes), memory_of(sizing)));
  return judgement;
}

std::optional<Advice> effective_cache_size(const Sizing& sizing) {
  if (!knows_memory(sizing)) return std::nullopt;
  return Advice{size_text(sizing.memory() * 0.75),
                fmt::format("75 % of {}: what the planner may expect to find cached; allocates nothing",
                            memory_of(sizing))};
}

Judgement judge_effective_cache_size(const Sizing& sizing) {
  const double bytes = sizing.bytes("effective_cache_size");
  Judgement judgement{"what the planner may expect to find cached; allocates nothing", {}};
  if (bytes < sizing.bytes("shared_buffers"))
    judgement.against.push_back(fmt::format("less than shared_buffers ({}), which is cached for certain",
                                            sizing.text("shared_buffers")));
  if (!knows_memory(sizing)) return judgement;
  judgement.reason = share(sizing, bytes) + ": " + judgement.reason;
  if (bytes > sizing.memory())
    judgement.against.push_back(fmt::format("more than there is: {}", memory_of(sizing)));
  return judgement;
}

std::optional<Advice> maintenance_work_mem(const Sizing& sizing) {
  if (!knows_memory(sizing)) return std::nullopt;
  const double bytes = std::clamp(sizing.memory() / 16, 64 * megabyte, 2 * gigabyte);
  return Advice{
      size_text(bytes),
      fmt::format("a 16th of {}, from 64 MB to 2 GB: index builds are faster with it", memory_of(sizing))};
}

Judgement judge_maintenance_work_mem(const Sizing& sizing) {
  Judgement judgement{"for an index build or a VACUUM, each", {}};
  if (sizing.number("autovacuum_work_mem") < 0)
    judgement.against.push_back(fmt::format(
        "{} autovacuum workers take as much each, {} together: autovacuum_work_mem gives them less",
        sizing.number("autovacuum_max_workers"),
        people(sizing.number("autovacuum_max_workers") * sizing.bytes("maintenance_work_mem"))));
  return judgement;
}

std::optional<Advice> autovacuum_work_mem(const Sizing& sizing) {
  if (!knows_memory(sizing)) return std::nullopt;
  const double most = std::min(256 * megabyte, sizing.memory() / 64);
  const double bytes = std::min(std::max(most, 16 * megabyte), sizing.bytes("maintenance_work_mem"));
  return Advice{size_text(bytes),
                fmt::format("a 64th of {}, at most 256 MB: each worker takes it, and {}", memory_of(sizing),
                            sizing.facts.major >= 17 ? "dead rows are kept compactly since PostgreSQL 17"
                                                     : "VACUUM keeps 6 bytes of each dead row there")};
}

Judgement judge_autovacuum_work_mem(const Sizing& sizing) {
  if (sizing.number("autovacuum_work_mem") < 0)
    return {"as much as maintenance_work_mem, for each worker", {}};
  return {fmt::format("{} for {} workers",
                      people(sizing.bytes("autovacuum_work_mem") * sizing.number("autovacuum_max_workers")),
                      sizing.number("autovacuum_max_workers")),
          {}};
}

std::optional<Advice> work_mem(const Sizing& sizing) {
  if (!knows_memory(sizing)) return std::nullopt;
  constexpr double standard = 4 * megabyte;  // with less, everything sorts on disk
  const double fits = affordable_work_mem(sizing);
  const double bytes = std::clamp(fits, standard, gigabyte);
  if (fits < standard)
    return Advice{size_text(standard), fmt::format("the default: {} connections leave no more of {}",
                                                   sizing.number("max_connections"), memory_of(sizing))};
  return Advice{
      size_text(bytes),
      fmt::format("what {} leave if all {} connections and {} parallel workers run {} sort{} or hash{} each",
                  memory_of(sizing), sizing.number("max_connections"), sizing.number("max_parallel_workers"),
                  nodes_of(sizing.facts.workload.value),
                  nodes_of(sizing.facts.workload.value) == 1 ? "" : "s",
                  nodes_of(sizing.facts.workload.value) == 1 ? "" : "es")};
}

Judgement judge_work_mem(const Sizing& sizing) {
  const double each = sizing.bytes("work_mem");
  const double sorts = each * sizing.number("max_connections");
  const double together = sorts + sizing.bytes("shared_buffers");
  Judgement judgement{
      fmt::format("for every sort; a hash may take {:.3g} times as much, and each parallel worker its own",
                  std::max(1.0, sizing.number("hash_mem_multiplier"))),
      {}};
  if (!knows_memory(sizing)) return judgement;
  if (together > sizing.memory())
    judgement.against.push_back(
        fmt::format("does not fit: one sort in each of {} connections is {}, with shared_buffers {}, of {}; "
                    "a larger value for "
                    "the role that needs it ([roles.NAME] settings) costs only what that role uses",
                    sizing.number("max_connections"), people(sorts), people(together), memory_of(sizing)));
  else
    judgement.reason += fmt::format("; one in each of {} connections is {} of {}",
                                    sizing.number("max_connections"), people(sorts), memory_of(sizing));
  return judgement;
}

Judgement judge_huge_pages(const Sizing& sizing) {
  const std::string value = to_lower(sizing.text("huge_pages"));
  if (value == "try") return {"asked for, and done without where there are none", {}};
  if (value == "off") return {"none are asked for", {}};
  return {"the server does not start without enough of them",
          {fmt::format("shared_buffers alone needs {} pages of 2 MB set aside (vm.nr_hugepages)",
                       std::ceil(sizing.bytes("shared_buffers") / (2 * megabyte)))}};
}

// work_mem is what the others leave; the workers that it counts are chosen before.
constexpr TuningRule memory_table[] = {
    {"max_connections", max_connections, judge_connections},
    {"shared_buffers", shared_buffers, judge_shared_buffers},
    {"huge_pages", nullptr, judge_huge_pages},
    {"effective_cache_size", effective_cache_size, judge_effective_cache_size},
    {"maintenance_work_mem", maintenance_work_mem, judge_maintenance_work_mem},
    {"autovacuum_work_mem", autovacuum_work_mem, judge_autovacuum_work_mem},
    {"work_mem", work_mem, judge_work_mem},
};

}  // namespace

const std::span<const TuningRule> memory_rules = memory_table;

}  // namespace kdb
