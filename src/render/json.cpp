#include <cmath>

#include <nlohmann/json.hpp>

#include "render/changes.hpp"
#include "render/formats.hpp"
#include "render/setting_lines.hpp"

namespace kdb::render {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Value& value) {
  return std::visit(
      [](const auto& held) -> Json {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::monostate>)
          return nullptr;
        else
          return held;
      },
      value);
}

Json to_json(const Problem& problem) {
  Json json;
  json["message"] = problem.message;
  if (!problem.where.file.empty()) json["file"] = problem.where.file;
  if (problem.where.line > 0) json["line"] = problem.where.line;
  if (problem.where.column > 0) json["column"] = problem.where.column;
  if (!problem.hint.empty()) json["hint"] = problem.hint;
  if (!problem.details.empty()) json["details"] = problem.details;
  return json;
}

Json to_json(const Finding& finding) {
  Json json;
  json["rule"] = finding.rule;
  json["level"] = to_string(finding.level);
  json.update(to_json(finding.problem));
  return json;
}

Json to_json(const Table& table) {
  Json rows = Json::array();
  for (const std::vector<Value>& row : table.rows) {
    Json json;
    for (size_t column = 0; column < table.columns.size(); ++column)
      if (!table.columns[column].key.empty()) json[table.columns[column].key] = to_json(row.at(column));
    rows.push_back(std::move(json));
  }
  return rows;
}

Json to_json(const Script& script) {
  Json json;
  json["subject"] = script.subject;
  json["note"] = script.note;
  json["steps"] = Json::array();
  for (const ScriptStep& step : script.steps) {
    Json entry;
    entry["sql"] = step.sql;
    if (!step.where.file.empty()) entry["file"] = step.where.file;
    if (step.where.line > 0) entry["line"] = step.where.line;
    entry["transaction"] = step.transaction;
    if (!step.notes.empty()) entry["notes"] = step.notes;
    json["steps"].push_back(std::move(entry));
  }
  return json;
}

Json to_json(const Hazard& hazard) {
  Json json;
  json["id"] = hazard.id;
  if (!hazard.object.empty()) json["object"] = hazard.object;
  json["reason"] = hazard.reason;
  json["blocks"] = hazard.blocks;
  return json;
}

Json to_json(const ChangeStep& step, std::string_view boundary) {
  Json json;
  json["sql"] = step.sql;
  if (!step.purpose.empty()) json["purpose"] = step.purpose;
  json["in_transaction"] = step.in_transaction;
  if (step.in_transaction) json["begins"] = !boundary.empty();
  if (step.lock.mode != LockMode::none)
    json["lock"] = {{"relation", step.lock.relation},
                    {"mode", to_string(step.lock.mode)},
                    {"blocks", blocked_by(step.lock.mode)}};
  json["hazards"] = Json::array();
  for (const Hazard& hazard : step.hazards) json["hazards"].push_back(to_json(hazard));
  return json;
}

Json to_json(const Change& change) {
  Json json;
  json["action"] = to_string(change.action);
  json["kind"] = change.kind;
  json["object"] = change.object;
  if (!change.table.empty()) json["table"] = change.table;
  if (!change.where.file.empty()) json["file"] = change.where.file;
  if (change.where.line > 0) json["line"] = change.where.line;
  if (!change.reason.empty()) json["reason"] = change.reason;
  if (!change.fingerprint.empty()) json["fingerprint"] = change.fingerprint;
  if (change.provisional) json["provisional"] = true;
  json["fields"] = Json::array();
  for (const FieldChange& field : change.fields)
    json["fields"].push_back({{"field", field.field}, {"live", field.live}, {"desired", field.desired}});
  if (change.estimate.rows) json["estimate"]["rows"] = *change.estimate.rows;
  if (change.estimate.bytes) json["estimate"]["bytes"] = *change.estimate.bytes;
  if (change.estimate.disk) json["estimate"]["disk"] = *change.estimate.disk;
  if (change.estimate.seconds) json["estimate"]["seconds"] = std::round(*change.estimate.seconds);
  json["steps"] = Json::array();
  for (size_t at = 0; at < change.steps.size(); ++at)
    json["steps"].push_back(to_json(change.steps[at], boundary(change.steps, at)));
  return json;
}

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

/// null is what kdb does not know, or what the setting does not have.
Json to_json(const SettingLine& line) {
  const auto raw = raw_value(line);
  Json json;
  json["name"] = line.name;
  json["value"] = line.value;
  json["raw"] = raw ? Json(*raw) : Json(nullptr);
  json["unit"] = or_null(line.facts.type.unit);
  json["group"] = line.group;
  json["reason"] = line.reason;
  json["origin"] = line.origin;
  json["context"] = or_null(line.facts.context);
  json["restart"] = line.facts.context.empty() ? Json(nullptr) : Json(line.facts.needs_restart());
  json["verdicts"] = line.verdicts;
  return json;
}

/// Invalid UTF-8 from a server or a file must not end the command: it is replaced.
std::string print(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string render_json(const Report& report, const Style&) {
  Json json;
  json["format_version"] = 1;
  json["command"] = report.command;
  for (const Field& field : report.fields)
    if (!field.key.empty()) json[field.key] = to_json(field.value);
  for (const Table& table : report.tables)
    if (!table.key.empty()) json[table.key] = to_json(table);
  if (!report.scripts.empty()) {
    json["scripts"] = Json::array();
    for (const Script& script : report.scripts) json["scripts"].push_back(to_json(script));
  }
  if (report.changes) {
    json["changes"] = Json::array();
    for (const Change& change : *report.changes) json["changes"].push_back(to_json(change));
  }
  if (report.settings) {
    json["settings"] = Json::array();
    for (const SettingLine& line : *report.settings) json["settings"].push_back(to_json(line));
  }
  if (!report.rules.empty() || report.changes || report.settings) {
    json["findings"] = Json::array();
    for (const Finding& finding : report.findings) json["findings"].push_back(to_json(finding));
  }
  json["problems"] = Json::array();
  for (const Problem& problem : report.problems) json["problems"].push_back(to_json(problem));
  json["warnings"] = Json::array();
  for (const Problem& warning : report.warnings) json["warnings"].push_back(to_json(warning));
  json["summary"] = report.summary;
  return print(json);
}

std::string render_error_json(std::string_view command, const Error& error) {
  Json json;
  json["format_version"] = 1;
  json["command"] = command;
  json["exit"] = static_cast<int>(error.exit());
  json["errors"] = Json::array();
  for (const Problem& problem : error.problems()) json["errors"].push_back(to_json(problem));
  return print(json);
}

std::string json_string(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kdb::render
