#include <doctest/doctest.h>

#include "kinds/index.hpp"

namespace kdb::index_kind_test {

namespace {

std::string pieces(const std::vector<Fragment>& fragments) {
  std::string text;
  for (const Fragment& fragment : fragments) text += "[" + fragment.sql + "]";
  return text;
}

std::string cut(const char* definition) {
  Index index;
  cut_definition(definition, index);
  std::string text = index.method + " " + pieces(index.columns);
  if (!index.include.empty()) text += " include " + pieces(index.include);
  if (index.unique) text += " unique";
  if (index.nulls_not_distinct) text += " nnd";
  if (!index.where.sql.empty()) text += " where " + index.where.sql;
  return text;
}

}  // namespace

TEST_CASE("a definition is cut by its own punctuation") {
  CHECK(cut("CREATE INDEX i ON public.t USING btree (a, b DESC)") == "btree [a][b DESC]");
  CHECK(cut("CREATE UNIQUE INDEX i ON t USING btree (a) NULLS NOT DISTINCT") == "btree [a] unique nnd");
  CHECK(cut("CREATE UNIQUE INDEX i ON t USING btree (a) INCLUDE (b, \"c,)d\") WITH (fillfactor='70') WHERE "
            "(a > 0)") == "btree [a] include [b][\"c,)d\"] unique where a > 0");
  CHECK(cut("CREATE INDEX \"o (dd\" ON ONLY \"s x\".\"t USING\" USING gin (data jsonb_path_ops)") ==
        "gin [data jsonb_path_ops]");
  CHECK(cut("CREATE INDEX i ON t USING btree (lower((a || ', )'::text)), COALESCE(b, ARRAY[1, 2]))") ==
        "btree [lower((a || ', )'::text))][COALESCE(b, ARRAY[1, 2])]");
  CHECK(cut("CREATE INDEX i ON t USING btree (a) TABLESPACE \"ts (x\" WHERE ((a = 1) AND (b = ')'::text))") ==
        "btree [a] where (a = 1) AND (b = ')'::text)");
  // Not a pair of parentheses around the whole.
  CHECK(cut("CREATE INDEX i ON t USING btree (a) WHERE (a) = (b)") == "btree [a] where (a) = (b)");
}

TEST_CASE("a definition is put together again") {
  Index index{.name = {"public", "i"}, .table = {"public", "t"}};
  index.columns = {{"a"}, {"lower(b) DESC"}};
  CHECK(create_sql(index, "\"i\"", "\"public\".\"t\"", false) ==
        "CREATE INDEX \"i\" ON \"public\".\"t\" USING btree (a, lower(b) DESC)");
  index.unique = index.nulls_not_distinct = true;
  index.include = {{"c"}};
  index.with = {{"fillfactor", "70"}};
  index.tablespace = "fast";
  index.where.sql = "a > 0";
  CHECK(create_sql(index, "\"i\"", "t", true) ==
        "CREATE UNIQUE INDEX CONCURRENTLY \"i\" ON t USING btree (a, lower(b) DESC) INCLUDE (c) NULLS NOT "
        "DISTINCT "
        "WITH (\"fillfactor\" = '70') TABLESPACE \"fast\" WHERE a > 0");
}

TEST_CASE("an array is read as PostgreSQL prints it") {
  CHECK(read_array("{}").empty());
  CHECK(read_array("{a,\"b c\",NULL,\"NULL\",\"q\\\"\\\\\"}") ==
        std::vector<std::string>{"a", "b c", "", "NULL", "q\"\\"});
}

}  // namespace kdb::index_kind_test
