// As online_test, and interrupted: the next run finds what is missing.
#include "db/harm.hpp"
#include "db/online.hpp"

namespace kdb::test {

TEST_CASE("an index of a table with parts that is interrupted at any message ends as undisturbed") {
  for_each_make([](const Parted& make) {
    const Start start{make};
    at_every_message(
        {.prepare = [&](const Database& database) { start.fill(database); },
         .command = [&](const std::string& url) { return start.run.command(url, "apply"); },
         .state =
             [](const Database& database) { return index_catalog(database) + invalid_indexes(database); }},
        80);  // a run takes seconds
  });
}

}  // namespace kdb::test
