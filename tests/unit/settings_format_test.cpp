// A rendered postgresql.conf in every format: what people and programs are shown.

#include <algorithm>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.hpp"
#include "render/formats.hpp"
#include "support/json.hpp"
#include "support/settings_reader.hpp"
#include "support/settings_report.hpp"
#include "support/text.hpp"

namespace kdb::settings_format_test {

using test::has;
using test::json_at;
using test::read_ansible;
using test::read_cnpg;
using test::read_conf;
using test::read_patroni;

namespace {

const render::Contents of_settings{.settings = true};

void add_text(Report& report, const std::string& name, const std::string& value) {
  report.settings->push_back({.name = name,
                              .value = value,
                              .group = "",
                              .reason = "",
                              .origin = "",
                              .facts = test::setting_facts(name, "string")});
}

}  // namespace

TEST_CASE("a conf says of each setting why, where from and when, and text is the same") {
  const std::string text = render::render_conf(test::settings_report(), {});
  CHECK(text ==
        R"(# A part of a postgresql.conf, by kdb tune, for:
#   memory       8GB
#   connections  100

# Who, and when.
# A reload is enough.
log_line_prefix = '%m [%p] it''s'


# ---- Memory ------------------------------------------------------------------

# A quarter of the memory: beyond that the server's cache and the kernel's hold the same pages
# twice.
# From kdb, for timeseries; needs a restart.
shared_buffers = 2GB

# From profiles/default.toml:80:18; a reload is enough.
# ! 100 connections × one sort of 64MB = 6.25 GB; with shared_buffers that is more than the 8 GB
#   that there are
work_mem = 64MB

# From p.toml:1:1; kdb does not know this setting.
ext.unheard_of = 16


# warning[a-rule]: found
#
# warning: look out
# hint: do this
#
# 4 settings, 1 of them with a remark
)");
  CHECK(render::render_text(test::settings_report(), {}) == text);
  CHECK(render::render_text(test::settings_report(), {.width = 40}) == text);
}

TEST_CASE("a line feed in a reason is shown, and makes no line") {
  Report report = test::settings_report();
  report.settings->front().reason = "a\nb";
  CHECK(has(render::render_conf(report, {}), "\n# a\\x0ab\n# From kdb"));
}

TEST_CASE(
    "in a conf, words and numbers that the server takes without quotes have none, and all else has them") {
  Report report = test::settings_report();
  for (const char* bare : {"2GB", "-1", "16", "0.9", "on", "pg_stat_statements"}) {
    report.settings->front().value = bare;
    CHECK(has(render::render_conf(report, {}), fmt::format("\nshared_buffers = {}\n", bare)));
  }
  for (const char* quoted :
       {"0.5GB", "a.b", "", "1e3", "0x40", "a-b", "+1", "a b", "é", "1.", ".5", "-", "1_0"}) {
    report.settings->front().value = quoted;
    CHECK(has(render::render_conf(report, {}), fmt::format("\nshared_buffers = '{}'\n", quoted)));
  }
}

TEST_CASE("on a terminal the settings stand out from their comments, and verdicts from both") {
  const std::string text = render::render_text(test::settings_report(), {.colour = true, .terminal = true});
  CHECK(has(text, "\n\x1b[2m# From kdb, for timeseries; needs a restart.\x1b[0m\nshared_buffers = 2GB\n"));
  CHECK(has(text, "\n\x1b[33m#   that there are\x1b[0m\nwork_mem = 64MB\n"));
}

TEST_CASE("what no file can hold is said in each format, and set in none") {
  Report report = test::settings_report();
  report.settings.emplace();
  const std::pair<std::string, std::string> rows[] = {
      {"a\nevil", "1"}, {"a.b.c", "1"}, {"a$b", "1"},     {"include_dir", "1"}, {"", "1"},
      {"1a", "1"},      {"a b", "1"},   {"x", "a\nb"},    {"x", {"a\0b", 3}},   {"x", "\xff"},
      {"#", "1"},       {"a.", "1"},    {"a = 1 #", "1"}, {"evil: b", "1"}};
  for (const auto& [name, value] : rows) add_text(report, name, value);
  const size_t all = std::size(rows);
  const auto said = [](std::string_view text, std::string_view what) {
    size_t count = 0;
    for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
    return count;
  };
  CHECK(read_conf(render::render_conf(report, {})).empty());
  CHECK(said(render::render_conf(report, {}), "! Not set: ") == all);
  CHECK(test::read_alter_system(render::render_sql(report, {})).empty());
  CHECK(said(render::render_sql(report, {}), "! Not set: ") == all);
  CHECK(read_cnpg(render::render_cnpg(report, {})).empty());
  CHECK(said(render::render_cnpg(report, {}), "! Not set: ") == all);
  CHECK(read_patroni(render::render_patroni(report, {})).empty());
  CHECK(said(render::render_patroni(report, {}), "! Not set: ") == all);
  CHECK(read_ansible(render::render_ansible(report, {})).empty());
  CHECK(said(render::render_ansible(report, {}), "! Not set: ") == all);
  CHECK(json_at(render::render_rds(report, {}), "/calls") == "[]");
  CHECK(json_at(render::render_rds(report, {}), fmt::format("/left_out/{}/why", all - 1)) != "");
}

TEST_CASE("json keeps its keys, with null for what is not known") {
  const std::string json = render::render_json(test::settings_report(), {});
  CHECK(
      json_at(json, "/settings/0") ==
      R"({"context":"postmaster","group":"Memory","name":"shared_buffers","origin":"kdb, for timeseries",)"
      R"("raw":"262144","reason":"A quarter of the memory: beyond that the server's cache and the kernel's hold )"
      R"(the same pages twice.","restart":true,"unit":"8kB","value":"2GB","verdicts":[]})");
  CHECK(
      json_at(json, "/settings/3") ==
      R"({"context":null,"group":"Memory","name":"ext.unheard_of","origin":"p.toml:1:1","raw":null,"reason":"",)"
      R"("restart":null,"unit":null,"value":"16","verdicts":[]})");
  CHECK(json_at(json, "/settings/1/restart") == "false");
  CHECK(json_at(json, "/findings/0/message") == R"("found")");
  CHECK(json_at(json, "/seed") == "7");
}

TEST_CASE("rds takes 20 parameters at a time, and is told of what it does not take") {
  Report report = test::settings_report();
  report.settings.emplace();
  for (int i = 0; i < 41; ++i)
    report.settings->push_back(
        {.name = fmt::format("s{}", i),
         .value = "1MB",
         .group = "",
         .reason = "",
         .origin = "",
         .facts = test::setting_facts("", "integer", "kB", i == 0 ? "postmaster" : "user")});
  const std::string all = render::render_rds(report, {});
  for (const char* call : {"0", "1"}) {
    CHECK(json_at(all, fmt::format("/calls/{}/Parameters/19/ParameterName", call)) != "");
    CHECK(json_at(all, fmt::format("/calls/{}/Parameters/20", call)).empty());
  }
  CHECK(json_at(all, "/calls/2/Parameters/0/ParameterName") == R"("s40")");
  CHECK(json_at(all, "/calls/2/Parameters/1").empty());
  CHECK(json_at(all, "/calls/0/Parameters/0/ApplyMethod") == R"("pending-reboot")");
  CHECK(json_at(all, "/calls/0/Parameters/1/ApplyMethod") == R"("immediate")");
  CHECK(json_at(render::render_rds(report, {}), "/calls/2/Parameters/0/ParameterValue") == R"("1024")");
  CHECK(json_at(render::render_rds(report, {}), "/calls/3").empty());
  for (const auto& [name, vartype, value] :
       {std::tuple{"Port", "integer", "1"}, {"unheard_of", "", "1"}, {"work_mem", "integer", "much"}}) {
    report.settings->front() = {.name = name,
                                .value = value,
                                .group = "",
                                .reason = "",
                                .origin = "",
                                .facts = test::setting_facts(name, vartype)};
    const std::string json = render::render_rds(report, {});
    CHECK(json_at(json, "/left_out/0/name") == render::json_string(name));
    CHECK(json_at(json, "/left_out/0/value") == render::json_string(value));
    CHECK(json_at(json, "/left_out/0/why") != "");
    CHECK(json_at(json, "/calls/1/Parameters/19/ParameterName") == R"("s40")");
  }
}

TEST_CASE("the operators are given nothing that they set themselves, and say so") {
  Report report = test::settings_report();
  const auto add = [&](const std::string& name, const std::string& value) { add_text(report, name, value); };
  add("Port", "5433");
  add("shared_preload_libraries", "timescaledb, \"a,b\"");
  add("max_connections", "100");
  const std::string cnpg = render::render_cnpg(report, {});
  CHECK(has(cnpg, "# ! Not set: the operator sees to it, and refuses it here: Port = 5433\n"));
  CHECK(has(cnpg, "    shared_preload_libraries:\n      - \"timescaledb\"\n      - \"\\\"a,b\\\"\"\n"));
  CHECK(read_cnpg(cnpg).count("Port") == 0);
  const std::string patroni = render::render_patroni(report, {});
  CHECK(has(patroni, "# ! Not set: Patroni takes it from postgresql.listen of its own file: Port = 5433\n"));
  CHECK(has(patroni, "# Patroni passes max_connections on the server's command line"));
  CHECK(read_patroni(patroni).count("Port") == 0);
  CHECK(read_patroni(patroni).at("max_connections") == "100");
}

TEST_CASE("a key of YAML that would be something else is in quotes, as is what Jinja would act on") {
  Report report = test::settings_report();
  report.settings = {
      {.name = "on", .value = "{{ x }}", .group = "", .reason = "", .origin = "", .facts = {}}};
  CHECK(has(render::render_patroni(report, {}), "\n    \"on\": \"{{ x }}\"\n"));
  CHECK(has(render::render_ansible(report, {}), "  - option: \"on\"\n    value: !unsafe \"{{ x }}\"\n"));
  for (const char* name : {"y", "NULL", "Ü", "TRUE"}) {
    report.settings->front().name = name;
    CHECK(has(render::render_patroni(report, {}), fmt::format("\n    \"{}\": ", name)));
  }
}

TEST_CASE("ALTER SYSTEM, which would leave an empty name in an empty list of libraries, is not told of one") {
  Report report = test::settings_report();
  for (const char* name : {"shared_preload_libraries", "search_path", "x"}) {
    report.settings->front().name = name;
    report.settings->front().value = "";
    const std::string statement = fmt::format("\nALTER SYSTEM SET \"{}\" = '';\n", name);
    CHECK(has(render::render_sql(report, {}), statement) ==
          (std::string(name) != "shared_preload_libraries"));
  }
}

TEST_CASE("an option of the role that others begin with overwrites none of them") {
  Report report = test::settings_report();
  report.settings.emplace();
  for (const char* name : {"autovacuum_naptime", "autovacuum_max_workers", "autovacuum"})
    report.settings->push_back({.name = name,
                                .value = "1",
                                .group = name,
                                .reason = "",
                                .origin = "",
                                .facts = test::setting_facts(name, "string")});
  CHECK(read_ansible(render::render_ansible(report, {})).size() == 3);
}

TEST_CASE("settings have formats of their own, beside those of every report") {
  CHECK(render::format_names(of_settings) == std::vector<std::string_view>{"text", "json", "sql", "markdown",
                                                                           "conf", "rds", "cnpg", "patroni",
                                                                           "ansible"});
  CHECK(render::format_of_file("kdb.conf")->name == "conf");
  const std::vector<std::string_view> others = render::format_names({.scripts = true});
  CHECK(std::find(others.begin(), others.end(), "conf") == others.end());
}

}  // namespace kdb::settings_format_test
