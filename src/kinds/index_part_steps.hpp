#pragma once

#include <string>
#include <vector>

#include "kinds/difference.hpp"
#include "kinds/index.hpp"
#include "kinds/index_names.hpp"

namespace kdb {

/// Collects the statements by which an index comes to the parts of its table.
class IndexPartSteps {
 public:
  IndexPartSteps(const Index& index, const Surroundings& around)
      : index_(index), around_(around), table_(around.table(index.table)) {}

  const Index& index() const { return index_; }
  const TableFacts& table() const { return table_; }
  RelationNames& names() const { return around_.names(); }

  /// `on`: the table that is locked.
  ChangeStep& add(std::string sql, std::string purpose, LockMode mode, const ObjectName& on);
  void append(std::vector<ChangeStep> steps);
  /// On a table only, not on its parts.
  ChangeStep& declare_on(const ObjectName& table, const ObjectName& name);
  /// While the part is read and written.
  ChangeStep& build_on(const Part& part, const ObjectName& name);
  /// What an interrupted build left.
  void drop_broken(const Part& part, const ObjectName& name);
  /// The same, of one that belongs to nothing.
  void drop_broken(const Part& part, const Live<Index>& index);
  /// Of one that cannot be dropped because it is attached.
  void rebuild(const Part& part, const ObjectName& name);

  /// An index of the part that is defined alike and belongs to nothing, no profile included; null where there
  /// is none.
  const Live<Index>* twin_on(const Part& part) const;
  /// The index of the part that the server attaches when it makes the whole, who looks at no order of
  /// columns, parameters, tablespace or profile; null where there is none.
  const Live<Index>* first_alike_on(const Part& part) const;

  /// A name that is free and that no declared index will have, and is taken from now on. `make` gets to know
  /// which ones are not.
  template <class Make>
  ObjectName choose(const std::string& schema, const Make& make) {
    return take_name(schema, make, [&](const ObjectName& name) { return around_.is_free_for_part(name); });
  }

  /// The name that the server will choose, who knows of no profile.
  template <class Make>
  ObjectName expect(const std::string& schema, const Make& make) {
    return take_name(schema, make, [&](const ObjectName& name) { return !around_.names().is_taken(name); });
  }

  std::vector<ChangeStep> take() { return std::move(steps_); }

 private:
  template <class Make, class IsFree>
  ObjectName take_name(const std::string& schema, const Make& make, const IsFree& is_free) {
    ObjectName name{schema, make([&](const std::string& one) { return !is_free(ObjectName{schema, one}); })};
    around_.names().take(name);
    return name;
  }

  bool is_free_on(const Live<Index>& one, const Part& part) const;

  const Index& index_;
  const Surroundings& around_;
  const TableFacts& table_;
  std::vector<ChangeStep> steps_;
  bool building_ = false;  // the hazard is said once
};

}  // namespace kdb
