#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "files/names.hpp"
#include "model/migration.hpp"

namespace kdb::version_test {

TEST_CASE("versions compare numerically, component by component") {
  struct Case {
    const char* smaller;
    const char* greater;
  };
  const Case cases[] = {{"2", "10"},
                        {"9", "20260115093000"},
                        {"20170309120000", "20170923120000"},
                        {"99999999999999999999999998", "99999999999999999999999999"},
                        {"9999999999999999999999999", "10000000000000000000000000"},
                        {"1", "1.1"},
                        {"1.2", "1.10"},
                        {"1.9.9", "2"},
                        {"", "0"},
                        // Components that are text, as Prisma's folder names are.
                        {"/10_a", "/9_b"},
                        {"/20250701000000_init", "/20250702_second"},
                        {"/20250701", "/20250701_a"},
                        {"/1_B", "/1_a"},
                        {"/1_a.b", "/1_a.c"},
                        {"/1_a", "/1_\xC3\xA9"},
                        {"/9", "1"}};
  for (const Case& row : cases) {
    CAPTURE(row.smaller);
    const Version smaller = version_from_history("", row.smaller);
    const Version greater = version_from_history("", row.greater);
    CHECK(smaller < greater);
    CHECK(greater > smaller);
    CHECK_FALSE(smaller == greater);
  }
}

TEST_CASE("a version is its key, however it is written") {
  CHECK(version_from_history("0002", "2") == version_from_history("2", "2"));
  CHECK((version_from_history("0002", "2") <=> version_from_history("2", "2")) == 0);
}

TEST_CASE("a key survives the history") {
  for (const std::string key : {"", "0", "2", "1.2", "20170923120000", "1.0.3", "/1_a.b..c", "/1"}) {
    CAPTURE(key);
    const Version version = version_from_history("as written", key);
    CHECK(version.key_text() == key);
    CHECK(version.text == "as written");
  }
}

TEST_CASE("layout names are read back") {
  for (const Layout layout : {Layout::native, Layout::golang_migrate, Layout::diesel, Layout::prisma,
                              Layout::flyway, Layout::goose, Layout::plain}) {
    CHECK(parse_layout(to_string(layout)) == layout);
  }
  CHECK(to_string(Layout::golang_migrate) == "golang-migrate");
  CHECK_FALSE(parse_layout("rails"));
}

TEST_CASE("a dated version takes the whole date and time") {
  struct Case {
    const char* name;
    const char* text;
    const char* key;
  };
  const Case cases[] = {
      {"2017-09-23-120000_create", "2017-09-23-120000", "20170923120000"},
      {"2017_09_23_120000_create", "2017_09_23_120000", "20170923120000"},
      {"2017-09-23_12-00-00_create", "2017-09-23_12-00-00", "20170923120000"},
      {"2017-09-23-120000-0000_create", "2017-09-23-120000-0000", "201709231200000000"},
      {"2017-09-23_create", "2017-09-23", "20170923"},
      {"2017-09-23-create_3_tables", "2017-09-23", "20170923"},
      {"2017-09-23_120000_2_tables", "2017-09-23_120000", "20170923120000"},
      {"2017-09-23", "2017-09-23", "20170923"},
      {"20170309120000_create", "20170309120000", "20170309120000"},
      {"00000000000000_diesel_initial_setup", "00000000000000", "0"},
      {"00010-create", "00010", "10"},
      {"2_3_4", "2", "2"},
      {"2017-13-23_x", "2017", "2017"},
      {"1234-10-10_x", "1234", "1234"},
      {"2017-09-235_x", "2017", "2017"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    const auto version = files::dated_version(row.name);
    REQUIRE(version);
    CHECK(version->text == row.text);
    CHECK(version->key_text() == row.key);
  }
  CHECK_FALSE(files::dated_version("create"));
  CHECK_FALSE(files::dated_version(""));
}

}  // namespace kdb::version_test
