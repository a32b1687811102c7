#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checksum.hpp"
#include "core/diff.hpp"
#include "core/kind_answers.hpp"
#include "core/profile_text.hpp"
#include "core/refusals.hpp"
#include "kinds/difference.hpp"

namespace kdb {

/// The changes of one kind. What only indexes need is in IndexDiff.
template <class T>
class KindDiff {
 public:
  KindDiff(const std::vector<Declared<T>>& desired, const std::vector<Live<T>>& live,
           const Surroundings& around, const std::set<ObjectName>& exclusive, const DiffOptions& options,
           Differences& found)
      : desired_(desired),
        live_(live),
        around_(around),
        exclusive_(exclusive),
        options_(options),
        found_(found) {
    by_name_.reserve(live_.size());
    for (const Live<T>& one : live_) by_name_[one.value.name] = &one;
    declared_.reserve(desired_.size());
    for (const Declared<T>& one : desired_)
      if (!declared_.insert(one.value.name).second) twice_.insert(&one);
  }

  virtual ~KindDiff() = default;
  KindDiff(const KindDiff&) = delete;
  KindDiff& operator=(const KindDiff&) = delete;

  void run() {
    begin();
    for (const Declared<T>* declared : sorted()) {
      const Declared<T>& one = *declared;
      if (one.undecided || is_settled(one.value.name) || refuse_second(one)) continue;
      if constexpr (has_parts<T>) {
        look_at_parts(one);
        continue;
      }
      const Live<T>* live = has_gone(one.value.name) ? nullptr : find_live(one.value.name);
      if (one.absent)
        take_away(one, live);
      else if (live == nullptr)
        make(one);
      else
        compare(one, *live);
    }
    for (const Live<T>& one : live_)
      if (declared_.count(one.value.name) == 0) look_at_undeclared(one);
  }

  std::vector<Change> take_late() { return std::move(late_); }

 protected:
  virtual void begin() {}
  virtual bool comes_before(const T& a, const T& b) const { return a < b; }
  /// Whether begin() has done what a declared object needs.
  virtual bool is_settled(const ObjectName&) const { return false; }
  /// Whether a change before has left nothing of that name.
  virtual bool has_gone(const ObjectName& name) const { return renamed_.count(name) > 0; }
  /// Whether one that is to be made cannot be; says so.
  virtual bool refuse_new(const Declared<T>&) { return false; }
  /// Whether a rename makes one that is not declared what is wanted, if nothing else differs.
  virtual bool can_become(const Live<T>& live, const T& wanted) const {
    return live.value.name.schema == wanted.name.schema;
  }
  virtual void compare(const Declared<T>& one, const Live<T>& live) {
    if constexpr (std::is_same_v<T, TableProperties>)
      if (refuse_missing_indexes(one)) return;
    std::vector<FieldChange> fields = differing_fields(one, live);
    if (fields.empty()) return;
    const Action action = action_of(one.value, fields);
    if (action == Action::replace && refuse_while_read(one, "replaced")) return;
    add({.action = action, .desired = &one.value, .live = &live, .fields = std::move(fields)}, one.where, "");
  }
  virtual void look_at_undeclared(const Live<T>& one) {
    if (!has_gone(one.value.name) && counts(one.value)) list(one, {});
  }

  std::vector<FieldChange> differing_fields(const Declared<T>& one, const Live<T>& live) const {
    if constexpr (std::is_same_v<T, TableProperties>)
      if (!live.value.cluster.empty() || !identity_index(live.value).empty())
        return fields_of(one, {.value = renamed_indexes(live.value, around_), .facts = {}},
                         around_.facts.schema);
    return fields_of(one, live, around_.facts.schema);
  }

  std::vector<const Declared<T>*> sorted() const {
    std::vector<const Declared<T>*> list;
    list.reserve(desired_.size());
    if constexpr (std::is_same_v<T, ContinuousAggregate>) {
      for (const size_t at : order_of_changes(desired_, live_)) list.push_back(&desired_[at]);
    } else {
      for (const Declared<T>& one : desired_) list.push_back(&one);
      std::sort(list.begin(), list.end(),
                [&](const auto* a, const auto* b) { return comes_before(a->value, b->value); });
    }
    return list;
  }

  const Live<T>* find_live(const ObjectName& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

  std::string text(const ObjectName& name) const { return around_.text(name); }
  std::string title(const ObjectName& name) const { return fmt::format("{} {}", T::word, text(name)); }

  void add(const Difference<T>& difference, const Source& where, std::string reason) {
    const T& value = difference.desired != nullptr ? *difference.desired : difference.live->value;
    Change change{.action = difference.action,
                  .kind = std::string(T::word),
                  .object = text(value.name),
                  .table = table_text(value),
                  .where = where,
                  .reason = std::move(reason),
                  .fields = difference.fields,
                  .fingerprint = fingerprint(difference.live),
                  .provisional = is_provisional(value),
                  .estimate = {},
                  .steps = steps_of(difference, around_)};
    if constexpr (std::is_same_v<T, Hypertable>) add_late_steps(difference, change);
    if (difference.action == Action::drop || difference.action == Action::replace)
      note_end(*difference.live, difference.action);
    if (!change.steps.empty()) found_.changes.push_back(std::move(change));
  }

  void note_end(const Live<T>& live, Action action) {
    ended_.insert(live.value.name);
    if constexpr (std::is_same_v<T, ContinuousAggregate>) {
      if (action == Action::drop) around_.names().release(live.value.name);
      for (const Live<Index>& index : around_.live.of<Index>())
        if (index.value.table == live.value.name) around_.names().release(index);
    }
  }

  /// Whether a pending migration or an extension makes what it stands on: the server has not seen its
  /// definition.
  bool is_provisional(const T& value) const {
    if (options_.unseen.count(value.name) > 0) return true;
    if constexpr (std::is_same_v<T, ContinuousAggregate>) return !options_.coming_tables.empty();
    if constexpr (std::is_same_v<T, TableProperties>)
      if (!missing_indexes(value, around_).empty()) return true;
    if constexpr (is_made_elsewhere<T>)
      if (by_name_.count(value.name) == 0) return true;
    const ObjectName* table = table_of(value);
    return table != nullptr &&
           (options_.coming_tables.count(*table) > 0 || options_.aggregates.count(*table) > 0);
  }

  /// A digest of all that a profile could say of it.
  std::string fingerprint(const Live<T>* live) const {
    if (live == nullptr) return {};
    LiveSchema alone;
    alone.of<T>().push_back({.value = live->value, .facts = {}});  // facts change by themselves
    return sha256_hex(profile_text(alone, around_.facts.schema));
  }

  /// What comes after indexes is a change of its own.
  void add_late_steps(const Difference<T>& difference, const Change& change) {
    Change late = change;
    late.action = Action::alter;
    late.fields.clear();
    late.fingerprint.clear();  // what comes before has changed it by then
    late.reason = "what needs its indexes";
    late.steps = steps_after_indexes(difference, around_.facts);
    if (!late.steps.empty()) late_.push_back(std::move(late));
  }

  std::string table_text(const T& value) const {
    const ObjectName* table = table_of(value);
    return table == nullptr ? "" : text(*table);
  }

  void take_away(const Declared<T>& one, const Live<T>* live) {
    if (const std::optional<Problem> problem = problem_if_absent(one.value)) {
      refuse(one.value, *problem, one.where);
    } else if (live != nullptr && !refuse_while_read(one, "dropped")) {
      add({.action = Action::drop, .desired = nullptr, .live = live, .fields = {}}, one.where,
          "declared absent");
    }
  }

  /// Aggregates that read one keep it from being dropped, but for those that the plan takes away before.
  bool refuse_while_read(const Declared<T>& one, std::string_view done) {
    std::vector<std::string> readers;
    if constexpr (std::is_same_v<T, ContinuousAggregate>)
      for (const ObjectName& reader : readers_of(one.value.name, live_))
        if (ended_.count(reader) == 0) readers.push_back(text(reader));
    if (readers.empty()) return false;
    found_.problems.push_back(has_readers(title(one.value.name), readers, done, one.where));
    return true;
  }

  void refuse(const T& value, Problem problem, const Source& where) {
    problem.message = fmt::format("{}: {}", title(value.name), problem.message);
    problem.where = where;
    found_.problems.push_back(std::move(problem));
  }

  /// Whether its table is there, or comes with a migration; says so otherwise.
  bool has_table(const Declared<T>& one) {
    const ObjectName* table = table_of(one.value);
    if (table == nullptr || around_.has_table(*table)) return true;
    if (options_.coming_tables.count(*table) > 0) return true;
    found_.problems.push_back(no_table(title(one.value.name), text(*table), one.where_of("table")));
    return false;
  }

  void make(const Declared<T>& one) {
    if (!has_table(one)) return;
    if (const std::optional<Problem> problem = problem_if_missing(one.value))
      if (options_.coming_roles.count(one.value.name) == 0) return refuse(one.value, *problem, one.where);
    if (refuse_new(one)) return;
    if constexpr (is_made_elsewhere<T>) {
      // A pending migration makes it; till then, all of it is as it is by default.
      coming_.push_back({.value = {.name = one.value.name}, .facts = {}});
      compare(one, coming_.back());
    } else {
      if constexpr (T::is_whole) {
        for (const Live<T>& other : live_) {
          if (declared_.count(other.value.name) > 0 || has_gone(other.value.name) ||
              !can_become(other, one.value) || !same_but_name(other.value, one.value))
            continue;
          renamed_.insert(other.value.name);
          return add({.action = Action::rename, .desired = &one.value, .live = &other, .fields = {}},
                     one.where, fmt::format("is there as {}", text(other.value.name)));
        }
      }
      add({.action = Action::create, .desired = &one.value, .live = nullptr, .fields = {}}, one.where,
          "is not there" + counted_on(one.value));
    }
  }

  bool refuse_for(std::optional<Problem> problem, const Declared<T>& one, const Source& where) {
    if (!problem) return false;
    refuse(one.value, std::move(*problem), where);
    return true;
  }

  /// Two keys may come to the same object.
  bool refuse_second(const Declared<T>& one) {
    if (twice_.count(&one) == 0) return false;
    refuse(one.value, {.message = "it is declared twice"}, one.where);
    return true;
  }

  /// Of a table whose properties name an index that is not there, and that no migration may make yet.
  bool refuse_missing_indexes(const Declared<T>& one) {
    if (options_.migrations_pending) return false;
    const std::vector<Problem> missing = index_problems(title(one.value.name), one, around_);
    found_.problems.insert(found_.problems.end(), missing.begin(), missing.end());
    return !missing.empty();
  }

  /// What the rest of the plan takes for granted of an extension.
  std::string counted_on(const T& value) const {
    if constexpr (std::is_same_v<T, Extension>)
      if (value.name.name == "timescaledb" && around_.facts.timescale)
        return fmt::format(
            "; the plan {} {}, the {} edition", around_.facts.timescale->assumed ? "assumes" : "counts on",
            around_.facts.timescale->version, around_.facts.timescale->community ? "community" : "Apache");
    return {};
  }

  /// A hypertable or a continuous aggregate: as far as this server can have it, and a statement can bring it
  /// about.
  void look_at_parts(const Declared<T>& declared) {
    const Live<T>* live = find_live(declared.value.name);
    if (declared.absent) return take_away(declared, live);
    std::vector<Problem> lacking = unavailable(declared, around_.facts);
    if (!lacking.empty()) {
      auto& list = declared.value.when_unavailable == "skip" ? found_.skipped : found_.problems;
      list.insert(list.end(), lacking.begin(), lacking.end());
      if (!around_.facts.timescale) return;
    }
    Declared<T> one = declared;
    if constexpr (std::is_same_v<T, Hypertable>) {
      one = available_part(declared, around_.facts);
      if (live == nullptr && !has_table(one)) return;
      const std::vector<Problem> refused = impossible(one, live, size_of(one.value.name));
      if (!refused.empty()) {
        found_.problems.insert(found_.problems.end(), refused.begin(), refused.end());
        return;
      }
    } else if (!lacking.empty()) {
      return;
    }
    if (live != nullptr)
      compare(one, *live);
    else
      add({.action = Action::create, .desired = &one.value, .live = nullptr, .fields = {}}, one.where,
          "is not there");
  }

  /// A table that a migration makes is empty as far as anybody knows; apply looks when it is there.
  Estimate size_of(const ObjectName& table) const {
    const auto size = options_.sizes.find(table);
    if (size != options_.sizes.end()) return size->second;
    return options_.coming_tables.count(table) > 0 ? Estimate{.rows = 0, .bytes = 0} : Estimate{};
  }

  /// Of what no profile declares.
  void list(const Live<T>& one, Undeclared how) {
    how.kind = std::string(T::word);
    how.object = text(one.value.name);
    how.table = table_text(one.value);
    if (how.remark.empty()) how.remark = remark(one.value, one.facts, around_.facts.schema);
    found_.undeclared.push_back(std::move(how));
  }

  const std::vector<Declared<T>>& desired_;
  const std::vector<Live<T>>& live_;
  const Surroundings& around_;
  const std::set<ObjectName>& exclusive_;
  const DiffOptions& options_;
  Differences& found_;
  ByName<const Live<T>*> by_name_;
  NameSet declared_;
  std::set<const Declared<T>*> twice_;  // with the name of one before
  std::vector<Change> late_;            // that come after indexes
  std::set<ObjectName> ended_;          // live ones that are dropped or replaced so far
  std::set<ObjectName> renamed_;        // live ones that get a declared name
  std::deque<Live<T>> coming_;          // tables that are not there yet
};

}  // namespace kdb
