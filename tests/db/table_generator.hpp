#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "support/dice.hpp"

namespace kdb::test {

/// Statements that give a table properties of all kinds, some of which the server may refuse.
class TableGenerator {
 public:
  explicit TableGenerator(unsigned seed) : dice_(seed) {}

  std::vector<std::string> table(int number) {
    const std::string table = name("t", number);
    const std::string column = one_of({"a", "\"b = c\"", "\"ż \"\"ó\""});
    const std::string with = chance(30) ? " WITH (" + parameter() + ")" : "";
    const std::string partitioned = with.empty() && chance(15) ? " PARTITION BY RANGE (a)" : "";
    std::vector<std::string> sql = {"CREATE TABLE " + table +
                                    " (a int PRIMARY KEY, \"b = c\" text, \"ż \"\"ó\" numeric, d jsonb)" +
                                    partitioned + with};
    const std::string alter = "ALTER TABLE " + table + " ";
    if (chance(30)) sql.push_back(alter + "ALTER " + column + " SET STATISTICS " + number_text(10'000));
    if (chance(30))
      sql.push_back(alter + "ALTER \"b = c\" SET STORAGE " + one_of({"EXTERNAL", "PLAIN", "MAIN"}));
    if (chance(20)) sql.push_back(alter + "ALTER d SET COMPRESSION pglz");
    if (chance(20)) sql.push_back(alter + "SET (toast.autovacuum_enabled = off)");
    if (chance(15)) sql.push_back(alter + "ALTER a SET (n_distinct = -0.5)");
    if (chance(30))
      sql.push_back(alter + "REPLICA IDENTITY " + one_of({"FULL", "NOTHING", "USING INDEX " + key()}));
    if (chance(20)) sql.push_back(alter + "CLUSTER ON " + key());
    if (chance(30)) sql.push_back("COMMENT ON TABLE " + table + " IS " + quote_literal(text()));
    if (chance(30))
      sql.push_back("COMMENT ON COLUMN " + table + "." + column + " IS " + quote_literal(text()));
    if (chance(40)) {
      const std::string statistics = name("s", number);
      sql.push_back("CREATE STATISTICS " + statistics + kinds() + " ON " + what() + " FROM " + table);
      if (chance(30))
        sql.push_back("ALTER STATISTICS " + statistics + " SET STATISTICS " + number_text(1000));
      if (chance(30)) sql.push_back("COMMENT ON STATISTICS " + statistics + " IS " + quote_literal(text()));
    }
    return sql;
  }

 private:
  bool chance(size_t percent) { return dice_.chance(percent); }
  std::string one_of(std::vector<std::string> words) { return dice_.one_of(std::move(words)); }
  std::string number_text(size_t most) { return std::to_string(dice_.pick(most + 1)); }

  std::string name(const std::string& prefix, int number) {
    last_ = prefix + std::to_string(number) + one_of({"", ".x", " \"q\"", ";--", "ł"});
    return one_of({"public", "\"o.dd\""}) + "." + quote_ident(last_);
  }
  std::string key() { return quote_ident(last_ + "_pkey"); }
  std::string parameter() {
    return one_of({"fillfactor = 70", "autovacuum_enabled = off, toast.autovacuum_enabled = off",
                   "autovacuum_vacuum_scale_factor = 0.02, fillfactor=90", "parallel_workers = 3",
                   "toast_tuple_target = 256"});
  }
  std::string kinds() {
    return one_of(
        {"", "", " (mcv)", " (ndistinct, mcv)", " (dependencies)", " (mcv, dependencies, ndistinct)"});
  }
  std::string what() {
    return one_of({"a, \"b = c\"", "a, \"ż \"\"ó\", \"b = c\"", "a, (lower(\"b = c\"))", "(a + 1), (a % 7)",
                   "(\"b = c\" || ', )(''')"});
  }
  std::string text() {
    return one_of({"plain", "it's \"quoted\"", "two\nlines", "${HOME} \\ tab\t", "żółw"});
  }

  Dice dice_;
  std::string last_;
};

}  // namespace kdb::test
