#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kinds/declared.hpp"
#include "kinds/relation_names.hpp"
#include "model/change.hpp"

namespace kdb {

/// What is to be done to one object, and why.
template <class T>
struct Difference {
  Action action = Action::create;
  const T* desired = nullptr;     // in the server's form; null: drop
  const Live<T>* live = nullptr;  // null: create
  std::vector<FieldChange> fields;

  bool differs_in(std::string_view field) const {
    return std::any_of(fields.begin(), fields.end(), [&](const FieldChange& change) {
      return change.field == field ||
             (change.field.starts_with(field) && change.field.substr(field.size(), 1) == ".");
    });
  }
};

/// What the statements of a change may depend on.
class Surroundings {
 public:
  /// What an earlier change of the plan makes.
  struct Becoming {
    std::vector<ObjectName> hypertables;  // of tables
    std::set<ObjectName> aggregates;
  };

  /// All but `becoming` must outlive it.
  Surroundings(const ServerFacts& server, const LiveSchema& all, const DesiredSchema& desired,
               const Becoming& becoming, const NameHolders& held);

  const ServerFacts& facts;
  const LiveSchema& live;

  /// Of a table; what is so by default where there is none.
  const TableFacts& table(const ObjectName& name) const;
  /// Of a table, materialised view or continuous aggregate.
  bool has_table(const ObjectName& name) const { return tables_.count(name) > 0; }
  /// The schema of its indexes: of a continuous aggregate one of TimescaleDB's own.
  std::string home_of(const ObjectName& table) const;
  /// Null where there is none.
  const Live<Index>* index(const ObjectName& name) const;
  /// The index that a profile declares by that name; null where none does.
  const Index* declared(const ObjectName& index) const;
  bool is_declared(const ObjectName& index) const { return declared(index) != nullptr; }
  /// Whether a part of an index may be called so: a declared index needs its name, whichever is made first.
  bool is_free_for_part(const ObjectName& name) const {
    return !names().is_taken(name) && !is_declared(name);
  }
  /// The name of the index of a table that its properties call `name`: its own one, or its part of one of a
  /// table above. Once the changes before are made; empty where there is none.
  std::string index_on(const ObjectName& table, const std::string& name) const;
  /// What index_on() is asked for by then, of an index that is called `name` now.
  std::string name_by_then(const ObjectName& table, const std::string& name) const;
  /// The index of a table above of which `part` is what a partition has; empty where there is none.
  std::string whole_of(const ObjectName& partition, const std::string& part) const;
  /// The index of the catalog that is called so by then, by the schema in which it really is; null where none
  /// is.
  const Live<Index>* holder_of(const ObjectName& name) const;
  /// Changes note there what they name, one after the other.
  RelationNames& names() const;
  /// Whether a change before has left nothing of an index of the catalog, or made it a part of another one.
  bool is_retired(const ObjectName& index) const { return names_ && names_->is_retired(index); }
  /// The names that the changes so far give, but for those of the catalog's indexes and their parts.
  std::set<ObjectName> new_names() const;
  /// As a profile writes it.
  std::string text(const ObjectName& name) const { return to_text(name, facts.schema); }

 private:
  bool keeps_its_name(const Live<Index>& index) const;

  TableFacts aggregate_{.hypertable = true};  // what is indexed of one is its hypertable
  std::map<ObjectName, TableFacts> becoming_;
  ByName<const TableFacts*> tables_;
  std::map<ObjectName, std::string> aggregate_homes_;
  ByName<const Live<Index>*> indexes_;
  ByName<const Index*> declared_;
  const NameHolders& held_;
  mutable std::optional<RelationNames> names_;  // made when it is asked for: few changes name anything
};

// How fields look in a plan: as in a profile, without the quotes. Empty: not set.
inline std::string field_text(const std::string& member, std::string_view) { return member; }
inline std::string field_text(bool member, std::string_view) { return member ? "true" : ""; }
inline std::string field_text(const Fragment& member, std::string_view) { return member.sql; }
inline std::string field_text(const std::optional<int>& member, std::string_view) {
  return member ? std::to_string(*member) : "";
}
inline std::string field_text(const ObjectName& member, std::string_view default_schema) {
  return to_text(member, default_schema);
}
std::string field_text(const std::vector<std::string>& member, std::string_view default_schema);
std::string field_text(const std::vector<Fragment>& member, std::string_view default_schema);

/// Notes what differs between two objects of a kind: the visitor of its fields().
class FieldComparer {
 public:
  /// `declared`: only these fields, and of options only the given ones, count; null: all do.
  FieldComparer(std::string_view default_schema, const std::map<std::string, Source>* declared)
      : schema_(default_schema), declared_(declared) {}

  template <class Member>
  void operator()(std::string_view name, const Member& desired, const Member& live) {
    if (counts(name) && desired != live)
      changes_.push_back({std::string(name), field_text(live, schema_), field_text(desired, schema_)});
  }
  void operator()(std::string_view name, const Options& desired, const Options& live);

  std::vector<FieldChange> take() { return std::move(changes_); }

 private:
  bool counts(std::string_view name) const {
    return declared_ == nullptr || declared_->count(std::string(name)) > 0;
  }

  std::string_view schema_;
  const std::map<std::string, Source>* declared_;
  std::vector<FieldChange> changes_;
};

/// What a kind's objects would be in the catalog, where that is not what a profile says.
template <class T>
const T& catalog_form(const T& declared) {
  return declared;
}

/// The fields in which `live` is not as declared. What a profile leaves out is the default of an index or a
/// statistics object, and as it may be of a kind that migrations or other hands make.
template <class T>
std::vector<FieldChange> differing(const Declared<T>& declared, const T& live,
                                   std::string_view default_schema) {
  FieldComparer comparer(default_schema, T::is_whole ? nullptr : &declared.fields);
  const T desired = catalog_form(declared.value);
  fields(comparer, desired, live);
  return comparer.take();
}

}  // namespace kdb
