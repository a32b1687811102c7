// Comments that keep rules quiet.

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/linted.hpp"

namespace kdb::lint_ignores_test {

using Places = std::vector<std::string>;

TEST_CASE("a comment keeps a rule quiet, and is itself judged") {
  struct Case {
    std::string what;
    std::string text;
    Places places;
    size_t suppressed = 0;
  };
  const std::string drop = "-- migrate:down\n";
  const Case cases[] = {
      {"before the statement",
       "-- migrate:up\n-- kdb:ignore ban-drop-table: gone\ndrop table a;\n" + drop,
       {},
       1},
      {"at its end", "-- migrate:up\ndrop table a; -- kdb:ignore ban-drop-table: gone\n" + drop, {}, 1},
      {"at the end of several lines",
       "-- migrate:up\nalter table t\n  drop a; -- kdb:ignore ban-drop-column: gone\n" + drop,
       {},
       1},
      {"on a line of it",
       "-- migrate:up\ncreate table t (\n-- kdb:ignore prefer-identity: old\na bigserial,\nb bigserial);\n" +
           drop,
       {"prefer-identity 5:3"},
       1},
      {"of two rules",
       "-- migrate:up\n/* kdb:ignore prefer-identity, prefer-bigint-over-int: old */\ncreate table t (a "
       "serial);\n" +
           drop,
       {},
       2},
      {"above the first statement",
       "-- kdb:ignore-file ban-drop-table: all gone\n-- migrate:up\ndrop table a;\ndrop table b;\n" + drop,
       {},
       2},
      {"above the first statement of the section",
       "-- migrate:up\n-- kdb:ignore-file ban-drop-table: all gone\ndrop table a;\ndrop table b;\n" + drop,
       {},
       2},
      {"only the next statement",
       "-- migrate:up\n-- kdb:ignore ban-drop-table: gone\ndrop table a;\ndrop table b;\n" + drop,
       {"ban-drop-table 4:12"},
       1},
      {"squawk's", "-- migrate:up\n-- squawk-ignore ban-drop-table -- gone\ndrop table a;\n" + drop, {}, 1},
      {"squawk's of all rules", "-- migrate:up\n-- squawk-ignore -- gone\ndrop table a;\n" + drop, {}, 1},
      {"squawk's for squawk alone",
       "-- migrate:up\n-- squawk-ignore prefer-robust-stmts\nselect 1;\n" + drop,
       {}},
      {"by another name",
       "-- migrate:up\n-- kdb:ignore prefer-timestamp-tz: local\ncreate table t (a timestamp);\n" + drop,
       {},
       1},
      {"without a reason",
       "-- migrate:up\n-- kdb:ignore ban-drop-table\ndrop table a;\n" + drop,
       {"ignore-without-reason 2:1"},
       1},
      {"of nothing",
       "-- migrate:up\n-- kdb:ignore ban-drop-table: x\nselect 1;\n" + drop,
       {"unused-ignore 2:1"}},
      {"of no rule",
       "-- migrate:up\n-- kdb:ignore ban-drop-tabel: x\nselect 1;\n" + drop,
       {"unused-ignore 2:1"}},
      {"without a name", "-- migrate:up\n-- kdb:ignore : x\nselect 1;\n" + drop, {"unused-ignore 2:1"}},
      {"at the end",
       "-- migrate:up\nselect 1;\n-- kdb:ignore ban-drop-table: x\n" + drop,
       {"unused-ignore 3:1"}},
      {"of a file too late",
       "-- migrate:up\nselect 1;\n-- kdb:ignore-file ban-drop-table: x\ndrop table a;\n" + drop,
       {"unused-ignore 3:1", "ban-drop-table 4:12"}},
      {"in a string", "-- migrate:up\nselect '-- kdb:ignore ban-drop-table: x';\n" + drop, {}},
      {"another word", "-- migrate:up\n-- kdb:ignored ban-drop-table: x\nselect 1;\n" + drop, {}},
      {"behind what holds semicolons",
       "-- migrate:up\n-- kdb:ignore ban-drop-table: x\ncreate rule r as on insert to t do (select 1; select "
       "2);\ndrop table a;\n" +
           drop,
       {"unused-ignore 2:1", "ban-drop-table 4:12"}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.what);
    const lint::Judgement judgement = test::judged({one.text});
    CHECK(test::places(judgement) == one.places);
    CHECK(judgement.suppressed == one.suppressed);
  }
}

}  // namespace kdb::lint_ignores_test
