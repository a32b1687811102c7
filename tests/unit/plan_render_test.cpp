// A plan in every format that can hold one.

#include <string>

#include <doctest/doctest.h>

#include "render/changes.hpp"
#include "render/formats.hpp"
#include "support/json.hpp"

namespace kdb::plan_render_test {

using test::json_at;

namespace {

Report sample() {
  Change made{.action = Action::create,
              .kind = "index",
              .object = "orders|kind",
              .table = "orders",
              .where = {.file = "profiles/default.toml", .line = 12, .column = 2},
              .reason = "is not there",
              .fields = {},
              .estimate = {.rows = 5'000'000, .bytes = 2'040'109'466, .disk = 168'000'000, .seconds = 17.2}};
  made.steps = {
      {.sql = "CREATE INDEX CONCURRENTLY \"orders|kind\" ON orders (kind)",
       .purpose = "builds it while the table is read and written",
       .in_transaction = false,
       .lock = {LockMode::share_update_exclusive, "orders"},
       .hazards = {{.id = "INDEX_BUILD", .object = "orders|kind", .reason = "reads all of orders"}}},
      {.sql = "COMMENT ON INDEX \"orders|kind\" IS 'a ``` b'", .purpose = "sets its comment", .lock = {}}};
  Change dropped{.action = Action::drop,
                 .kind = "index",
                 .object = "old",
                 .table = "orders",
                 .where = {},
                 .reason = "is declared absent",
                 .fields = {{.field = "with.fillfactor", .live = "70", .desired = ""}}};
  dropped.steps = {
      {.sql = "DROP INDEX CONCURRENTLY old",
       .purpose = "drops it",
       .in_transaction = false,
       .lock = {LockMode::share_update_exclusive, "orders"},
       .hazards = {{.id = "INDEX_DROPPED", .object = "old", .reason = "drops index old", .blocks = true}}}};
  Report report{.command = "plan"};
  report.fields = {{.key = "target", .label = "target", .value = std::string("shop on db1 as me")}};
  report.changes = {made, dropped};
  report.tables = {{.key = "unmanaged",
                    .columns = {{.key = "kind", .title = "not declared"},
                                {.key = "object", .title = "name"},
                                {.key = "drift", .title = ""}},
                    .rows = {{std::string("index"), std::string("a_b"), false}}}};
  report.warnings = {{.message = "index x is undecided: <why>",
                      .where = {.file = "profiles/default.toml", .line = 30, .column = 2},
                      .hint = "look at it"}};
  report.summary = "1 object to create, 1 to drop";
  return report;
}

}  // namespace

TEST_CASE("a comment says a hazard of several changes once") {
  Report report = sample();
  const Change again = report.changes->front();
  report.changes->push_back(again);
  const std::string comment = render::render_markdown(report, {});
  const std::string line = "- ⚠️ **INDEX\\_BUILD**: reads all of orders (1, 3)\n";
  CHECK_MESSAGE(comment.find(line) != std::string::npos, comment);
  CHECK(comment.find("INDEX\\_BUILD", comment.find(line) + line.size()) == std::string::npos);
}

TEST_CASE("a plan as a comment on a pull request") {
  CHECK(render::render_markdown(sample(), {}) == R"md(### kdb plan: 1 object to create, 1 to drop

target: shop on db1 as me

| | | what | why | declared |
|---:|---|---|---|---|
| 1 | **create** | index <code>orders&#124;kind</code> on `orders` | is not there | `profiles/default.toml:12:2` |
| 2 | **drop** | index `old` on `orders` | is declared absent<br>`with.fillfactor`: `70` → not set |  |

- ⚠️ **INDEX\_BUILD**: reads all of orders (1)
- 🛑 **INDEX\_DROPPED**: drops index old (2)

🛑 is refused unless it is allowed: `kdb apply --allow 'INDEX_DROPPED:old'`

- ⚠️ `profiles/default.toml:30:2`: index x is undecided: \<why\><br>hint: look at it

<details><summary>1. create index <code>orders|kind</code> (about 5.0 million rows, 1.9 GB; takes up to 160 MB and roughly 17 s)</summary>

outside of a transaction; SHARE UPDATE EXCLUSIVE on orders blocks neither reads nor writes

```sql
-- builds it while the table is read and written
CREATE INDEX CONCURRENTLY "orders|kind" ON orders (kind);
```

in one transaction

````sql
-- sets its comment
COMMENT ON INDEX "orders|kind" IS 'a ``` b';
````

</details>
<details><summary>2. drop index <code>old</code></summary>

outside of a transaction; SHARE UPDATE EXCLUSIVE on orders blocks neither reads nor writes

```sql
-- drops it
DROP INDEX CONCURRENTLY old;
```

</details>

<details><summary>not declared: 1</summary>

| not declared | name |
|---|---|
| index | a\_b |

</details>
)md");
}

TEST_CASE("of a table's many parts people are shown the first and the last, and programs all") {
  Report report{.command = "plan"};
  Change change{.action = Action::create, .kind = "index", .object = "e_v", .table = "e"};
  change.steps = {{.sql = "CREATE INDEX e_v ON ONLY e (v)",
                   .purpose = "declares it, and builds nothing",
                   .begins = true,
                   .lock = {LockMode::share, "e"}}};
  for (int part = 0; part < 2000; ++part) {
    const std::string name = "e" + std::to_string(part);
    change.steps.push_back({.sql = "CREATE INDEX CONCURRENTLY " + name + "_v ON " + name + " (v)",
                            .purpose = "builds a part of it",
                            .in_transaction = false,
                            .lock = {LockMode::share_update_exclusive, name}});
    change.steps.push_back({.sql = "ALTER INDEX e_v ATTACH PARTITION " + name + "_v",
                            .purpose = "makes it a part of the whole",
                            .begins = true,
                            .lock = {LockMode::access_exclusive, name + "_v"}});
  }
  change.steps[1].hazards = {{.id = "INDEX_BUILD", .object = "e_v", .reason = "reads e part by part"}};
  report.changes = {change};
  CHECK(render::render_text(report, {}) == R"text(  create   index e_v on e

1. create index e_v on e
   in one transaction; SHARE on e blocks writes
     -- declares it, and builds nothing
     CREATE INDEX e_v ON ONLY e (v);
   outside of a transaction; SHARE UPDATE EXCLUSIVE on e0 blocks neither reads nor writes
     -- builds a part of it
     -- INDEX_BUILD: reads e part by part
     CREATE INDEX CONCURRENTLY e0_v ON e0 (v);
   in one transaction; ACCESS EXCLUSIVE on e0_v blocks reads and writes
     -- makes it a part of the whole
     ALTER INDEX e_v ATTACH PARTITION e0_v;
   … and the same for 1998 more: --format json or sql shows all
   outside of a transaction; SHARE UPDATE EXCLUSIVE on e1999 blocks neither reads nor writes
     -- builds a part of it
     CREATE INDEX CONCURRENTLY e1999_v ON e1999 (v);
   in one transaction; ACCESS EXCLUSIVE on e1999_v blocks reads and writes
     -- makes it a part of the whole
     ALTER INDEX e_v ATTACH PARTITION e1999_v;
)text");
  const std::string markdown = render::render_markdown(report, {});
  CHECK(markdown.find(
            "ATTACH PARTITION e0_v;\n```\n\n… and the same for 1998 more: \\-\\-format json or sql shows "
            "all\n\noutside of a transaction") != std::string::npos);
  CHECK(markdown.find("e1998_v") == std::string::npos);
  for (const auto& all : {render::render_json(report, {}), render::render_sql(report, {})})
    CHECK(all.find("ON e1234 (v)") != std::string::npos);
}

TEST_CASE("no step is left out that has something of its own to say") {
  const auto shown = [](std::vector<ChangeStep> steps) {
    std::string text;
    for (const auto& [at, left_out] : render::shown_steps(steps))
      text += (left_out > 0 ? "+" + std::to_string(left_out) + " " : "") + std::to_string(at) + " ";
    return text;
  };
  const auto on = [](const std::string& relation) {
    return ChangeStep{.sql = "s", .purpose = "p", .lock = {LockMode::share, relation}};
  };
  std::vector<ChangeStep> steps = {on("a"), on("b"), on("c"), on("d"), on("e")};
  CHECK(shown({steps.begin(), steps.end() - 1}) == "0 1 2 3 ");
  CHECK(shown(steps) == "0 +3 4 ");
  std::vector<ChangeStep> changed = steps;
  changed[2].hazards = {{.id = "DELETES_DATA"}};
  CHECK(shown(changed) == "0 1 2 3 4 ");
  changed = steps;
  changed[2].lock.relation = "a";  // two statements for one relation
  CHECK(shown(changed) == "0 1 2 3 4 ");
  changed = steps;
  for (ChangeStep& step : changed) step.purpose.clear();  // a migration's
  CHECK(shown(changed) == "0 1 2 3 4 ");
  CHECK(shown({}).empty());
}

TEST_CASE("nothing of a plan is markup of its own") {
  Report report = sample();
  Change& change = report.changes->front();
  change.object = "a`b<img src=x>";
  change.reason = "[x](http://evil) ![y](z) @everyone | cell";
  const std::string text = render::render_markdown(report, {});
  CHECK(text.find("``a`b<img src=x>``") != std::string::npos);
  CHECK(text.find("<code>a`b&lt;img src=x&gt;</code>") != std::string::npos);
  CHECK(text.find("\\[x\\]\\(http://evil\\) \\!\\[y\\]\\(z\\) \\@everyone \\| cell") != std::string::npos);
}

TEST_CASE("a plan as SARIF and as annotations points at the lines that declare") {
  const std::string sarif = render::render_sarif(sample(), {});
  const auto at = [&](const std::string& place) { return json_at(sarif, "/runs/0" + place); };
  CHECK_FALSE(at("/tool/driver/rules/2").empty());
  CHECK_FALSE(at("/tool/driver/rules/3").empty());
  CHECK(at("/tool/driver/rules/4").empty());
  CHECK(at("/results/0/ruleId") == R"("change")");
  CHECK(at("/results/0/level") == R"("note")");
  CHECK(at("/results/0/message/text") == R"("create index orders|kind on orders: is not there")");
  CHECK(at("/results/0/locations/0/physicalLocation/region/startLine") == "12");
  CHECK(at("/results/2/ruleId") == R"("hazard-not-allowed")");
  CHECK(at("/results/2/locations") == "[]");
  CHECK(at("/results/3/ruleId") == R"("remark")");
  CHECK(at("/results/4").empty());
  CHECK(
      render::render_github(sample(), {}) ==
      "::notice file=profiles/default.toml,line=12,col=2,title=change::create index orders|kind on orders: "
      "is "
      "not there\n"
      "::notice title=change::drop index old on orders: is declared absent%0Awith.fillfactor: 70 → not set\n"
      "::warning title=hazard-not-allowed::INDEX_DROPPED: drops index old%0Ahint: if this is meant: --allow "
      "'INDEX_DROPPED:old'\n"
      "::warning file=profiles/default.toml,line=30,col=2,title=remark::index x is undecided: <why>%0Ahint: "
      "look at it\n"
      "kdb plan: 1 object to create, 1 to drop\n");
}

TEST_CASE("a plan as text and as a script for psql") {
  CHECK(render::render_sql(sample(), {}) == R"sql(-- create index orders|kind on orders
-- INDEX_BUILD: reads all of orders
CREATE INDEX CONCURRENTLY "orders|kind" ON orders (kind);
BEGIN;
COMMENT ON INDEX "orders|kind" IS 'a ``` b';
COMMIT;

-- drop index old on orders
-- INDEX_DROPPED: drops index old
DROP INDEX CONCURRENTLY old;
)sql");
  CHECK(render::render_text(sample(), {}) == R"text(target  shop on db1 as me

  create   index orders|kind on orders
           is not there · profiles/default.toml:12:2
  drop     index old on orders
           is declared absent
           with.fillfactor: 70 → not set

1. create index orders|kind on orders (about 5.0 million rows, 1.9 GB; takes up to 160 MB and roughly 17 s)
   outside of a transaction; SHARE UPDATE EXCLUSIVE on orders blocks neither reads nor writes
     -- builds it while the table is read and written
     -- INDEX_BUILD: reads all of orders
     CREATE INDEX CONCURRENTLY "orders|kind" ON orders (kind);
   in one transaction
     -- sets its comment
     COMMENT ON INDEX "orders|kind" IS 'a ``` b';

2. drop index old on orders
   outside of a transaction; SHARE UPDATE EXCLUSIVE on orders blocks neither reads nor writes
     -- drops it
     -- INDEX_DROPPED: drops index old
     DROP INDEX CONCURRENTLY old;

not declared  name
index         a_b

warning: profiles/default.toml:30:2: index x is undecided: <why>
hint: look at it

1 object to create, 1 to drop
)text");
}

TEST_CASE("prose of a plan is wrapped on a terminal, statements are not") {
  Report report = sample();
  report.changes->at(0).steps[0].hazards[0].reason = "reads all of orders, which is a table of many rows";
  report.changes->at(1).steps[0].hazards[0].in_text = "";
  report.warnings[0].message = "index x is undecided, for nobody can tell what its expression means";
  const std::string text = render::render_text(report, {.terminal = true, .width = 50});
  CHECK_MESSAGE(
      text.find("     -- INDEX_BUILD: reads all of orders, which is\n"
                "     --   a table of many rows\n"
                "     CREATE INDEX CONCURRENTLY \"orders|kind\" ON orders (kind);\n") != std::string::npos,
      text);
  CHECK_MESSAGE(text.find("   outside of a transaction; SHARE UPDATE\n"
                          "     EXCLUSIVE on orders blocks neither reads nor\n"
                          "     writes\n") != std::string::npos,
                text);
  CHECK_MESSAGE(text.find("warning: profiles/default.toml:30:2: index x is\n"
                          "  undecided, for nobody can tell what its\n"
                          "  expression means\nhint: look at it\n") != std::string::npos,
                text);
  CHECK(text.find("INDEX_DROPPED") == std::string::npos);  // a statement before has said it
  const std::string piped = render::render_text(report, {});
  CHECK(piped.find("-- INDEX_BUILD: reads all of orders, which is a table of many rows\n") !=
        std::string::npos);
}

TEST_CASE("what cannot be brought about is an error in every format, beside warnings") {
  Report report = sample();
  report.problems = {{.message = "role a: there is no such role",
                      .where = {.file = "profiles/default.toml", .line = 40, .column = 8},
                      .hint = "make it"}};
  CHECK(render::render_text(report, {})
            .find("error: profiles/default.toml:40:8: role a: there is no such role\nhint: make it\n"
                  "warning: profiles/default.toml:30:2: index x") != std::string::npos);
  CHECK(render::render_markdown(report, {})
            .find("- ❌ `profiles/default.toml:40:8`: role a: there is no such role<br>hint: make it\n- "
                  "⚠️") != std::string::npos);
  CHECK(render::render_github(report, {})
            .find("::error file=profiles/default.toml,line=40,col=8,title=problem::role a: there is no such "
                  "role%0Ahint: make it\n") != std::string::npos);
  const std::string sarif = render::render_sarif(report, {});
  CHECK(json_at(sarif, "/runs/0/results/3/ruleId") == R"("problem")");
  CHECK(json_at(sarif, "/runs/0/results/3/level") == R"("error")");
  CHECK(render::render_sql(report, {})
            .starts_with(
                "-- error: profiles/default.toml:40:8: role a: there is no such role\n-- hint: make it\n\n"));
  CHECK(json_at(render::render_json(report, {}), "/problems/0/line") == "40");
  CHECK(json_at(render::render_json(report, {}), "/warnings/0/line") == "30");
}

}  // namespace kdb::plan_render_test
