// ALTER INDEX … SET on a hypertable's index leaves those of its chunks as they are.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "kinds/index_part_steps.hpp"
#include "kinds/index_parts.hpp"

namespace kdb {

namespace {

std::vector<FieldChange> changed_parameters(const Options& desired, const Options& live) {
  FieldComparer comparer("", nullptr);
  comparer("with", desired, live);
  return comparer.take();
}

bool all_change_in_place(const std::vector<FieldChange>& changes) {
  return std::all_of(changes.begin(), changes.end(), [](const FieldChange& change) {
    return changes_in_place(std::string_view(change.field).substr(5));
  });
}

/// Those of one chunk.
class ChunkAlteration {
 public:
  ChunkAlteration(IndexPartSteps& steps, const Part& chunk, std::vector<const PartIndex*> there)
      : do_(steps), chunk_(chunk), there_(std::move(there)) {}

  void add() {
    std::erase_if(there_, [](const PartIndex* one) { return !one->valid; });
    if (there_.empty()) return;  // built with the new parameters by then
    const auto is_right = [&](const PartIndex* one) { return differences(*one).empty(); };
    const auto right = std::find_if(there_.begin(), there_.end(), is_right);
    const bool leftovers = there_.size() > 1;
    if (right != there_.end()) {
      if (leftovers) take_over(*right);
    } else if (all_change_in_place(differences(*there_.front()))) {
      set(do_.names().name_of(*there_.front()));
    } else {
      replace();
    }
  }

 private:
  std::vector<FieldChange> differences(const PartIndex& one) const {
    return changed_parameters(do_.index().with, one.with);
  }

  void set(const ObjectName& name) {
    for (std::string& sql : alter_parameters_sql(name, differences(*there_.front())))
      do_.add(std::move(sql), "applies to pages of the chunk written from now on",
              LockMode::share_update_exclusive, chunk_.name);
  }

  void replace() {
    const ObjectName made = choose_name();
    do_.build_on(chunk_, made);
    finish(made, there_);
  }

  /// An earlier run built it beside the old one.
  void take_over(const PartIndex* right) {
    std::vector<const PartIndex*> rest = there_;
    std::erase(rest, right);
    finish(do_.names().name_of(*right), rest);
  }

  void finish(const ObjectName& made, const std::vector<const PartIndex*>& old) {
    for (const PartIndex* one : old) {
      const ObjectName name = do_.names().name_of(*one);
      do_.add("DROP INDEX CONCURRENTLY " + to_sql(name), "removes the old one",
              LockMode::share_update_exclusive, chunk_.name)
          .in_transaction = false;
      do_.names().release(name);
    }
    do_.names().release(made);
    const ObjectName name = choose_name();
    if (made != name)
      do_.add(fmt::format("ALTER INDEX {} RENAME TO {}", to_sql(made), quote_ident(name.name)),
              "gives the new one its name", LockMode::share_update_exclusive, chunk_.name);
  }

  ObjectName choose_name() { return choose_chunk_name(do_, chunk_, do_.index().name.name); }

  IndexPartSteps& do_;
  const Part& chunk_;
  std::vector<const PartIndex*> there_;
};

}  // namespace

bool can_alter_chunks(const Index& desired, const std::vector<FieldChange>& fields,
                      const Surroundings& around) {
  const auto& indexes = around.live.of<Index>();
  const auto alike = std::count_if(indexes.begin(), indexes.end(), [&](const Live<Index>& one) {
    return one.value.table == desired.table && structure_of(one.value) == structure_of(desired);
  });
  return alike == 1 && std::all_of(fields.begin(), fields.end(), [](const FieldChange& change) {
           return change.field == "comment" || change.field.starts_with("statistics.") ||
                  change.field.starts_with("with.");
         });
}

std::vector<ChangeStep> alter_on_chunks(const Index& desired, const Live<Index>& live,
                                        const Surroundings& around) {
  IndexPartSteps steps(desired, around);
  for (const Part& chunk : around.table(desired.table).parts) {
    std::vector<const PartIndex*> there;
    for (const PartIndex& one : live.facts.parts)
      if (one.part == chunk.oid) there.push_back(&one);
    ChunkAlteration(steps, chunk, std::move(there)).add();
  }
  return steps.take();
}

}  // namespace kdb
