#include "kinds/index_part_steps.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/text.hpp"

namespace kdb {

ChangeStep& IndexPartSteps::add(std::string sql, std::string purpose, LockMode mode, const ObjectName& on) {
  return steps_.emplace_back(ChangeStep{
      .sql = std::move(sql), .purpose = std::move(purpose), .lock = {mode, around_.text(on)}, .hazards = {}});
}

void IndexPartSteps::append(std::vector<ChangeStep> steps) {
  std::move(steps.begin(), steps.end(), std::back_inserter(steps_));
}

ChangeStep& IndexPartSteps::declare_on(const ObjectName& table, const ObjectName& name) {
  return add(create_sql(index_, quote_ident(name.name), "ONLY " + to_sql(table), false),
             "declares it, and builds nothing", LockMode::share, table);
}

ChangeStep& IndexPartSteps::build_on(const Part& part, const ObjectName& name) {
  ChangeStep& step =
      add(create_sql(index_, quote_ident(name.name), to_sql(part.name), true),
          "builds a part of it while that is read and written", LockMode::share_update_exclusive, part.name);
  step.in_transaction = false;
  if (!building_)
    step.hazards.push_back(
        {.id = std::string(sql::hazard::index_build),
         .object = around_.text(index_.name),
         .reason = fmt::format("reads {} part by part and writes the index", around_.text(index_.table)),
         .needs_rows = true});
  building_ = true;
  return step;
}

void IndexPartSteps::drop_broken(const Part& part, const ObjectName& name) {
  const bool online = part.is_leaf();
  ChangeStep& step = add(fmt::format("DROP INDEX {}{}", online ? "CONCURRENTLY " : "", to_sql(name)),
                         "removes what an interrupted build left",
                         online ? LockMode::share_update_exclusive : LockMode::access_exclusive, part.name);
  step.in_transaction = !online;
  step.tidies = true;
  names().release(name);
}

void IndexPartSteps::drop_broken(const Part& part, const Live<Index>& index) {
  drop_broken(part, names().name_of(index));
  names().release(index);
}

void IndexPartSteps::rebuild(const Part& part, const ObjectName& name) {
  add("REINDEX INDEX CONCURRENTLY " + to_sql(name),
      "builds a part of it again while that is read and written", LockMode::share_update_exclusive, part.name)
      .in_transaction = false;
}

bool IndexPartSteps::is_free_on(const Live<Index>& one, const Part& part) const {
  return one.value.table == part.name && !names().is_retired(one.value.name);
}

const Live<Index>* IndexPartSteps::twin_on(const Part& part) const {
  const auto is_twin = [&](const Live<Index>& one) {
    return is_free_on(one, part) && one.facts.building == 0 && one.value.with == index_.with &&
           one.value.tablespace == index_.tablespace && structure_of(one.value) == structure_of(index_) &&
           !around_.is_declared(names().name_of(one));
  };
  const Live<Index>* found = nullptr;
  for (const Live<Index>& one : around_.live.of<Index>())
    if (is_twin(one) && (found == nullptr || (one.facts.valid && !found->facts.valid))) found = &one;
  return found;
}

// DefineIndex() goes through RelationGetIndexList(), which is in the order of oids, with CompareIndexInfo().
const Live<Index>* IndexPartSteps::first_alike_on(const Part& part) const {
  const auto is_older = [](const std::string& a, const std::string& b) {
    return a.size() == b.size() ? a < b : a.size() < b.size();
  };
  const std::string wanted = unordered_structure_of(index_);
  const Live<Index>* found = nullptr;
  for (const Live<Index>& one : around_.live.of<Index>())
    if (is_free_on(one, part) && (found == nullptr || is_older(one.facts.oid, found->facts.oid)) &&
        unordered_structure_of(one.value) == wanted)
      found = &one;
  return found;
}

}  // namespace kdb
