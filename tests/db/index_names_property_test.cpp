// Random profiles over few names, most of which the server gives to parts of indexes.
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "db/named_indexes.hpp"
#include "support/cases.hpp"
#include "support/dice.hpp"

using namespace kdb::test;

namespace {

/// Names that the server gives to parts of other indexes, among others.
const std::vector<std::string> wanted_names = {"p1_a_idx",  "p1_b_idx",      "p1_a_idx1", "p2_b_a_idx",
                                               "p2a_a_idx", "p2b_lower_idx", "k",         "l"};

std::string any_columns(Dice& dice) {
  return dice.one_of({"a", "b", "a DESC", "b, a", "lower(c)", "c", "b DESC, a"});
}
std::string any_table(Dice& dice) { return dice.one_of({"p", "p", "p1", "p2", "p2a", "z"}); }

std::string any_profile(Dice& dice, bool exclusive) {
  std::string profile = "[indexes]\n";
  for (const std::string& name : wanted_names) {
    if (dice.chance(30)) continue;
    std::string columns = any_columns(dice);
    for (size_t comma = 0; (comma = columns.find(", ", comma)) != std::string::npos; comma += 4)
      columns.replace(comma, 2, "\", \"");
    profile += fmt::format("{} = {{ table = \"{}\", columns = [\"{}\"]{}{}{} }}\n", name, any_table(dice),
                           columns, dice.chance(20) ? ", with = { fillfactor = 70 }" : "",
                           dice.chance(20) ? ", where = \"b > 1\"" : "",
                           dice.chance(10) ? ", state = \"absent\"" : "");
  }
  if (exclusive) profile += "[tables.p1]\nindexes = \"exclusive\"\n";
  return profile;
}

/// What somebody does to the indexes by hand; the server may refuse it.
std::string any_statement(Dice& dice) {
  const std::string& name = wanted_names[dice.pick(wanted_names.size())];
  if (dice.chance(30)) return "DROP INDEX " + name;
  return fmt::format("CREATE INDEX {} ON {} ({}){}", dice.chance(50) ? "own" : name, any_table(dice),
                     any_columns(dice), dice.chance(20) ? " WITH (fillfactor = 70)" : "");
}

}  // namespace

TEST_CASE("whatever names indexes and their parts have, they come to be as declared at once") {
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  Dice dice(first_seed);
  for_each_way([&](const Database& database) {
    for (int round = 0; round < std::max(cases() / 10, 2); ++round) {
      CAPTURE(round);
      std::string made;
      for (size_t statement = dice.pick(4); statement > 0; --statement) try {
          const std::string sql = any_statement(dice);
          database.exec(sql);
          made += sql + ";\n";
        } catch (const std::exception&) {
          continue;
        }
      const bool prunes = dice.chance(30);
      const std::string profile = any_profile(dice, prunes);
      CAPTURE(made);
      CAPTURE(profile);
      converges(database, ProfileRun(profile),
                prunes ? std::vector<std::string>{"--prune"} : std::vector<std::string>{});
    }
  });
}
