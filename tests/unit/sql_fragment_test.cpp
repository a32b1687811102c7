#include "base/sql_fragment.hpp"

#include <doctest/doctest.h>

namespace kdb::sql::sql_fragment_test {

TEST_CASE("a fragment that stays inside of its parentheses") {
  for (const char* text : {"a", "\"odd; name\" DESC NULLS LAST", "lower(name) COLLATE \"C\" text_pattern_ops",
                           "(a + 1)", "value > 0", "status IN ('open', ';)--')", "tags[1] = $tag$ ; $tag$",
                           "E'it''s \\' fine'", "data ->> '}' = '{'"}) {
    CAPTURE(text);
    CHECK(fragment_problem(text, false) == std::nullopt);
  }
  CHECK(fragment_problem("f(a, b)", true) == std::nullopt);
}

TEST_CASE("a fragment that reaches out of them") {
  struct Row {
    const char* text;
    const char* problem;
  };
  for (const Row& row :
       {Row{"", "is empty"}, Row{"  ", "is empty"}, Row{"a; DROP TABLE x", "has a semicolon"},
        Row{"true); drop table x; --", "has a ) too many"}, Row{"(a", "lacks a )"}, Row{"a[1", "lacks a ]"},
        Row{"(a]", "has a ] too many"}, Row{"a -- b", "has a comment"}, Row{"a /* b */", "has a comment"},
        Row{"a = $1", "has a parameter, $1"}, Row{"a = 'x", "has a quote or a comment that does not end"},
        Row{"a /* x", "has a quote or a comment that does not end"},
        Row{"\"a", "has a quote or a comment that does not end"},
        Row{"$x$ a", "has a quote or a comment that does not end"}}) {
    CAPTURE(row.text);
    CHECK(fragment_problem(row.text, false).value_or("none") == row.problem);
  }
  CHECK(fragment_problem(std::string_view("a\0b", 3), false).value_or("none") == "has a NUL byte");
  CHECK(fragment_problem("a, b", true).value_or("none") ==
        "has a comma: each entry of the list is one column or expression");
}

}  // namespace kdb::sql::sql_fragment_test
