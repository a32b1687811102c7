#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/index_moves.hpp"
#include "core/kind_diff.hpp"

namespace kdb {

/// The changes of indexes: their names move between tables and parts, some are broken, and some are what an
/// interrupted apply has left.
class IndexDiff final : public KindDiff<Index> {
 public:
  using KindDiff<Index>::KindDiff;

 private:
  void begin() override { move_to_other_tables(); }
  bool comes_before(const Index& a, const Index& b) const override { return order_(a, b); }
  bool is_settled(const ObjectName& name) const override;
  bool has_gone(const ObjectName& name) const override;
  bool refuse_new(const Declared<Index>& one) override;
  bool can_become(const Live<Index>& live, const Index& wanted) const override;
  void compare(const Declared<Index>& one, const Live<Index>& live) override;
  void look_at_undeclared(const Live<Index>& one) override;

  /// Before all others: what these make needs the names.
  void move_to_other_tables();
  bool refuse_schema(const Declared<Index>& one);
  bool refuse_statistics(const Declared<Index>& one);
  bool refuse_name(const Declared<Index>& one);
  bool refuse_on_partitions(const Declared<Index>& one);
  void change(const Declared<Index>& one, const Live<Index>& live, std::vector<FieldChange> fields);
  /// One that no query uses, or not for every part of its table.
  void mend(const Declared<Index>& one, const Live<Index>& live, std::vector<FieldChange> fields);
  void look_at_leftover(const Live<Index>& one);
  /// Whether the plan drops or replaces its continuous aggregate.
  bool goes_with_aggregate(const Live<Index>& one) const;

  IndexOrder order_{around_.live};
  std::map<ObjectName, ObjectName> settled_;  // declared ones, and what live one each has become
  std::set<std::string> replacing_;           // names under which replacements are built
};

}  // namespace kdb
