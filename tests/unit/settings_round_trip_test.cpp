// A rendered postgresql.conf in every format: what is read back from it is what was meant, whatever the texts
// are.

#include <algorithm>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.hpp"
#include "render/formats.hpp"
#include "support/cases.hpp"
#include "support/dice.hpp"
#include "support/json.hpp"
#include "support/settings_reader.hpp"
#include "support/settings_report.hpp"
#include "support/text.hpp"

namespace kdb::settings_round_trip_test {

using test::Dice;
using test::has;
using test::json_at;
using test::Settings;

namespace {

/// Whatever could end a comment, a cell, a string or a document somewhere.
constexpr std::string_view hostile =
    "x\nevil = 1\r\nevil: \"1\"\n-- \n; DROP TABLE a; */ `b` | c \x1b[2J ' \" \\ $${X} {{ y }} <b> "
    "\u2028evil2: 1\u2029evil3: 1\u0085evil4: 1\ufeff\xff\t# --- \\x0a \n";

std::string number_text(Dice& dice, const std::string& unit, bool whole) {
  const bool memory = has(unit, "B");
  const bool time = unit == "ms" || unit == "s" || unit == "min";
  const std::string number = fmt::format("{}{}", dice.pick(900) + 1, whole || dice.chance(50) ? "" : ".5");
  if (memory && dice.chance(70))
    return number + dice.one_of<std::string>({"MB", " MB", "kB", unit == "B" ? "kB" : "GB"});
  if (time && dice.chance(70)) return number + dice.one_of({"s", "min", " ms"});
  return dice.one_of({number, number, std::string("-1")});
}

std::string odd_text(Dice& dice) {
  std::string text;
  for (size_t left = dice.pick(6); left > 0; --left)
    text += dice.one_of({"a",   "B9",  "'",   "''",     "\\",     "\\n",    "\"", "#", "${X}", "{{ x }}",
                         "{%",  "é",   "漢",  "\u2028", "\u0085", "\ufeff", " ",  ",", ";",    "=",
                         ": ",  "- ",  "\t",  "\r",     "\x1b",   "%m",     "|",  "`", "$$",   "E'",
                         "0x1", "a.b", "1.5", "*/",     "--",     "\\101",  "😀"});
  return text;
}

/// A list as people write it, of names with and without quotes.
std::string list_text(Dice& dice) {
  std::string text;
  for (size_t left = dice.pick(4); left > 0; --left)
    text += (text.empty() ? "" : dice.one_of({",", ", "})) +
            dice.one_of({"timescaledb", "pg_stat_statements", "Mixed", "\"a, b\"", "\"q\"\"q\"", "$libdir/x",
                         "\"\"", "é"});
  return text;
}

SettingLine any_setting(Dice& dice, size_t number) {
  SettingLine line{.name = fmt::format("{}s{}", dice.one_of({"", "", "ext.", "Ü", "A_"}), number),
                   .value = "",
                   .group = dice.one_of({"", "Memory", "WAL", "Odd | group"}),
                   .reason = dice.one_of({"", "because", "a word " + odd_text(dice)}),
                   .origin = dice.one_of({"", "p.toml:1:2", "kdb, for mixed"}),
                   .facts = {}};
  const std::string context = dice.one_of({"", "user", "postmaster", "sighup"});
  const std::string kind = dice.one_of({"", "bool", "integer", "real", "string", "string", "enum", "list"});
  line.facts = test::setting_facts(line.name, kind == "list" ? "string" : kind, "", context);
  SettingType& type = line.facts.type;
  if (kind == "integer") type.unit = dice.one_of({"", "8kB", "kB", "MB", "B", "ms", "s", "min"});
  if (kind == "real") type.unit = dice.one_of({"", "ms"});
  if (kind == "enum") type.choices = {"on", "off", "remote_apply", "Mixed"};
  if (kind == "bool") line.value = dice.one_of({"on", "off", "YES", "f", "1", "true", "of"});
  if (kind == "integer" || kind == "real") line.value = number_text(dice, type.unit, kind == "integer");
  if (kind == "enum") line.value = dice.one_of({"on", "OFF", "Remote_Apply", "mixed", "no"});
  if (kind == "string" || kind.empty()) line.value = odd_text(dice);
  if (kind == "list") line.value = list_text(dice);
  if (kind == "list")
    line.name = dice.one_of({"local_preload_libraries", "search_path", "shared_preload_libraries"});
  if (dice.chance(20)) line.verdicts = {"a verdict", odd_text(dice)};
  return line;
}

Report any_report(Dice& dice) {
  Report report = test::settings_report();
  report.settings->clear();
  for (size_t number = dice.pick(12); number > 0; --number) {
    SettingLine line = any_setting(dice, number);
    const auto is_same = [&](const SettingLine& other) { return other.name == line.name; };
    if (std::none_of(report.settings->begin(), report.settings->end(), is_same))
      report.settings->push_back(std::move(line));
  }
  return report;
}

/// Whether a value that was read is the setting's, as the server compares them.
bool is_meant(const SettingLine& line, const std::string& value) {
  const SettingType& type = line.facts.type;
  if (type.vartype == "bool")
    return setting_boolean(value) && setting_boolean(value) == setting_boolean(line.value);
  if (type.vartype == "integer" || type.vartype == "real")
    return setting_number(value, type) && setting_number(value, type) == setting_number(line.value, type);
  if (is_setting_list(line.name))
    return setting_list(line.name, value) == setting_list(line.name, line.value);
  if (type.vartype == "enum") return equals_ignore_case(value, line.value);
  return value == line.value;
}

/// All settings, and no other, are there and mean what they meant.
void check_settings(const std::vector<SettingLine>& settings, const Settings& read) {
  CHECK(read.size() == settings.size());
  for (const SettingLine& line : settings) {
    CAPTURE(line.name);
    CAPTURE(line.value);
    const auto found = read.find(line.name);
    REQUIRE(found != read.end());
    CAPTURE(found->second);
    CHECK(is_meant(line, found->second));
  }
}

/// An empty list of libraries, which ALTER SYSTEM cannot say.
bool is_unsaid(const SettingLine& line) {
  return is_setting_list(line.name) && line.name != "search_path" &&
         setting_list(line.name, line.value) == std::vector<std::string>{""};
}

void check_sql(const std::vector<SettingLine>& settings, const std::string& text) {
  const auto read = test::read_alter_system(text);
  CHECK(read.size() ==
        static_cast<size_t>(std::count_if(settings.begin(), settings.end(),
                                          [](const SettingLine& line) { return !is_unsaid(line); })));
  for (const SettingLine& line : settings) {
    if (is_unsaid(line)) continue;
    CAPTURE(line.name);
    const auto found = read.find(line.name);
    REQUIRE(found != read.end());
    const std::vector<std::string>& values = found->second;
    if (is_setting_list(line.name))
      CHECK(values == setting_list(line.name, line.value));
    else
      CHECK((values.size() == 1 && is_meant(line, values.front())));
  }
}

std::string json_text(const std::string& json, const std::string& pointer) {
  const std::string quoted = json_at(json, pointer);
  return quoted == "null" || quoted.empty() ? quoted : quoted.substr(1, quoted.size() - 2);
}

void check_json(const std::vector<SettingLine>& settings, const std::string& json) {
  for (size_t i = 0; i < settings.size(); ++i) {
    const SettingLine& line = settings[i];
    const std::string at = fmt::format("/settings/{}", i);
    CHECK(json_at(json, at + "/name") == render::json_string(line.name));
    CHECK(json_at(json, at + "/value") == render::json_string(line.value));
    const std::string raw = json_text(json, at + "/raw");
    CAPTURE(raw);
    const std::string& vartype = line.facts.type.vartype;
    if (vartype == "string")
      CHECK(json_at(json, at + "/raw") == render::json_string(line.value));
    else if (vartype == "enum")
      CHECK(raw == (line.value == "no" ? "off" : line.value == "mixed" ? "Mixed" : to_lower(line.value)));
    else
      CHECK((vartype.empty() ? raw == "null" : is_meant(line, raw)));
    // In the setting's own unit, so without one.
    if (vartype == "integer" || vartype == "real")
      CHECK(raw.find_first_not_of("-.0123456789e") == std::string::npos);
  }
  CHECK(json_at(json, fmt::format("/settings/{}", settings.size())).empty());
}

void check_rds(const std::vector<SettingLine>& settings, const std::string& json) {
  size_t call = 0;
  size_t at = 0;
  size_t left_out = 0;
  for (const SettingLine& line : settings) {
    CAPTURE(line.name);
    if (line.facts.type.vartype.empty()) {
      CHECK(json_at(json, fmt::format("/left_out/{}/name", left_out++)) == render::json_string(line.name));
      continue;
    }
    const std::string parameter = fmt::format("/calls/{}/Parameters/{}", call, at);
    CHECK(json_at(json, parameter + "/ParameterName") == render::json_string(line.name));
    const std::string value = json_text(json, parameter + "/ParameterValue");
    CAPTURE(value);
    const std::string& vartype = line.facts.type.vartype;
    if (vartype == "bool") CHECK((value == "1" || value == "0"));
    if (vartype == "integer" || vartype == "real")
      CHECK(value.find_first_not_of("-.0123456789e") == std::string::npos);
    if (vartype != "string" && vartype != "enum") CHECK(is_meant(line, value));
    if (vartype == "string" && !is_setting_list(line.name))
      CHECK(json_at(json, parameter + "/ParameterValue") == render::json_string(line.value));
    CHECK(json_at(json, parameter + "/ApplyMethod") ==
          (line.facts.context.empty() || line.facts.needs_restart() ? R"("pending-reboot")"
                                                                    : R"("immediate")"));
    if (++at == 20) ++call, at = 0;
  }
  CHECK(json_at(json, fmt::format("/calls/{}/Parameters/{}", call, at)).empty());
  CHECK(json_at(json, fmt::format("/left_out/{}", left_out)).empty());
}

/// Cells of a table's row: `|` that no backslash takes the meaning of.
size_t bars(std::string_view line) {
  size_t count = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\')
      ++i;
    else if (line[i] == '|')
      ++count;
  }
  return count;
}

void check_markdown(const std::vector<SettingLine>& settings, const std::string& text) {
  size_t rows = 0;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with("| ") || line.starts_with("| setting |")) continue;
    ++rows;
    CAPTURE(line);
    CHECK(bars(line) == 6);
  }
  CHECK(rows == settings.size());
}

/// Not what CloudNativePG sets itself.
std::vector<SettingLine> by_user(std::vector<SettingLine> settings) {
  const auto is_fixed = [](const SettingLine& line) { return line.name == "temp_tablespaces"; };
  settings.erase(std::remove_if(settings.begin(), settings.end(), is_fixed), settings.end());
  return settings;
}

void check_all(const Report& report) {
  const std::vector<SettingLine>& settings = *report.settings;
  check_settings(settings, test::read_conf(render::render_conf(report, {})));
  check_sql(settings, render::render_sql(report, {}));
  check_settings(by_user(settings), test::read_cnpg(render::render_cnpg(report, {})));
  check_settings(settings, test::read_patroni(render::render_patroni(report, {})));
  check_settings(settings, test::read_ansible(render::render_ansible(report, {})));
  check_json(settings, render::render_json(report, {}));
  check_rds(settings, render::render_rds(report, {}));
  check_markdown(settings, render::render_markdown(report, {}));
}

const render::Contents of_settings{.settings = true};

}  // namespace

TEST_CASE("what is read back from every format is what was meant") {
  const unsigned seed = test::seed();
  CAPTURE(seed);
  Dice dice(seed);
  for (int i = 0; i < test::cases(); ++i) {
    CAPTURE(i);
    check_all(any_report(dice));
  }
}

TEST_CASE("the same report gives the same bytes, and no settings give a valid document") {
  Dice dice(7);
  Report none = test::settings_report();
  none.settings->clear();
  check_all(none);
  for (const std::string_view name : render::format_names(of_settings)) {
    CAPTURE(name);
    const render::Format& format = *render::find_format(name);
    for (int i = 0; i < 20; ++i) {
      const Report report = any_report(dice);
      CHECK(format.render(report, {}) == format.render(Report(report), {}));
    }
  }
}

TEST_CASE("no text can become a setting, a statement, a row or a key") {
  Report report = test::settings_report();
  const std::string text(hostile);
  for (SettingLine& line : *report.settings) {
    line.group = line.reason = line.origin = text;
    line.verdicts = {text, text};
  }
  report.settings->at(2).value = "%m \x1b[2J\r";
  report.fields.front().label = text;
  report.fields.front().value = text;
  report.findings = {{.rule = text, .problem = {.message = text, .where = {.file = text}, .hint = text}}};
  report.warnings = report.problems = {{.message = text, .where = {.file = text}, .hint = text}};
  report.text = report.summary = text;
  check_all(report);
  for (const std::string_view name : render::format_names(of_settings)) {
    CAPTURE(name);
    const std::string shown = render::find_format(name)->render(report, {.terminal = name == "sql"});
    CHECK(shown.find_first_of("\r\x1b") == std::string::npos);
    CHECK_FALSE(find_invalid_utf8(shown));
  }
}

}  // namespace kdb::settings_round_trip_test
