#include "kinds/index_names.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace kdb::index_names_test {

namespace {

bool is_free(const std::string&) { return false; }

Index index_of(const std::vector<std::string>& columns, const std::vector<std::string>& include = {}) {
  Index index;
  for (const std::string& column : columns) index.columns.push_back({column});
  for (const std::string& column : include) index.include.push_back({column});
  return index;
}

}  // namespace

TEST_CASE("columns of an index have the names that PostgreSQL gives them") {
  struct Case {
    const char* column;
    const char* name;
  };
  // As 15.20 named them.
  const Case rows[] = {{"a", "a"},
                       {"a DESC NULLS LAST", "a"},
                       {"\"C; \"\"d\" text_pattern_ops", "C; \"d"},
                       {"b COLLATE \"C\"", "b"},
                       {"lower(b)", "lower"},
                       {"public.my_function(b) DESC", "my_function"},
                       {"((a + 1))", "expr"},
                       {"((c)::integer)", "c"},
                       {"((upper(b))::character varying)", "upper"},
                       {"((b || 'x'::text))", "expr"},
                       {"COALESCE(b, 'x)'::text)", "coalesce"},
                       {"(\nCASE\n    WHEN (a > 0) THEN 1\n    ELSE 0\nEND)", "case"},
                       {"((ar)[1])", "ar"},
                       {"((j ->> 'k'::text))", "expr"},
                       {"((t AT TIME ZONE 'UTC'::text))", "timezone"}};
  for (const Case& row : rows) {
    CAPTURE(row.column);
    CHECK(index_column_names(index_of({row.column})) == std::vector<std::string>{row.name});
  }
  CHECK(index_column_names(index_of({"((a + 1))", "c", "((b || b))"}, {"c"})) ==
        std::vector<std::string>{"expr", "c", "expr1", "c1"});
}

TEST_CASE("an index of a part has a name that is natural, free, and no longer than one may be") {
  CHECK(partition_index_name("p1", index_of({"a", "lower(b)"}, {"c"}), is_free) == "p1_a_lower_c_idx");
  CHECK(partition_index_name("p1", index_of({"a"}), [](const std::string& name) {
          return name == "p1_a_idx" || name == "p1_a_idx1";
        }) == "p1_a_idx2");
  CHECK(chunk_index_name("_hyper_1_2_chunk", "by_day", is_free) == "_hyper_1_2_chunk_by_day");
  CHECK(chunk_index_name("_hyper_1_2_chunk", "by_day", [](const std::string& name) {
          return !name.ends_with("_2");
        }) == "_hyper_1_2_chunk_by_day_2");
  CHECK(is_chunk_index_name("_hyper_1_2_chunk", "by_day", "_hyper_1_2_chunk_by_day"));
  CHECK(is_chunk_index_name("_hyper_1_2_chunk", "by_day", "_hyper_1_2_chunk_by_day_12"));
  CHECK_FALSE(is_chunk_index_name("_hyper_1_2_chunk", "by_day", "_hyper_1_2_chunk_by_days"));
  CHECK_FALSE(is_chunk_index_name("_hyper_1_2_chunk", "by_day", "_hyper_1_3_chunk_by_day"));
  CHECK(is_partition_index_name("p1", column_part(index_of({"a", "b"})), "p1_a_b_idx"));
  CHECK(is_partition_index_name("p1", "a", "p1_a_idx12"));
  CHECK_FALSE(is_partition_index_name("p1", "a", "p1_b_idx"));
  CHECK_FALSE(is_partition_index_name("p1", "a", "p1_a_idxs"));
  CHECK_FALSE(is_partition_index_name("p1", "a", "mine"));
  const std::string sixty(60, 'x');
  CHECK(partition_index_name(sixty, index_of({"abc"}), is_free) == std::string(55, 'x') + "_abc_idx");
  // Two bytes each: none is cut in two.
  CHECK(partition_index_name("żółćżółćżółćżółćżółćżółćżółć", index_of({"abc"}), is_free).size() <= 63);
  CHECK(partition_index_name("żółćżółćżółćżółćżółćżółćżółć", index_of({"abc"}), is_free)
            .ends_with("żół_abc_idx"));
}

}  // namespace kdb::index_names_test
