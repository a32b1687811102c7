#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "model/change.hpp"
#include "model/ratio_plot.hpp"
#include "model/setting.hpp"

namespace kdb {

/// A cell or a field. Text shows nothing for std::monostate, json null; of a double three digits, json all.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// A named fact about the whole: `database: shop on db1:5432`.
struct Field {
  std::string key;    // in json: part of the contract; empty: text only
  std::string label;  // in text; empty: json only
  Value value;
  bool moves = false;  // by itself: another value is no other result
};

struct Column {
  std::string key;    // empty: text only
  std::string title;  // empty: json only
  bool align_right = false;
};

/// Rows of one kind. Text shows no table that has no rows, json none that has no key.
struct Table {
  std::string key;
  std::vector<Column> columns;
  std::vector<std::vector<Value>> rows;
};

/// A statement exactly as it would run, under a heading for people.
struct ScriptStep {
  std::string sql;
  Source where;
  std::string transaction;  // "begin", "inside", "commit", "none", or "session" for a setting of the session
  std::vector<std::string> notes;  // hazards, "newer grammar than kdb's"
};

/// What runs for one migration or object, in order.
struct Script {
  std::string subject;  // "0002 create_profiles"
  std::string note;     // "in one transaction", or why not
  std::vector<ScriptStep> steps;
};

/// What a finding's rule says of itself.
struct FindingRule {
  std::string name;
  Finding::Level level = Finding::Level::warning;
  std::string summary;  // one line
  std::string help;     // paragraphs
};

/// What a command has to say, apart from its errors. Every format renders it from here, so that a new command
/// is one flow and no format, and a new format is one file and no command.
struct Report {
  std::string command;  // "migrate status"
  std::vector<Field> fields;
  std::vector<Table> tables;
  std::vector<RatioPlot> plots;  // what tables have, to be looked at
  std::vector<Script> scripts;
  std::optional<std::vector<Change>> changes;        // of commands that plan
  std::optional<std::vector<SettingLine>> settings;  // of a postgresql.conf, in the order of their groups
  std::vector<Finding> findings;
  std::vector<FindingRule> rules;  // that were applied, by name; none: the command judges nothing
  std::vector<Problem> problems;   // for which the command ends with another exit code than 0
  std::vector<Problem> warnings;
  std::string text;     // paragraphs for people alone: programs have none of it
  std::string summary;  // one sentence, the last line of the text: "3 applied, 1 pending"
};

}  // namespace kdb
