#include <algorithm>

#include <nlohmann/json.hpp>

#include "render/formats.hpp"
#include "render/plan_findings.hpp"

namespace kdb::render {

namespace {

using Json = nlohmann::ordered_json;

/// A path as a relative URI reference (RFC 3986, 3.3): a colon in it would make its beginning a scheme.
std::string to_uri(std::string_view path) {
  constexpr std::string_view plain = "-._~/";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string uri;
  for (const char c : path) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || plain.find(c) != std::string_view::npos) {
      uri += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    uri += '%';
    uri += digits[byte >> 4U];
    uri += digits[byte & 0xFU];
  }
  return uri;
}

Json to_rule(const FindingRule& rule) {
  Json json;
  json["id"] = rule.name;
  json["shortDescription"]["text"] = rule.summary;
  json["help"]["text"] = rule.help;
  json["defaultConfiguration"]["level"] = to_string(rule.level);
  return json;
}

Json to_location(const Source& where) {
  Json physical;
  physical["artifactLocation"]["uri"] = to_uri(where.file.str());
  if (where.line > 0) {
    physical["region"]["startLine"] = where.line;
    if (where.column > 0) physical["region"]["startColumn"] = where.column;
  }
  Json json;
  json["physicalLocation"] = std::move(physical);
  return json;
}

Json to_result(const Finding& finding, const std::vector<FindingRule>& rules) {
  const Problem& problem = finding.problem;
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [&](const FindingRule& one) { return one.name == finding.rule; });
  Json json;
  json["ruleId"] = finding.rule;
  if (rule != rules.end()) json["ruleIndex"] = rule - rules.begin();
  json["level"] = to_string(finding.level);
  json["message"]["text"] =
      problem.hint.empty() ? problem.message : problem.message + "\nhint: " + problem.hint;
  json["locations"] = Json::array();
  if (!problem.where.file.empty()) json["locations"].push_back(to_location(problem.where));
  return json;
}

}  // namespace

std::string render_sarif(const Report& given, const Style&) {
  const Report report = as_findings(given);
  Json run;
  Json& driver = run["tool"]["driver"];
  driver["name"] = "kdb";
  driver["version"] = KDB_VERSION;
  driver["rules"] = Json::array();
  for (const FindingRule& rule : report.rules) driver["rules"].push_back(to_rule(rule));
  run["columnKind"] = "unicodeCodePoints";
  run["results"] = Json::array();
  for (const Finding& finding : report.findings) run["results"].push_back(to_result(finding, report.rules));
  Json json;
  json["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json";
  json["version"] = "2.1.0";
  json["runs"] = Json::array({std::move(run)});
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace kdb::render
