#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "kinds/declared.hpp"

namespace kdb {

/// What has a name and is no index that a plan may touch: said of each, `a view`.
using NameHolders = std::map<ObjectName, std::string>;

/// Which names relations have, and will have once the changes before are made.
class RelationNames {
 public:
  RelationNames(const LiveSchema& live, const NameHolders& held);

  bool is_taken(const ObjectName& name) const { return taken_.count(name) > 0; }
  void take(const ObjectName& name);
  void release(const ObjectName& name) { taken_.erase(name); }
  /// An index and its parts.
  void release(const Live<Index>& index);
  /// Those that were taken, whoever has them now.
  const std::set<ObjectName>& given() const { return given_; }

  /// What is called `name` is the part of `index` that the partition of that oid has.
  void take_part(const std::string& partition, const ObjectName& index, const ObjectName& name);
  /// The name of that part, by the name of the index alone: a partition may be in another schema. Empty where
  /// there is none.
  std::string part_on(const std::string& partition, const std::string& index) const;

  /// A part that the catalog calls otherwise.
  void rename_part(const PartIndex& part, const ObjectName& index, const ObjectName& name);
  ObjectName name_of(const PartIndex& part) const;

  /// An index of a partition becomes a part of another one: what is said of it by its name is so no more.
  void absorb(const ObjectName& index) { absorbed_.insert(index); }
  bool is_absorbed(const ObjectName& index) const { return absorbed_.count(index) > 0; }

 private:
  NameSet taken_;
  std::set<ObjectName> given_;
  std::set<ObjectName> absorbed_;
  std::map<ObjectName, ObjectName> renamed_;                          // parts, by what the catalog calls them
  std::map<std::pair<std::string, std::string>, std::string> parts_;  // by partition and index
};

}  // namespace kdb
