// As online_test, and interrupted: the next run finds what is missing.
#include "db/harm.hpp"
#include "db/online.hpp"

namespace kdb::test::online_crash_test {

namespace {

void interrupt_at_messages(const Parted& make) {
  if (const std::string why = make.missing(); !why.empty()) return skip(why);
  const Start start{make};
  at_every_message(
      {.prepare = [&](const Database& database) { start.fill(database); },
       .command = [&](const std::string& url) { return start.run.command(url, "apply"); },
       .state = [](const Database& database) { return index_catalog(database) + invalid_indexes(database); }},
      80);  // a run takes seconds
}

}  // namespace

TEST_CASE("an index of partitions that is interrupted at any message ends as undisturbed") {
  interrupt_at_messages(makes[0]);
}

TEST_CASE("an index of chunks that is interrupted at any message ends as undisturbed") {
  interrupt_at_messages(makes[1]);
}

}  // namespace kdb::test::online_crash_test
