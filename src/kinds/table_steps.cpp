#include <fmt/format.h>

#include "base/hazard_list.hpp"
#include "base/text.hpp"
#include "kinds/difference.hpp"
#include "kinds/table.hpp"

namespace kdb {

namespace {

namespace hazard = sql::hazard;

/// `"name" = 'value', …` of the parameters that differ.
std::string parameters(const std::vector<FieldChange>& fields, bool reset) {
  std::string text;
  for (const FieldChange& change : fields) {
    if (!change.field.starts_with("storage.") || change.desired.empty() != reset) continue;
    const std::string name = change.field.substr(8);
    const std::string quoted =
        name.starts_with("toast.") ? "toast." + quote_ident(name.substr(6)) : quote_ident(name);
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", quoted,
                        reset ? "" : fmt::format(" = {}", quote_literal(change.desired)));
  }
  return text;
}

class TableSteps {
 public:
  TableSteps(const Difference<TableProperties>& difference, const Surroundings& around)
      : difference_(difference),
        around_(around),
        table_(*difference.desired),
        facts_(difference.live->facts),
        name_(around.text(table_.name)),
        sql_(fmt::format("ALTER {} {}", facts_.kind == 'm' ? "MATERIALIZED VIEW" : "TABLE",
                         to_sql(table_.name))) {}

  std::vector<ChangeStep> take() {
    storage();
    columns();
    identity();
    comments();
    tablespace();
    return std::move(steps_);
  }

 private:
  ChangeStep& add(std::string sql, std::string purpose, LockMode mode) {
    return steps_.emplace_back(
        ChangeStep{.sql = std::move(sql), .purpose = std::move(purpose), .lock = {mode, name_}});
  }

  void storage() {
    if (const std::string set = parameters(difference_.fields, false); !set.empty())
      add(fmt::format("{} SET ({})", sql_, set), "sets its parameters; rows are not touched",
          LockMode::share_update_exclusive);
    if (const std::string reset = parameters(difference_.fields, true); !reset.empty())
      add(fmt::format("{} RESET ({})", sql_, reset), "takes parameters back; rows are not touched",
          LockMode::share_update_exclusive);
  }

  void columns() {
    for (const FieldChange& change : difference_.fields) {
      const size_t dot = change.field.find('.');
      if (dot == std::string::npos) continue;
      const std::string field = change.field.substr(0, dot);
      const std::string column =
          fmt::format("{} ALTER COLUMN {}", sql_, quote_ident(change.field.substr(dot + 1)));
      if (field == "statistics")
        add(fmt::format("{} SET STATISTICS {}", column, change.desired),
            "sets how many samples ANALYZE keeps, from the next one on", LockMode::share_update_exclusive);
      if (field == "column_storage")
        add(fmt::format("{} SET STORAGE {}", column, to_upper(change.desired)),
            "applies to rows written from now on", LockMode::access_exclusive);
      if (field == "compression")
        add(fmt::format("{} SET COMPRESSION {}", column, change.desired),
            "applies to values written from now on", LockMode::access_exclusive);
    }
  }

  void identity() {
    if (difference_.differs_in("replica_identity")) {
      const std::string& wanted = table_.replica_identity;
      const std::string index = identity_index(table_);
      const std::string what =
          index.empty() ? to_upper(wanted.empty() ? "default" : wanted) : "USING INDEX " + index_sql(index);
      add(fmt::format("{} REPLICA IDENTITY {}", sql_, what), "sets by what replicas find a row",
          LockMode::access_exclusive);
    }
    if (difference_.differs_in("cluster"))
      add(fmt::format(
              "{} {}", sql_,
              table_.cluster.empty() ? "SET WITHOUT CLUSTER" : "CLUSTER ON " + index_sql(table_.cluster)),
          "sets the order for the next CLUSTER; no row moves now", LockMode::share_update_exclusive);
  }

  std::string index_sql(const std::string& index) const {
    const std::string there = around_.index_on(table_.name, index);
    return quote_ident(there.empty() ? index : there);  // a pending migration may make it
  }

  void comments() {
    const std::string_view type = facts_.kind == 'm' ? "MATERIALIZED VIEW" : "TABLE";
    const auto literal = [](const std::string& text) {
      return text.empty() ? std::string("NULL") : quote_literal(text);
    };
    for (const FieldChange& change : difference_.fields) {
      if (change.field == "comment")
        add(fmt::format("COMMENT ON {} {} IS {}", type, to_sql(table_.name), literal(change.desired)),
            "sets its comment", LockMode::share_update_exclusive);
      if (change.field.starts_with("comments."))
        add(fmt::format("COMMENT ON COLUMN {}.{} IS {}", to_sql(table_.name),
                        quote_ident(change.field.substr(9)), literal(change.desired)),
            "sets the column's comment", LockMode::share_update_exclusive);
    }
  }

  void tablespace() {
    if (!difference_.differs_in("tablespace")) return;
    const std::string target = table_.tablespace.empty() ? "pg_default" : table_.tablespace;
    ChangeStep& step = add(fmt::format("{} SET TABLESPACE {}", sql_, quote_ident(target)),
                           "copies the table to another place", LockMode::access_exclusive);
    step.hazards.push_back({.id = std::string(hazard::table_rewrite),
                            .object = name_,
                            .reason = fmt::format("copies all of {} to tablespace {}", name_, target),
                            .blocks = true,
                            .needs_rows = true});
    step.hazards.push_back({.id = std::string(hazard::access_exclusive),
                            .object = name_,
                            .reason = fmt::format("nobody can read or write {} meanwhile", name_),
                            .blocks = true,
                            .needs_rows = true});
  }

  const Difference<TableProperties>& difference_;
  const Surroundings& around_;
  const TableProperties& table_;
  const TableFacts& facts_;
  std::string name_;
  std::string sql_;  // `ALTER TABLE "public"."events"`
  std::vector<ChangeStep> steps_;
};

}  // namespace

TableProperties renamed_indexes(TableProperties table, const Surroundings& around) {
  table.cluster = around.name_by_then(table.name, table.cluster);
  if (const std::string index = identity_index(table); !index.empty())
    table.replica_identity = "index " + around.name_by_then(table.name, index);
  return table;
}

std::vector<std::pair<std::string, std::string>> missing_indexes(const TableProperties& table,
                                                                 const Surroundings& around) {
  std::vector<std::pair<std::string, std::string>> missing;
  const auto look = [&](std::string_view field, std::string index) {
    if (!index.empty() && around.index_on(table.name, index).empty())
      missing.emplace_back(field, std::move(index));
  };
  look("replica_identity", identity_index(table));
  look("cluster", table.cluster);
  return missing;
}

std::vector<ChangeStep> steps(const Difference<TableProperties>& difference, const Surroundings& around) {
  return TableSteps(difference, around).take();
}

}  // namespace kdb
