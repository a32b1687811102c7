#include "core/copy_values.hpp"

#include <doctest/doctest.h>

namespace kdb::copy_values_test {

TEST_CASE("rows of COPY are the rows of VALUES") {
  CHECK(values_of_copy("1\t\\N\n2\ta b\n") == "('1', NULL), ('2', 'a b')");
  CHECK(values_of_copy("it's\n") == "('it''s')");
  CHECK(values_of_copy("") == "");
}

TEST_CASE("what COPY escapes is itself again") {
  const auto one = [](std::string_view line) { return parse_copy_line(line).at(0); };
  CHECK(one("a\\tb\\nc\\rd\\\\e") == "a\tb\nc\rd\\e");
  CHECK(one("\\b\\f\\v") == "\b\f\v");
  CHECK(one("") == "");
  CHECK_FALSE(one("\\N"));
  CHECK(one("\\\\N") == "\\N");
  CHECK(parse_copy_line("\t\t").size() == 3);
}

}  // namespace kdb::copy_values_test
