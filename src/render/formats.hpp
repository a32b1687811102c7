#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/report.hpp"

namespace kdb::render {

struct Style {
  bool colour = false;
  bool terminal = false;  // statements too must hold nothing that a terminal acts on
  size_t width = 0;       // of what is prose, which is wrapped; 0: a line each, however long
};

/// What a report may hold beside what every one does.
struct Contents {
  bool scripts = false;   // statements
  bool findings = false;  // what rules found
  bool changes = false;   // of a plan
  bool settings = false;  // of a postgresql.conf
  bool queries = false;   // that are judged by their plans
  bool plots = false;     // of a comparison

  bool none() const { return !scripts && !findings && !changes && !settings && !queries && !plots; }
};

/// An output format: one row in formats.cpp, one file that renders it.
struct Format {
  std::string_view name;       // for --format
  std::string_view extension;  // for -o FILE, with the dot; empty: none says so
  Contents shows;              // says nothing of a report without any of these; none: of every report
  std::string (*render)(const Report& report, const Style& style) = nullptr;
  /// A command that failed, on stdout, for programs that read it; null: stderr has it.
  std::string (*render_error)(std::string_view command, const Error& error) = nullptr;
};

const std::vector<Format>& formats();

/// The names of those that can hold a report with such contents.
std::vector<std::string_view> format_names(const Contents& contents);
/// The names of all.
std::vector<std::string_view> format_names();
/// By name; null if there is none.
const Format* find_format(std::string_view name);
/// By a file's extension; null if there is none.
const Format* format_of_file(std::string_view path);

std::string render_text(const Report& report, const Style& style);
std::string render_json(const Report& report, const Style& style);
/// The scripts or the settings alone, as psql runs them.
std::string render_sql(const Report& report, const Style& style);
/// A comment on a pull request, in GitHub's Markdown: what changes, with the statements folded away.
std::string render_markdown(const Report& report, const Style& style);
/// SARIF 2.1.0: the findings and their rules, for code scanning.
std::string render_sarif(const Report& report, const Style& style);
/// Workflow commands that GitHub Actions shows beside the lines.
std::string render_github(const Report& report, const Style& style);

/// A page that needs nothing beside itself, for small and large screens, on light and on dark ground.
std::string render_html(const Report& report, const Style& style);

/// A part of a postgresql.conf. Its text too, of a report with settings.
std::string render_conf(const Report& report, const Style& style);
/// Input for `aws rds modify-db-parameter-group`.
std::string render_rds(const Report& report, const Style& style);
/// A part of a `Cluster` of CloudNativePG.
std::string render_cnpg(const Report& report, const Style& style);
/// A change to what a Patroni cluster has in its configuration store.
std::string render_patroni(const Report& report, const Style& style);
/// Variables of the Ansible role geerlingguy.postgresql.
std::string render_ansible(const Report& report, const Style& style);

/// Why a command failed, as people read it on stderr: a hint once below all that it mends, and of many files
/// with one kind of problem the first ones.
std::string render_problems(const std::vector<Problem>& problems, const Style& style);

/// A command that failed, as --format json has it on stdout: the same problems as on stderr.
std::string render_error_json(std::string_view command, const Error& error);
std::string render_error_github(std::string_view command, const Error& error);

/// A JSON string with its quotes, what is no UTF-8 replaced.
std::string json_string(const std::string& text);

}  // namespace kdb::render
