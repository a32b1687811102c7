#include <doctest/doctest.h>

#include "model/object.hpp"
#include "support/problems.hpp"

namespace kdb::object_name_test {

TEST_CASE("names are written as people read them, and read back") {
  struct Row {
    ObjectName name;
    const char* text;
    const char* sql;
  };
  for (const Row& row : {Row{{"public", "events"}, "events", "\"public\".\"events\""},
                         Row{{"audit", "events"}, "audit.events", "\"audit\".\"events\""},
                         Row{{"public", "My Table"}, "My Table", "\"public\".\"My Table\""},
                         Row{{"public", "a.b"}, "\"a.b\"", "\"public\".\"a.b\""},
                         Row{{"o\"dd", "na;me"}, "\"o\"\"dd\".na;me", "\"o\"\"dd\".\"na;me\""},
                         Row{{"public", "żółw"}, "żółw", "\"public\".\"żółw\""}}) {
    CAPTURE(row.text);
    CHECK(to_text(row.name, "public") == row.text);
    CHECK(to_sql(row.name) == row.sql);
    CHECK(parse_name(row.text, "public") == row.name);
  }
  CHECK(to_sql(ObjectName{"", "timescaledb"}) == "\"timescaledb\"");
}

TEST_CASE("what is no name is refused") {
  const auto problem = [](const char* text) {
    return test::problems_of([&] { parse_name(text, "public"); });
  };
  CHECK(problem("") ==
        "\"\" is no name: a part of it is empty | names are written as in the catalog, schema first: "
        "events, audit.events, audit.\"odd.name\"");
  CHECK(problem("a..b").find("a part of it is empty") != std::string::npos);
  CHECK(problem("a.").find("a part of it is empty") != std::string::npos);
  CHECK(problem("a.b.c").find("more than a schema and a name") != std::string::npos);
  CHECK(problem("\"a").find("its quote does not end") != std::string::npos);
  CHECK(problem("\"a\"b").find("something follows its closing quote") != std::string::npos);
  CHECK(problem(std::string(64, 'x').c_str()).find("has 64 bytes, PostgreSQL keeps 63") != std::string::npos);
  CHECK(problem(std::string(63, 'x').c_str()).empty());
}

}  // namespace kdb::object_name_test
