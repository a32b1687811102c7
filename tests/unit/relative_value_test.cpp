#include "core/relative_value.hpp"

#include <random>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/sizing.hpp"
#include "support/cases.hpp"

namespace kdb {

namespace {

const SettingType of_blocks{.vartype = "integer", .unit = "8kB", .least = 0, .most = 0, .choices = {}};
const SettingType of_kilobytes{.vartype = "integer", .unit = "kB", .least = 0, .most = 0, .choices = {}};
const SettingType of_nothing{.vartype = "integer", .unit = "", .least = 0, .most = 0, .choices = {}};
const SettingType of_milliseconds{.vartype = "integer", .unit = "ms", .least = 0, .most = 0, .choices = {}};

constexpr std::uint64_t gb = 1024ULL * 1024 * 1024;

}  // namespace

TEST_CASE("relative values are shares of the memory") {
  struct Share {
    const char* text;
    std::uint64_t memory;
    const char* value;
  };
  const Share rows[] = {
      {"25%", 8 * gb, "2GB"},
      {" 25 % ", 8 * gb, "2GB"},
      {"12.5%", 8 * gb, "1GB"},
      {"25%", 7 * gb + 12345, "1792MB"},
      {"25%", gb / 64, "4MB"},
      {"25%", 1000, "8kB"},  // never nothing
      {"min(25%, 8GB)", 64 * gb, "8GB"},
      {"min(25%, 8GB)", 16 * gb, "4GB"},
      {"max(1%, 64MB)", 2 * gb, "64MB"},
      {"max( min(25%,8GB) , 1GB )", 64 * gb, "8GB"},
      {"min(8GB)", gb, "8GB"},
  };
  for (const Share& row : rows) {
    CAPTURE(row.text);
    REQUIRE(is_relative(row.text, of_blocks));
    CHECK(relative_problem(row.text, of_blocks).empty());
    CHECK(resolve_relative(row.text, of_blocks, row.memory) == row.value);
  }
  CHECK(!is_relative("2GB", of_blocks));
  CHECK(!is_relative("%m [%p] 100%", {.vartype = "string"}));
  CHECK(!is_relative("minimal", {.vartype = "enum"}));
  CHECK(resolve_relative("MIN (25%, 8GB)", of_blocks, 64 * gb) == "8GB");
}

TEST_CASE("what is no relative value says why") {
  const std::pair<const char*, const char*> rows[] = {
      {"0%", "takes a share of the memory above 0% and up to 100%, not 0%"},
      {"101%", "takes a share of the memory above 0% and up to 100%, not 101%"},
      {"-5%", "takes a share of the memory above 0% and up to 100%, not -5%"},
      {"nan%", "takes a share of the memory above 0% and up to 100%, not nan%"},
      {"%", "takes a share of the memory above 0% and up to 100%, not %"},
      {"min(25%, 8GB", "lacks a closing parenthesis"},
      {"min(25%, 8GB) + 1%", "has \"+ 1%\" behind its end"},
      {"min()", "takes shares such as 25%, sizes such as 8GB, min(…) and max(…), not \"\""},
      {"min(25%, 8)", "takes shares such as 25%, sizes such as 8GB, min(…) and max(…), not \"8\""},
      {"min(25%, 8gb)", "takes shares such as 25%, sizes such as 8GB, min(…) and max(…), not \"8gb\""},
      {"min(min(min(min(min(min(min(min(min(min(1%))))))))))", "is nested too deep"},
  };
  for (const auto& [text, problem] : rows) {
    const std::string written = text;  // clang 14 captures no binding
    CAPTURE(written);
    CHECK(relative_problem(text, of_blocks) == problem);
  }
  CHECK(relative_problem("25%", of_nothing) == "is no amount of memory, and so cannot be 25%");
  CHECK(relative_problem("25%", of_milliseconds) == "is no amount of memory, and so cannot be 25%");
}

TEST_CASE("a share is never more than it says, and less by under a megabyte or a unit") {
  const unsigned first_seed = test::seed();
  CAPTURE(first_seed);
  std::mt19937_64 engine(first_seed);
  for (int i = 0; i < 20 * test::cases(); ++i) {
    const std::uint64_t memory = std::uniform_int_distribution<std::uint64_t>(64 << 20, 1024 * gb)(engine);
    const double percent = std::uniform_int_distribution<int>(1, 1000)(engine) / 10.0;
    const SettingType& type = i % 2 == 0 ? of_blocks : of_kilobytes;
    const std::string value = resolve_relative(fmt::format("{}%", percent), type, memory);
    CAPTURE(memory);
    CAPTURE(value);
    const double bytes = setting_number(value, {.vartype = "real", .unit = "B"}).value();
    const double wanted = static_cast<double>(memory) * percent / 100;
    CHECK(bytes <= wanted * 1.0000001);
    CHECK(bytes > wanted - megabyte);
    CHECK(setting_number(value, type));
  }
}

}  // namespace kdb
