// Settings of roles: planned, applied and compared as the server reads them.
#include <cmath>
#include <filesystem>

#include "base/setting_value.hpp"
#include "db/catalog.hpp"
#include "db/project.hpp"
#include "pg/settings.hpp"
#include "support/cases.hpp"
#include "support/dice.hpp"

namespace kdb::test::role_test {

namespace {

/// Roles of the test's own, which belong to the server and not to a database.
class Roles {
 public:
  explicit Roles(std::vector<std::string> names) : names_(std::move(names)) {
    std::filesystem::create_directories(project_.folder());
    for (const std::string& name : names_)
      database_.exec("DROP ROLE IF EXISTS " + quote_ident(name) + "; CREATE ROLE " + quote_ident(name));
  }
  ~Roles() {
    for (const std::string& name : names_) try {
        database_.exec("DROP ROLE IF EXISTS " + quote_ident(name));
      } catch (const std::exception&) {
        // Another case's roles are other ones.
      }
  }
  Roles(const Roles&) = delete;
  Roles& operator=(const Roles&) = delete;

  const Database& database() const { return database_; }
  Project& project() { return project_; }
  Run kdb(const std::vector<std::string>& words, const std::string& profile) const {
    return run(database_.url(), words, profile);
  }
  Run kdb_as(const std::string& role, const std::vector<std::string>& words,
             const std::string& profile) const {
    const std::string url = database_.url();
    return run(url + (url.find('?') == std::string::npos ? "?" : "&") + "user=" + role, words, profile);
  }
  /// As the catalog has it.
  std::string settings(const std::string& role) const {
    return database_.text(
        "SELECT coalesce(string_agg(CASE setdatabase WHEN 0 THEN '' ELSE 'here: ' END || "
        "array_to_string(setconfig, '; '), ' | ' ORDER BY setdatabase), '') FROM pg_db_role_setting "
        "WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = " +
        quote_literal(role) + ")");
  }

 private:
  Run run(const std::string& url, std::vector<std::string> words, const std::string& profile) const {
    words.insert(words.end(), {"-p", folder_.write("p.toml", profile).string()});
    return project_.kdb(url, words);
  }

  std::vector<std::string> names_;
  Database database_;
  Project project_;
  TempDir folder_;
};

}  // namespace

TEST_CASE("settings of a role are applied, and equal in any spelling afterwards") {
  const Roles roles({"kdb dash.board", "kdb_reporting"});
  roles.database().exec(
      "ALTER ROLE kdb_reporting SET statement_timeout TO '5min'; ALTER ROLE kdb_reporting SET work_mem TO "
      "'262144kB'; ALTER ROLE kdb_reporting SET jit TO 'off'");
  const std::string profile = R"(
[roles."kdb dash.board"]
settings = { statement_timeout = "30s", search_path = '''"$user", App, "O'x"''' }
in_database = { work_mem = "64MB" }
[roles.kdb_reporting]
settings = { work_mem = "256MB", Statement_Timeout = "default", my.tag = "x'y; --" }
)";
  const Run planned = roles.kdb({"plan"}, profile);
  CHECK(planned.out.find("work_mem: 262144kB") == std::string::npos);
  CHECK_MESSAGE(planned.out.find("settings.statement_timeout: 5min → default\n") != std::string::npos,
                (planned.out + planned.err));
  const Run applied = roles.kdb({"apply"}, profile);
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(roles.settings("kdb dash.board") ==
        "statement_timeout=30s; search_path=\"$user\", app, \"O'x\" | here: work_mem=64MB");
  CHECK(roles.settings("kdb_reporting") == "work_mem=262144kB; jit=off; my.tag=x'y; --");
  const Run again = roles.kdb({"plan", "--exit-code"}, profile);
  CHECK_MESSAGE(again.exit == 0, (again.out + again.err));

  const Run respelled = roles.kdb({"plan", "--exit-code"}, R"(
[roles."kdb dash.board"]
settings = { statement_timeout = "0.5min", search_path = '''$user,app , "O'x"''' }
in_database = { work_mem = 65536 }
[roles.kdb_reporting]
settings = { jit = false }
)");
  CHECK_MESSAGE(respelled.exit == 0, (respelled.out + respelled.err));
}

TEST_CASE("roles that are not there, and settings that no role can have, are problems with their places") {
  const Roles roles({"kdb_dashboard"});
  const Run planned = roles.kdb({"plan"}, R"([roles.kdb_nobody]
settings.jit = false
[roles.kdb_dashboard]
settings.statement_timout = "30s"
settings.work_mem = "64mb"
settings.shared_buffers = "1GB"
settings.random_page_cost = -1
settings.client_min_messages = "noisy"
settings.sort_mem = "1MB"
settings.log_connections = true
settings.plain.words = "x"
[roles.kdb_gone]
state = "absent"
)");
  CHECK(planned.exit == 1);
  for (const char* line : {
           ":1:8: role kdb_nobody: there is no such role\n",
           ":4:29: [roles.kdb_dashboard] settings.statement_timout is no setting of this server\n"
           "hint: did you mean \"statement_timeout\"?\n",
           ":5:21: [roles.kdb_dashboard] settings.work_mem takes a whole number with or without a unit",
           ":6:27: [roles.kdb_dashboard] settings.shared_buffers cannot be a role's: it is the whole "
           "server's",
           ":7:29: [roles.kdb_dashboard] settings.random_page_cost takes 0 or more, not -1\n",
           ":8:32: [roles.kdb_dashboard] settings.client_min_messages takes debug5",
           ":9:21: [roles.kdb_dashboard] settings.sort_mem is no setting of this server\n"
           "hint: it is called work_mem now\n",
           ":10:28: [roles.kdb_dashboard] settings.log_connections cannot be a role's: only who connects can "
           "set it\n",
           ":12:8: role kdb_gone: a profile drops no roles\n",
           "\n9 problems\n",
       })
    CHECK_MESSAGE(planned.out.find(line) != std::string::npos, (line + planned.out));
  const Run applied = roles.kdb({"apply"}, "[roles.kdb_dashboard]\nsettings.jit = \"maybe\"\n");
  CHECK(applied.exit == 1);
  CHECK(roles.settings("kdb_dashboard").empty());
}

TEST_CASE("what a plan of roles is refused or changed by somebody else comes out before anything is done") {
  const Roles roles({"kdb_dashboard"});
  const std::string profile = "[roles.kdb_dashboard]\nsettings.work_mem = \"8MB\"\n";
  const TempDir folder;
  const std::string plan = folder.path() / "plan.json";
  REQUIRE(roles.kdb({"plan", "-o", plan}, profile).exit == 0);
  roles.database().exec("ALTER ROLE kdb_dashboard SET work_mem TO '9MB'");
  const Run applied = roles.kdb({"apply", plan}, profile);
  CHECK_MESSAGE(applied.exit == 3, applied.err);
  CHECK(roles.settings("kdb_dashboard") == "work_mem=9MB");
}

TEST_CASE("a role may come with a pending migration") {
  Roles roles({"kdb_coming"});
  roles.database().exec("DROP ROLE kdb_coming");
  roles.project().migration("1_role", "CREATE ROLE kdb_coming;");
  const std::string profile = "[roles.kdb_coming]\nin_database.work_mem = \"8MB\"\n";
  const Run planned = roles.kdb({"plan"}, profile);
  CHECK_MESSAGE(planned.exit == 0, planned.out);
  CHECK(planned.out.find("work_mem: not set → 8MB") != std::string::npos);
  const Run applied = roles.kdb({"apply"}, profile);
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(roles.settings("kdb_coming") == "here: work_mem=8MB");
}

TEST_CASE("each right that is missing is named before a role is changed") {
  const Roles roles({"kdb_deploy", "kdb_dashboard", "kdb_chief"});
  roles.database().exec(
      "ALTER ROLE kdb_deploy LOGIN; ALTER ROLE kdb_chief SUPERUSER; GRANT CREATE ON DATABASE " +
      roles.database().name() + " TO kdb_deploy");
  const std::string profile =
      "[roles.kdb_dashboard]\nsettings.work_mem = \"8MB\"\n"
      "[roles.kdb_deploy]\nsettings = { work_mem = \"9MB\", log_min_duration_statement = \"1s\" }\n"
      "[roles.kdb_chief]\nsettings.work_mem = \"8MB\"\n";
  const Run refused = roles.kdb_as("kdb_deploy", {"apply"}, profile);
  CHECK(refused.exit == 1);
  for (const char* problem :
       {"role kdb_deploy may not change the settings of role kdb_dashboard",
        "role kdb_deploy may not change the settings of role kdb_chief",
        "role kdb_deploy may not set log_min_duration_statement, which is a superuser's"})
    CHECK_MESSAGE(refused.err.find(problem) != std::string::npos, refused.err);
  CHECK(roles.settings("kdb_deploy").empty());

  const bool grants = roles.database().text("SHOW server_version_num") >= "150000";
  roles.database().exec("ALTER ROLE kdb_deploy CREATEROLE");
  if (roles.database().text("SHOW server_version_num") >= "160000")
    roles.database().exec("GRANT kdb_dashboard TO kdb_deploy WITH ADMIN OPTION");
  if (grants) roles.database().exec("GRANT SET ON PARAMETER log_min_duration_statement TO kdb_deploy");
  const Run applied =
      roles.kdb_as("kdb_deploy", {"apply"},
                   "[roles.kdb_dashboard]\nsettings.work_mem = \"8MB\"\n"
                   "[roles.kdb_deploy]\nsettings.work_mem = \"9MB\"\n" +
                       std::string(grants ? "settings.log_min_duration_statement = \"1s\"\n" : ""));
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(roles.settings("kdb_dashboard") == "work_mem=8MB");
  if (grants) roles.database().exec("REVOKE SET ON PARAMETER log_min_duration_statement FROM kdb_deploy");
  roles.database().exec("DROP OWNED BY kdb_deploy");
}

TEST_CASE("a value that only the server can judge is refused before anything else is done") {
  const Roles roles({"kdb_dashboard", "kdb_reporting"});
  roles.database().exec("CREATE TABLE t (a int)");
  const Run applied = roles.kdb({"apply"}, R"([indexes.t_a]
table = "t"
columns = ["a"]
[roles.kdb_dashboard]
settings.work_mem = "8MB"
[roles.kdb_reporting]
settings = { TimeZone = "Europe/Berln", DateStyle = "ISO, foo", "my.tag" = "x" }
)");
  CHECK(applied.exit == 1);
  for (const char* problem : {":6:8: role kdb_reporting: invalid value for parameter \"TimeZone\"",
                              ":6:8: role kdb_reporting: invalid value for parameter \"DateStyle\""})
    CHECK_MESSAGE(applied.err.find(problem) != std::string::npos, applied.err);
  CHECK(roles.database().text("SELECT to_regclass('t_a') IS NULL") == "t");
  CHECK(roles.settings("kdb_dashboard").empty());
}

TEST_CASE("a misspelled name is found out by roles that do not see all settings too") {
  const Roles roles({"kdb_deploy", "kdb_dashboard"});
  roles.database().exec("ALTER ROLE kdb_deploy LOGIN");
  const Run planned = roles.kdb_as("kdb_deploy", {"plan"}, R"([roles.kdb_dashboard]
settings = { wrok_mem = "5MB", session_preload_libraries = "", my.tag = "x" }
)");
  CHECK(planned.exit == 1);
  CHECK_MESSAGE(
      planned.out.find("settings.wrok_mem is no setting of this server\nhint: did you mean \"work_mem\"?") !=
          std::string::npos,
      planned.out);
  CHECK(planned.out.find("session_preload_libraries is") == std::string::npos);
  CHECK(planned.out.find("my.tag is") == std::string::npos);
}

TEST_CASE("a role that nobody makes is a problem beside pending migrations too") {
  Roles roles({"kdb_dashboard"});
  roles.project().migration("1_t", "CREATE TABLE t (a int);");
  const Run applied = roles.kdb({"apply"}, "[roles.kdb_nobdy]\nsettings.work_mem = \"8MB\"\n");
  CHECK(applied.exit == 1);
  CHECK_MESSAGE(applied.err.find("role kdb_nobdy: there is no such role") != std::string::npos, applied.err);
  CHECK(roles.database().text("SELECT to_regclass('t') IS NULL") == "t");
}

TEST_CASE("names of settings that differ in case are one to the server, unless it knows none such") {
  const Roles roles({"kdb_dashboard"});
  roles.database().exec(
      "ALTER ROLE kdb_dashboard SET \"App.Tenant\" TO '1'; ALTER ROLE kdb_dashboard SET work_mem TO "
      "'9MB'");
  const std::string profile =
      "[roles.kdb_dashboard]\nsettings = { \"app.tenant\" = \"2\", WORK_MEM = \"3MB\", datestyle = \"ISO, "
      "DMY\" }\n";
  CHECK(roles.kdb({"apply"}, profile).exit == 0);
  CHECK(roles.kdb({"plan", "--exit-code"}, profile).exit == 0);
  CHECK(roles.settings("kdb_dashboard").find("work_mem=3MB") != std::string::npos);
}

TEST_CASE("no role is read, listed or inspected where the profile declares none") {
  const Roles roles({"kdb_dashboard"});
  roles.database().exec("ALTER ROLE kdb_dashboard SET work_mem TO '9MB'");
  CHECK(roles.kdb({"inspect"}, "").out.find("kdb_dashboard") == std::string::npos);
  CHECK(roles.kdb({"plan"}, "").out.find("kdb_dashboard") == std::string::npos);
}

namespace {

/// A unit that the setting takes, or any.
std::string unit_text(Dice& dice, const SettingType& type) {
  if (dice.chance(40))
    return dice.one_of({"B", "kB", "MB", "GB", "TB", "us", "ms", "s", "min", "h", "d", "KB", "mb", "S", "m",
                        "Min", "k B", "8kB"});
  if (type.unit.empty() || dice.chance(30)) return "";
  if (type.unit.ends_with('B')) return dice.one_of({"B", "kB", "MB", "GB"});
  return dice.one_of({"us", "ms", "s", "min"});
}

/// A number such as people, and nobody, would write it.
std::string number_text(Dice& dice, const SettingType& type) {
  const std::string number = dice.one_of(
      {std::to_string(dice.pick(100)), std::to_string(dice.pick(9000)),
       std::to_string(dice.pick(9'999'999'999)), fmt::format("{}.{}", dice.pick(2000), dice.pick(1000)),
       fmt::format(".{}", dice.pick(100)), fmt::format("0x{:X}", dice.pick(70'000)),
       fmt::format("0{}", dice.pick(800)), fmt::format("{}e{}", dice.pick(30), dice.pick(5)),
       fmt::format("{}E-{}", dice.pick(30), dice.pick(5)), dice.one_of({"inf", "", "1.5.2", "0x"})});
  const auto space = [&] { return dice.one_of({"", "", "", "", " ", "\t", "  "}); };
  return space() + dice.one_of({"", "", "", "", "", "-", "+"}) + number + space() + unit_text(dice, type) +
         space();
}

}  // namespace

TEST_CASE("numbers of settings are what the server makes of them, over generated texts") {
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  Dice dice(first_seed);
  const Database database;
  Session session(database.url());
  const pg::ServerSettings known(session.connection());
  // Some that every session can set, of each unit and type that there are such of.
  const std::vector<std::string> names = {"work_mem",
                                          "maintenance_work_mem",
                                          "effective_cache_size",
                                          "temp_buffers",
                                          "lock_timeout",
                                          "vacuum_cost_delay",
                                          "vacuum_cost_page_dirty",
                                          "geqo_effort",
                                          "random_page_cost",
                                          "log_parameter_max_length_on_error",
                                          "min_parallel_table_scan_size"};
  // Those of the whole server are only checked: nothing is loaded again.
  const std::vector<std::string> server_names = {"max_wal_size", "checkpoint_timeout", "log_rotation_age",
                                                 "archive_timeout", "autovacuum_vacuum_cost_delay"};
  size_t taken = 0;
  for (int i = 0; i < cases(); ++i) {
    const bool whole_server = dice.chance(25);
    const std::string name = dice.one_of(whole_server ? server_names : names);
    const ServerSetting* setting = known.find(name);
    REQUIRE(setting != nullptr);
    const std::string text = number_text(dice, setting->facts.type);
    CAPTURE(name);
    CAPTURE(text);
    const bool expected = setting_problem(setting->facts.type, text).empty();
    bool accepted = true;
    try {
      session.exec(whole_server ? "ALTER SYSTEM SET " + name + " TO " + quote_literal(text)
                                : "SET " + name + " TO " + quote_literal(text));
    } catch (const pg::ServerError& error) {
      CHECK(error.sqlstate == "22023");
      accepted = false;
    }
    CHECK(accepted == expected);
    if (!accepted || whole_server) continue;
    ++taken;
    const double value =
        std::stod(session.text("SELECT setting FROM pg_settings WHERE name = '" + name + "'"));
    const double number = setting_number(text, setting->facts.type).value_or(-12345);
    CHECK(std::abs(value - number) <= 1e-5 * std::abs(value));  // a real is shown with six digits
  }
  for (const std::string& name : server_names) session.exec("ALTER SYSTEM RESET " + name);
  CHECK(taken > static_cast<size_t>(cases()) / 10);
}

TEST_CASE("settings of a database are planned, applied and taken back, its owner's to change") {
  const Roles roles({"kdb_owner", "kdb_other"});
  const Database& database = roles.database();
  const std::string name = database.text("SELECT current_database()");
  database.exec(
      "ALTER DATABASE " + quote_ident(name) + " SET jit TO 'off'; ALTER DATABASE " + quote_ident(name) +
      " OWNER TO kdb_owner; ALTER ROLE kdb_owner LOGIN; ALTER ROLE kdb_other LOGIN; GRANT CREATE ON "
      "DATABASE " +
      quote_ident(name) + " TO kdb_other");
  const auto settings = [&] {
    return database.text(
        "SELECT array_to_string(setconfig, '; ') FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())");
  };
  const std::string profile = "[databases." + quote_ident(name) +
                              "]\nsettings = { Work_Mem = \"64MB\", search_path = \"app, public\", jit = "
                              "\"default\" }\n";
  const Run refused = roles.kdb_as("kdb_other", {"apply"}, profile);
  CHECK(refused.exit == 1);
  CHECK(refused.err.find("role kdb_other may not change the settings of database " + name) !=
        std::string::npos);
  CHECK(settings() == "jit=off");
  database.exec("DROP SCHEMA kdb CASCADE");  // of the other role
  const Run applied = roles.kdb_as("kdb_owner", {"apply"}, profile);
  CHECK_MESSAGE(applied.exit == 0, applied.err);
  CHECK(settings() == "work_mem=64MB; search_path=app, public");
  CHECK(roles.kdb({"plan", "--exit-code"}, profile).exit == 0);
  // In another spelling it is the same.
  database.exec("ALTER DATABASE " + quote_ident(name) + " SET work_mem TO '65536kB'");
  CHECK(roles.kdb({"plan", "--exit-code"}, profile).exit == 0);

  const Run missing = roles.kdb({"plan"}, "[databases.nowhere]\nsettings = { jit = \"off\" }\n");
  CHECK(missing.exit == 1);
  CHECK(missing.out.find("database nowhere: there is no such database") != std::string::npos);
  const Run wrong =
      roles.kdb({"plan"}, "[databases." + quote_ident(name) +
                              "]\nsettings = { shared_buffers = \"1GB\", timezone = \"Mars\" }\n");
  CHECK(wrong.exit == 1);
  CHECK(wrong.out.find("cannot be a database's: it is the whole server's") != std::string::npos);
  const Run zone =
      roles.kdb({"apply"}, "[databases." + quote_ident(name) + "]\nsettings = { timezone = \"Mars\" }\n");
  CHECK(zone.exit == 1);
  CHECK(zone.err.find("TimeZone") != std::string::npos);
  CHECK(settings() == "work_mem=65536kB; search_path=app, public");
}

}  // namespace kdb::test::role_test
