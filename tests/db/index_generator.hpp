#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "db/project.hpp"
#include "model/object.hpp"
#include "support/dice.hpp"

namespace kdb::test {

/// A column of an index in its parts, each as SQL.
struct ColumnSpelling {
  std::string what;   // a column or an expression
  std::string how{};  // collation and opclass
  std::string order{};
  std::string nulls{};

  std::string sql() const {
    std::string text = what;
    for (const std::string& part : {how, order, nulls})
      if (!part.empty()) text += " " + part;
    return text;
  }
};

/// An index as somebody might write it.
struct IndexSpelling {
  ObjectName name;
  ObjectName table;
  std::string method;
  std::vector<ColumnSpelling> columns;
  std::vector<std::string> include;
  bool unique = false;
  bool nulls_not_distinct = false;
  std::vector<std::pair<std::string, std::string>> with;  // "" where no value is given
  std::string where;
};

inline std::string list_of(const std::vector<std::string>& parts) {
  std::string list;
  for (const std::string& part : parts) list += (list.empty() ? "" : ", ") + part;
  return list;
}

inline std::string create_sql(const IndexSpelling& index) {
  std::vector<std::string> columns;
  std::vector<std::string> with;
  for (const ColumnSpelling& column : index.columns) columns.push_back(column.sql());
  for (const auto& [name, value] : index.with) with.push_back(value.empty() ? name : name + " = " + value);
  std::string sql = "CREATE " + std::string(index.unique ? "UNIQUE " : "") + "INDEX " +
                    quote_ident(index.name.name) + " ON " + to_sql(index.table) + " USING " + index.method +
                    " (" + list_of(columns) + ")";
  if (!index.include.empty()) sql += " INCLUDE (" + list_of(index.include) + ")";
  if (index.nulls_not_distinct) sql += " NULLS NOT DISTINCT";
  if (!with.empty()) sql += " WITH (" + list_of(with) + ")";
  if (!index.where.empty()) sql += " WHERE " + index.where;
  return sql;
}

/// Random definitions over tables with odd names.
class IndexGenerator {
 public:
  IndexGenerator(unsigned seed, const Database& database)
      : dice_(seed),
        nulls_not_distinct_(database.text("SELECT current_setting('server_version_num')::int >= 150000") ==
                            "t") {
    database.exec(
        "CREATE SCHEMA \"o.dd\"; CREATE EXTENSION IF NOT EXISTS plpgsql;"
        "CREATE TABLE t (a int, b text, \"C; d\" numeric, \"żó\" timestamptz, j jsonb, ar int[], r "
        "int4range, "
        "p point);"
        "CREATE TABLE \"o.dd\".\"it's a \"\"t\" (LIKE t);"
        "CREATE TABLE part (LIKE t) PARTITION BY RANGE (a);"
        "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);"
        "CREATE MATERIALIZED VIEW m AS SELECT * FROM t");
  }

  IndexSpelling definition(int number) {
    IndexSpelling index;
    index.method = dice_.one_of({"btree", "btree", "btree", "hash", "gin", "gist", "brin", "spgist"});
    const bool ordered = index.method == "btree";
    index.unique = ordered && dice_.chance(25);
    index.table = table();
    if (index.unique && index.table.name == "part") index.table.name = "t";
    index.name = {index.table.schema, name(number)};
    const bool several = index.method != "hash" && index.method != "spgist";
    for (size_t more = several ? dice_.pick(3) + 1 : 1; more > 0; --more)
      index.columns.push_back(column(index.method));
    if ((ordered || index.method == "gist") && dice_.chance(25)) {
      index.include = {"b"};
      if (dice_.chance(50)) index.include.emplace_back("\"C; d\"");
    }
    index.nulls_not_distinct = index.unique && nulls_not_distinct_ && dice_.chance(30);
    if (dice_.chance(30)) index.with = parameters(index.method);
    if (dice_.chance(40)) index.where = predicate();
    return index;
  }

 private:
  using Columns = std::vector<ColumnSpelling>;
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  ObjectName table() {
    return dice_.one_of(std::vector<ObjectName>{
        {"public", "t"}, {"public", "t"}, {"o.dd", "it's a \"t"}, {"public", "part"}, {"public", "m"}});
  }

  std::string name(int number) {
    const std::string n = std::to_string(number);
    return dice_.one_of(
        {"i" + n, "I " + n, "a.b" + n, "q\"u;'" + n, "żółw ( " + n, std::string(58, 'x') + n, "USING " + n});
  }

  ColumnSpelling column(const std::string& method) {
    if (method == "gin")
      return dice_.one_of(
          Columns{{"j"}, {"j", "jsonb_path_ops"}, {"ar"}, {"to_tsvector('simple'::regconfig, b)"}});
    if (method == "gist") return dice_.one_of(Columns{{"r"}, {"p"}, {"box(p, p)"}});
    if (method == "spgist") return dice_.one_of(Columns{{"r"}, {"p"}, {"b"}, {"lower(b)"}});
    if (method == "hash") return dice_.one_of(Columns{{"a"}, {"b"}, {"lower(b)"}, {"(a + 1)"}});
    if (method == "brin")
      return dice_.one_of(Columns{{"a"},
                                  {"\"żó\""},
                                  {"a", "int4_minmax_multi_ops"},
                                  {"\"żó\"", "timestamptz_bloom_ops"},
                                  {"a", "int4_minmax_multi_ops (values_per_range = 16)"}});
    ColumnSpelling column = dice_.one_of(Columns{{"a"},
                                                 {"b"},
                                                 {"\"C; d\""},
                                                 {"\"żó\""},
                                                 {"lower(b)"},
                                                 {"(a + 1)"},
                                                 {"(b || ', )(''')"},
                                                 {"COALESCE(b, 'x\"y')"},
                                                 {"(j ->> 'k')"},
                                                 {"(ar[1])"},
                                                 {"b", "COLLATE \"C\""},
                                                 {"b", "text_pattern_ops"},
                                                 {"lower(b)", "COLLATE \"POSIX\" text_pattern_ops"},
                                                 {"(CASE WHEN a > 0 THEN 1 ELSE 0 END)"}});
    if (dice_.chance(30)) column.order = "DESC";
    if (dice_.chance(30)) column.nulls = dice_.one_of({"NULLS FIRST", "NULLS LAST"});
    return column;
  }

  Parameters parameters(const std::string& method) {
    using Choice = std::vector<Parameters>;
    if (method == "brin")
      return dice_.one_of(Choice{{{"pages_per_range", "32"}},
                                 {{"autosummarize", ""}},
                                 {{"autosummarize", "off"}, {"pages_per_range", "8"}}});
    if (method == "gin")
      return dice_.one_of(Choice{{{"fastupdate", "off"}}, {{"gin_pending_list_limit", "512"}}});
    if (method == "gist") return dice_.one_of(Choice{{{"fillfactor", "70"}}, {{"buffering", "auto"}}});
    if (method == "btree")
      return dice_.one_of(Choice{{{"fillfactor", "70"}},
                                 {{"deduplicate_items", "off"}},
                                 {{"fillfactor", "90"}, {"deduplicate_items", "on"}}});
    return {{"fillfactor", "60"}};
  }

  std::string predicate() {
    return dice_.one_of({"a > 0", "b IS NOT NULL", "(a = 1) AND (b = ')')", "b IN ('x', 'y''z', 'w;--')",
                         "\"C; d\" > 1.5", "(a) = (a)", "NOT (a = 1)",
                         "(a = 1 OR a = 2) AND (b <> 'q' OR b <> 'r')", "b LIKE E'a\\\\_%'", "(ar[1]) > 0",
                         "a > 0 AND (j ->> '$x') = '{'"});
  }

  Dice dice_;
  bool nulls_not_distinct_ = false;  // the server has it
};

}  // namespace kdb::test
