#include "files/profile.hpp"

#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/problems.hpp"
#include "support/temp_dir.hpp"

namespace kdb::files::profile_test {
namespace {

using std::chrono::milliseconds;

std::optional<std::string> environment(const std::string& name) {
  static const std::map<std::string, std::string> values{
      {"URL", "postgres://u:secret@h/db"}, {"WORD", "session"}, {"EMPTY", ""}, {"TIME", "7s"}};
  const auto found = values.find(name);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

using test::problems_of;

Profile parse(std::string_view text) { return parse_profile(text, "p.toml", environment); }

}  // namespace

TEST_CASE("every key of a profile is read") {
  const Profile profile = parse(R"(
[database]
url = "${URL}"
schema = "app"
role = "owner"
history_schema = "history"
expect = { name = "klaviyo", system_identifier = "7345678901234567890" }

[connection]
connect_timeout = "5s"
statement_timeout = "1min"
lock_timeout = "1500ms"
build_wait = "1h"
response_timeout = "2h"
keepalives_idle = "20s"
keepalives_interval = "7s"
keepalives_count = 5
pooler = "session"
retry = { initial = "50ms", max_delay = "2s", factor = 1.5, jitter = "full", max_attempts = 4, deadline = "30s" }
pool = { min = 2, max = 7, max_connecting = 3, idle_timeout = "1min", lifetime = 0, connect_timeout = "2s", leak_after = "9s", check_after = 0, check_timeout = "3s" }

[migrations]
directory = "db/migrations"
layout = "golang-migrate"
max_file_size = "32MB"
hazards = "refuse"
dump = "schema.sql"
lock_wait = "5min"
lock_retry = { jitter = "decorrelated", deadline = 0 }
variables = { owner = "app", "flyway:user" = "kdb" }
)");
  REQUIRE(profile.files.size() == 1);
  CHECK(profile.files[0].path == "p.toml");
  CHECK(profile.database.url == "postgres://u:secret@h/db");
  CHECK(profile.database.schema == "app");
  CHECK(profile.database.role == "owner");
  CHECK(profile.database.history_schema == "history");
  CHECK(profile.database.expect_name == "klaviyo");
  CHECK(profile.database.expect_system_identifier == "7345678901234567890");
  CHECK(profile.connection.connect_timeout == milliseconds(5'000));
  CHECK(profile.connection.statement_timeout == milliseconds(60'000));
  CHECK(profile.connection.lock_timeout == milliseconds(1'500));
  CHECK(profile.connection.build_wait == milliseconds(3'600'000));
  CHECK(profile.connection.response_timeout == milliseconds(7'200'000));
  CHECK(profile.connection.keepalives_idle == milliseconds(20'000));
  CHECK(profile.connection.keepalives_interval == milliseconds(7'000));
  CHECK(profile.connection.keepalives_count == 5);
  CHECK(profile.connection.pooler == "session");
  CHECK(profile.connection.retry == RetryPolicy{.initial = milliseconds(50),
                                                .max_delay = milliseconds(2'000),
                                                .factor = 1.5,
                                                .jitter = Jitter::full,
                                                .max_attempts = 4,
                                                .deadline = milliseconds(30'000)});
  CHECK(profile.connection.pool == PoolSettings{.min = 2,
                                                .max = 7,
                                                .max_connecting = 3,
                                                .idle_timeout = milliseconds(60'000),
                                                .lifetime = milliseconds(0),
                                                .connect_timeout = milliseconds(2'000),
                                                .leak_after = milliseconds(9'000),
                                                .check_after = milliseconds(0),
                                                .check_timeout = milliseconds(3'000)});
  CHECK(profile.migrations.source.folder == "db/migrations");
  CHECK(profile.migrations.source.layout == Layout::golang_migrate);
  CHECK(profile.migrations.source.max_file_size == 32u * 1024 * 1024);
  CHECK(profile.migrations.refuse_hazards);
  CHECK(profile.migrations.dump == "schema.sql");
  CHECK(profile.migrations.lock_wait == milliseconds(300'000));
  CHECK(profile.migrations.lock_retry.jitter == Jitter::decorrelated);
  CHECK(profile.migrations.lock_retry.initial == milliseconds(500));
  using Variables = std::vector<std::pair<std::string, std::string>>;
  CHECK(profile.migrations.source.variables == Variables{{"owner", "app"}, {"flyway:user", "kdb"}});
}

TEST_CASE("an empty profile has the defaults") {
  const Profile profile = parse("");
  CHECK(profile.database.schema == "public");
  CHECK(profile.connection.lock_timeout == milliseconds(3'000));
  CHECK(profile.migrations.source.folder == "migrations");
  CHECK_FALSE(profile.migrations.source.layout);
}

TEST_CASE("a wrong profile is reported with its place and what is accepted") {
  struct Case {
    std::string text;
    std::string problems;
  };
  const Case cases[] = {
      {"[database]\nschema = 1", "p.toml:2:10: [database] schema must be a string, not 1"},
      {"[database]\nschema = \"\"", "p.toml:2:10: [database] schema may not be empty"},
      {"[database]\nexpect = { system_identifier = \"12x\" }",
       "p.toml:2:32: [database] expect.system_identifier must be the number that pg_control_system() shows"},
      {"[database]\nexpect = { system_identifier = 0 }",
       "p.toml:2:32: [database] expect.system_identifier must be a string, not 0"},
      {"[database]\nexpect = { nmae = \"x\" }",
       "p.toml:2:12: unknown key \"nmae\" in [database] expect | did you mean \"name\"?"},
      {"[database]\nexpect = 3", "p.toml:2:10: [database] expect must be a table, not 3"},
      {"[connection]\nconnect_timeout = 10",
       "p.toml:2:19: [connection] connect_timeout must be a duration such as \"500ms\", \"10s\", \"5min\" or "
       "0, not 10"},
      {"[connection]\nconnect_timeout = \"10\"",
       "p.toml:2:19: [connection] connect_timeout must be a duration such as \"500ms\", \"10s\", \"5min\" or "
       "0, not \"10\""},
      {"[connection]\nconnect_timeout = \"10 parsecs\"",
       "p.toml:2:19: [connection] connect_timeout must be a duration such as \"500ms\", \"10s\", \"5min\" or "
       "0, not \"10 parsecs\""},
      {"[connection]\nretry = { initial = 0 }",
       "p.toml:2:21: [connection] retry.initial must be a duration of at least 1ms such as \"500ms\", "
       "\"10s\", \"5min\", not 0"},
      {"[connection]\nretry = { initial = \"9s\" }",
       "p.toml:2:9: [connection] retry has initial above max_delay (9s > 5s)"},
      {"[connection]\npool = { min = 11 }", "p.toml:2:8: [connection] pool has min above max (11 > 10)"},
      {"[connection]\npool = { max = 0 }",
       "p.toml:2:16: [connection] pool.max must be an integer from 1 to 262143, not 0"},
      {"[connection]\npool = { lifetme = 0 }",
       "p.toml:2:10: unknown key \"lifetme\" in [connection] pool | did you mean \"lifetime\"?"},
      {"[migrations.lock_retry]\ninitial = \"1h\"",
       "p.toml:1:1: [migrations] lock_retry has initial above max_delay (1h > 15s)"},
      {"[connection]\nretry = { factor = 0.5 }",
       "p.toml:2:20: [connection] retry.factor must be a number from 1 to 100, not 0.5"},
      {"[connection]\nretry = { factor = nan }",
       "p.toml:2:20: [connection] retry.factor must be a number from 1 to 100, not nan"},
      {"[connection]\nretry = { jitter = \"fulll\" }",
       "p.toml:2:20: [connection] retry.jitter must be one of \"additive\", \"full\", \"decorrelated\", not "
       "\"fulll\""},
      {"[connection]\nretry = { max_attempts = 0 }",
       "p.toml:2:26: [connection] retry.max_attempts must be an integer from 1 to 1000000, not 0"},
      {"[connection]\nkeepalives_count = 200",
       "p.toml:2:20: [connection] keepalives_count must be an integer from 0 to 127, not 200"},
      {"[connection]\npooler = \"transaction\"",
       "p.toml:2:10: [connection] pooler must be \"session\", not \"transaction\""},
      {"[migrations]\nlayout = \"rails\"",
       "p.toml:2:10: [migrations] layout must be one of \"native\", \"goose\", \"golang-migrate\", "
       "\"diesel\", \"prisma\", \"flyway\", \"plain\", not \"rails\""},
      {"[migrations]\nmax_file_size = \"big\"",
       "p.toml:2:17: [migrations] max_file_size must be a size such as \"16MB\" or a number of bytes, not "
       "\"big\""},
      {"[migrations]\nmax_file_size = -1",
       "p.toml:2:17: [migrations] max_file_size must be a size such as \"16MB\" or a number of bytes, not "
       "-1"},
      {"[migrations]\nhazards = true",
       "p.toml:2:11: [migrations] hazards must be one of \"show\", \"refuse\", not true"},
      {"[migrations]\nvariables = [\"a\"]",
       "p.toml:2:13: [migrations] variables must be a table, not an array"},
      {"[migrations]\nvariables = { a = 1979-05-27 }",
       "p.toml:2:19: [migrations] variables.a must be a string, not a date or time"},
      {"[migrations]\ndirectroy = \"x\"",
       "p.toml:2:1: unknown key \"directroy\" in [migrations] | did you mean \"directory\"?"},
      {"[connection]\nx = 1",
       "p.toml:2:1: unknown key \"x\" in [connection] | keys of [connection]: connect_timeout, "
       "statement_timeout, lock_timeout, build_wait, response_timeout, keepalives_idle, keepalives_interval, "
       "keepalives_count, pooler, retry, pool"},
      {"[migration]\nx = 1",
       "p.toml:1:2: unknown key \"migration\" in the profile | did you mean \"migrations\"?"},
      {"database = 5", "p.toml:1:12: [database] must be a table, not 5"},
      {"[server]\nmemory = \"much\"\ncpus = 0\ndisk = \"tape\"\nconnections = \"many\"\nworkload = 1\n",
       "p.toml:2:10: [server] memory must be a size such as \"16MB\" or a number of bytes, not \"much\""
       "\np.toml:3:8: [server] cpus must be a number from 0.1 to 4096, not 0"
       "\np.toml:4:8: [server] disk must be one of \"auto\", \"ssd\", \"hdd\", \"nvme\", \"san\", not "
       "\"tape\""
       "\np.toml:5:15: [server] connections must be an integer from 1 to 262143, not \"many\""
       "\np.toml:6:12: [server] workload must be one of \"oltp\", \"web\", \"olap\", \"mixed\", "
       "\"timeseries\", not 1"},
      {"[server.settings]\nwork_mem = 1\nWork_Mem = 2\n",
       "p.toml:3:12: [server.settings] work_mem is set in line 2 already"},
      {"[server]\nmemory = \"${NOPE}\"\n",
       "p.toml:2:10: [server] memory needs the environment variable NOPE, which is not set"},
      {"[server.settings]\n\"work mem\" = 1\nwork_mem = [1]\nsearch_path = \"a\\nb\"\nx.\"\" = 1\n",
       "p.toml:2:1: [server.settings] work mem is no name of a setting | such as shared_buffers or "
       "timescaledb.max_background_workers"
       "\np.toml:3:12: [server.settings] work_mem must be a number, a string, true or false, not an array"
       "\np.toml:4:15: [server.settings] search_path must be on one line"
       "\np.toml:5:3: [server.settings] x. is no name of a setting | such as shared_buffers or "
       "timescaledb.max_background_workers"},
      {"[database]\nurl = \"${NOPE}\"",
       "p.toml:2:7: [database] url needs the environment variable NOPE, which is not set"},
      {"[database]\nurl = \"x${URL\"",
       "p.toml:2:7: [database] url has a \"${\" without its \"}\" | write ${NAME} for an environment "
       "variable, $${ for a literal ${"},
      {"[database]\nurl = \"x${1 a}\"",
       "p.toml:2:7: [database] url has a \"${1 a}\" that names no variable | write ${NAME} for an "
       "environment variable, $${ for a literal ${"},
      {"[database]\nrole = 1\n[connection]\nlock_timeout = true\nretry = 2\n",
       "p.toml:2:8: [database] role must be a string, not 1"
       "\np.toml:4:16: [connection] lock_timeout must be a duration such as \"500ms\", \"10s\", \"5min\" or "
       "0, not true"
       "\np.toml:5:9: [connection] retry must be a table, not 2"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.text);
    CHECK(problems_of([&] { parse(row.text); }) == row.problems);
  }
}

TEST_CASE("malformed TOML is reported with its place") {
  const auto problems = problems_of([] { parse("[database]\nurl = \n"); });
  CHECK(problems.starts_with("p.toml:2:"));
  CHECK(problems.find("malformed TOML: ") != std::string::npos);
}

TEST_CASE("[server] says what the machine is, and holds settings by name") {
  const ServerSection server =
      parse(
          "[server]\nmemory = \"8GB\"\ncpus = 2.5\ndisk = \"nvme\"\nconnections = 100\n"
          "workload = \"timeseries\"\n[server.settings]\n"
          "shared_buffers = \"25%\"\nRandom_Page_Cost = 1.1\njit = false\nmax_connections = 200\n"
          "timescaledb.max_background_workers = 8\n")
          .server;
  CHECK(server.memory == 8ULL * 1024 * 1024 * 1024);
  CHECK(server.cpus == 2.5);
  CHECK(server.disk == "nvme");
  CHECK(server.connections == 100);
  CHECK(server.workload == "timeseries");
  std::string settings;
  for (const WantedSetting& one : server.settings) settings += one.name + "=" + one.value + " ";
  CHECK(settings ==
        "jit=false max_connections=200 random_page_cost=1.1 shared_buffers=25% "
        "timescaledb.max_background_workers=8 ");
}

TEST_CASE("\"auto\" is what a missing key means") {
  const ServerSection server =
      parse("[server]\nmemory = \"auto\"\ncpus = \"auto\"\ndisk = \"auto\"\nconnections = \"auto\"\n").server;
  CHECK(!server.memory);
  CHECK(!server.cpus);
  CHECK(server.disk.empty());
  CHECK(!server.connections);
}

TEST_CASE("a key that begins with a brace is a syntax error and no crash") {
  CHECK(problems_of([] { parse("[}\"\n"); }).rfind("p.toml:1:", 0) == 0);
}

TEST_CASE("environment variables are expanded where nothing shows them") {
  struct Case {
    const char* text;
    const char* expanded;
  };
  const Case cases[] = {{"${URL}", "postgres://u:secret@h/db"},
                        {"a${EMPTY}b${WORD}c", "absessionc"},
                        {"$${URL}", "${URL}"},
                        {"$URL $$ $", "$URL $$ $"},
                        {"$$${URL}", "$${URL}"},
                        {"plain", "plain"}};
  for (const Case& row : cases) {
    CAPTURE(row.text);
    CHECK(parse(std::string("[database]\nurl = \"") + row.text + "\"").database.url == row.expanded);
    const auto settings = parse(std::string("[server.settings]\na.b = \"") + row.text + "\"").server.settings;
    CHECK(settings.at(0).value == row.expanded);
    CHECK(settings.at(0).written == row.text);
  }
  CHECK(parse("[connection]\nlock_timeout = \"${TIME}\"\npooler = \"${WORD}\"").connection.lock_timeout ==
        milliseconds(7'000));
}

TEST_CASE("what a plan shows takes nothing from the environment") {
  const char* profiles[] = {
      "extends = [\"${URL}.toml\"]",
      "[database]\nschema = \"${URL}\"",
      "[database]\nrole = \"x${URL}\"",
      "[database]\nhistory_schema = \"${URL}\"",
      "[database]\nexpect = { name = \"${URL}\" }",
      "[migrations]\ndirectory = \"${URL}\"",
      "[migrations]\ndump = \"${URL}\"",
      "[migrations.variables]\na = \"${URL}\"",
      "[tables.t]\ncomment = \"${URL}\"",
      "[tables.t]\nstorage = { fillfactor = \"${URL}\" }",
      "[indexes.i]\ntable = \"t\"\ncolumns = [\"a\"]\nwhere = \"a = '${URL}'\"",
      "[indexes.i]\ntable = \"${URL}\"\ncolumns = [\"(b || '${URL}')\"]",
      "[hypertables.h]\ntime_column = \"t\"\nretention = { drop_after = \"${URL}\" }",
      "[indexes.i]\ntable = \"t\"\ncolumns = [\"a\"]\nstate = \"${URL}\"",
  };
  const test::TempDir folder;
  for (const char* text : profiles) {
    CAPTURE(text);
    const std::string path = folder.write("p.toml", text);
    const std::string problems = problems_of([&] { read_profile(path, true, environment); });
    CAPTURE(problems);
    CHECK(problems.find("has a \"${\", and what comes from the environment must not be shown | variables are "
                        "for [database] url, [connection] and [server]; $${ is a literal ${") !=
          std::string::npos);
    CHECK(problems.find("secret") == std::string::npos);
  }
  CHECK(parse("[migrations.variables]\na = \"$${URL}\"").migrations.source.variables.at(0).second ==
        "${URL}");
}

TEST_CASE("a value from the environment is never shown") {
  const auto problems = problems_of([] { parse("[connection]\nlock_timeout = \"${URL}\""); });
  CHECK(problems.find("secret") == std::string::npos);
  CHECK(problems.find("${URL}") != std::string::npos);
}

TEST_CASE("a profile is found by name or path") {
  const test::TempDir folder;
  folder.write("a.toml", "[database]\nschema = \"a\"");
  CHECK(read_profile(folder.path().string() + "/a.toml", true, environment).database.schema == "a");
  const std::string base = folder.path().string() + "/";
  CHECK(problems_of([&] { read_profile(base + "b.toml", true, environment); }) ==
        "profile \"" + base + "b.toml\" not found | profiles there: a");
  // From wherever the tests run: with a folder of profiles or without.
  const std::string problems = problems_of([] { read_profile("no-such-profile", true, environment); });
  CHECK(problems.rfind("profile \"profiles/no-such-profile.toml\" not found | ", 0) == 0);
  CHECK(read_profile("no-such-profile", false, environment).files.empty());
  CHECK(read_profile("/dev/null", true, environment).database.schema == "public");
  CHECK(problems_of([&] { read_profile(base, true, environment); }) ==
        "cannot read profile \"" + base + "\": Is a directory");
}

TEST_CASE("extends merges key by key and later files win") {
  const test::TempDir folder;
  folder.write("shared/base.toml",
               "[database]\nschema = \"base\"\nrole = \"base\"\n"
               "[connection]\nretry = { factor = 3, max_attempts = 7 }\n"
               "[migrations.variables]\na = \"1\"\nb = \"2\"\n");
  folder.write("shared/other.toml", "extends = [\"base.toml\"]\n[database]\nrole = \"other\"\n");
  folder.write("p.toml",
               "extends = [\"shared/other.toml\", \"shared/base.toml\"]\n"
               "[connection]\nretry = { factor = 4 }\n[migrations]\nvariables = { b = \"3\" }\n");
  const Profile profile = read_profile(folder.path().string() + "/p.toml", true, environment);
  std::vector<std::string> paths;
  for (const FileHash& file : profile.files) {
    paths.push_back(file.path);
    CHECK(file.sha256.size() == 64);
  }
  CHECK(paths == std::vector<std::string>{folder.path().string() + "/shared/base.toml",
                                          folder.path().string() + "/shared/other.toml",
                                          folder.path().string() + "/p.toml"});
  CHECK(profile.database.schema == "base");
  CHECK(profile.database.role == "other");
  CHECK(profile.connection.retry.factor == 4);
  CHECK(profile.connection.retry.max_attempts == 7);
  using Variables = std::vector<std::pair<std::string, std::string>>;
  CHECK(profile.migrations.source.variables == Variables{{"a", "1"}, {"b", "3"}});
}

TEST_CASE("an unset variable of an overridden value does not matter") {
  const test::TempDir folder;
  folder.write("base.toml", "[database]\nurl = \"${NOPE}\"\n");
  folder.write("p.toml", "extends = [\"base.toml\"]\n[database]\nurl = \"${URL}\"\n");
  CHECK(read_profile(folder.path().string() + "/p.toml", true, environment).database.url ==
        "postgres://u:secret@h/db");
}

TEST_CASE("who needs no url may leave its variables unset") {
  const test::TempDir folder;
  const std::string path = folder.write("p.toml", "[database]\nurl = \"${NOPE}\"\nrole = \"r\"\n");
  CHECK_FALSE(problems_of([&] { read_profile(path, true, environment); }).empty());
  const Profile profile = read_profile(path, true, environment, false);
  CHECK(profile.database.url.empty());
  CHECK(profile.database.role == "r");
}

TEST_CASE("problems of all files are reported in order of their position") {
  const test::TempDir folder;
  const std::string a = folder.write("a.toml", "[database]\nschema = 1\nrole = 2\n");
  const std::string b = folder.write("b.toml", "[database\n");
  const std::string p = folder.write("p.toml",
                                     "extends = [\"a.toml\", \"b.toml\", \"c.toml\", 5]\n"
                                     "[migrations]\nhazards = 1\n[database]\nschema = \"x\"\n");
  const std::string problems = problems_of([&] { read_profile(p, true, environment); });
  const std::string first = a + ":2:10: [database] schema must be a string, not 1\n" + a +
                            ":3:8: [database] role must be a string, not 2\n" + b + ":1:10: malformed TOML: ";
  const std::string last = "\n" + p + ":1:32: profile \"" + folder.path().string() +
                           "/c.toml\" not found | profiles there: a, b, p\n" + p +
                           ":1:42: extends must be a string, not 5\n" + p +
                           ":3:11: [migrations] hazards must be one of \"show\", \"refuse\", not 1";
  CAPTURE(problems);
  CHECK(problems.starts_with(first));
  CHECK(problems.ends_with(last));
}

TEST_CASE("a circle of extends is refused") {
  const test::TempDir folder;
  folder.write("a.toml", "extends = [\"b.toml\"]\n");
  folder.write("b.toml", "extends = [\"./a.toml\"]\n");
  folder.write("own.toml", "extends = [\"own.toml\"]\n");
  folder.write("word.toml", "extends = \"a.toml\"\n");
  const std::string base = folder.path().string() + "/";
  CHECK(problems_of([&] { read_profile(base + "a.toml", true, environment); }) ==
        base + "b.toml:1:12: extends goes in a circle: " + base + "a.toml -> " + base + "b.toml -> " + base +
            "./a.toml");
  CHECK(problems_of([&] { read_profile(base + "own.toml", true, environment); }) ==
        base + "own.toml:1:12: extends goes in a circle: " + base + "own.toml -> " + base + "own.toml");
  CHECK(problems_of([&] { read_profile(base + "word.toml", true, environment); }) ==
        base + "word.toml:1:11: extends must be an array of paths, as in extends = [\"base.toml\"]");
}

}  // namespace kdb::files::profile_test
