#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "kinds/declared.hpp"

namespace kdb {

/// What has a name and is no index that a plan may touch.
struct NameHolder {
  std::string what;    // `a view`
  ObjectName indexed;  // the table of an index that backs no constraint; empty for anything else
};
using NameHolders = std::map<ObjectName, NameHolder>;

/// Where it really is: an index of a continuous aggregate goes by the schema of its view.
inline ObjectName real_name(const Live<Index>& index) {
  return {index.facts.schema.empty() ? index.value.name.schema : index.facts.schema, index.value.name.name};
}

/// Which names relations have, and will have once the changes before are made. By the schemas in which they
/// really are.
class RelationNames {
 public:
  RelationNames(const LiveSchema& live, const NameHolders& held);

  bool is_taken(const ObjectName& name) const { return taken_.count(name) > 0; }
  void take(const ObjectName& name);
  /// For an index that is declared.
  void take_for_index(const ObjectName& name);
  void release(const ObjectName& name) { taken_.erase(name); }
  /// An index of the catalog and its parts.
  void release(const Live<Index>& index);
  /// Those that were taken, whoever has them now.
  const std::set<ObjectName>& given() const { return given_; }
  bool is_of_index(const ObjectName& name) const { return is_taken(name) && of_indexes_.count(name) > 0; }

  /// What is called `name` is the part of `index` that the partition of that oid has.
  void take_part(const std::string& partition, const ObjectName& index, const ObjectName& name);
  /// The name of that part, by the name of the index alone: a partition may be in another schema. Empty where
  /// there is none.
  std::string part_on(const std::string& partition, const std::string& index) const;

  // What the catalog has may be called otherwise by then.
  void rename_part(const PartIndex& part, const ObjectName& index, const ObjectName& name);
  void rename(const Live<Index>& index, const ObjectName& name);
  ObjectName name_of(const PartIndex& part) const { return now(part.name); }
  ObjectName name_of(const Live<Index>& index) const { return now(real_name(index)); }

  /// An index of the catalog is no more what it was: released, made anew, or a part of another one.
  void retire(const Live<Index>& index) { retired_.insert(index.value.name); }
  bool is_retired(const ObjectName& index) const { return retired_.count(index) > 0; }

 private:
  ObjectName now(const ObjectName& name) const;

  NameSet taken_;
  std::set<ObjectName> given_;
  std::set<ObjectName> of_indexes_;  // those of them that whole indexes got
  std::set<ObjectName> retired_;
  std::map<ObjectName, ObjectName> renamed_;                          // by what the catalog calls it
  std::map<std::pair<std::string, std::string>, std::string> parts_;  // by partition and index
};

}  // namespace kdb
