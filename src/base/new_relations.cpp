#include "base/new_relations.hpp"

#include <algorithm>

#include "base/hazard_list.hpp"
#include "base/sql_outside.hpp"
#include "base/sql_words.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

constexpr size_t npos = Words::npos;

/// A part of a name as the server compares it.
std::string folded(std::string_view part) {
  if (part.size() < 2 || part[0] != '"') return to_lower(part);
  std::string result;
  for (size_t i = 1; i + 1 < part.size(); ++i) {
    result += part[i];
    if (part[i] == '"') ++i;
  }
  return result;
}

bool is_temporary(const Words& words, const Command& command) {
  const size_t from = command.tag == "SELECT INTO" ? words.find("into", 0) : 1;
  return words.find("temp", from, command.object) != npos ||
         words.find("temporary", from, command.object) != npos ||
         (words.is(command.object, "pg_temp") && words.is(command.object + 1, "."));
}

bool is_path_setting(std::string_view name) {
  std::string setting = to_lower(name);
  std::erase(setting, '"');
  return one_of(
      setting, {"search_path", "schema", "role", "session_authorization", "session", "authorization", "all"});
}

/// Whether an unqualified name may mean something else after the statement.
bool changes_path(const Words& words, std::string_view tag) {
  if (one_of(tag, {"SET", "RESET"})) {
    const bool scope = words.is(1, "local") || words.is(1, "session");
    return is_path_setting(words.text(scope ? 2 : 1));
  }
  if (one_of(tag, {"ALTER DATABASE", "ALTER ROLE"})) return true;
  const size_t call = tag == "SELECT" ? words.find_call("set_config", 1) : npos;
  if (call == npos) return false;
  return !words.is_literal(call + 2) || is_path_setting(literal_value(words.text(call + 2)));
}

/// Whether a DO may give a name another meaning, or run what kdb does not see.
bool is_risky(const Words& body) {
  for (size_t i = 0; i < body.size(); ++i) {
    if (one_of(to_lower(body.text(i)), {"authorization", "call", "drop", "execute", "perform", "rename",
                                        "role", "schema", "search_path", "set_config"}))
      return true;
  }
  return false;
}

bool is_shown_only(const StatementHazard& hazard) {
  return one_of(hazard.id, {hazard::share, hazard::index_build, hazard::long_running, hazard::dependencies});
}

}  // namespace

std::vector<StatementHazard> NewRelations::hazards_of(std::string_view statement, const Classified& what) {
  if (what.command == "DO") {
    const DoBlock block = read_do_block(Words(statement));
    if (block.language != "plpgsql" || is_risky(Words(block.source))) made_.clear();
  }
  std::vector<StatementHazard> found = hazards(statement);
  const bool unseen =
      std::any_of(found.begin(), found.end(), [](const auto& hazard) { return hazard.unseen; });
  std::erase_if(found, [&](const StatementHazard& hazard) { return is_new(hazard); });
  read(statement, what);
  if (unseen || what.command == "EXECUTE") {
    made_.clear();
    path_changed_ = true;
  }
  return found;
}

void NewRelations::end_transaction() {
  std::erase_if(made_, [](const auto& entry) { return entry.second == Kind::temporary; });
  if (path_changed_) forget_unqualified();
}

NewRelations::Name NewRelations::parse(std::string_view written) {
  const Words words(written);
  Name name;
  for (size_t i = 0; i < words.size(); i += 2) {
    name.schema = std::move(name.name);
    name.name = folded(words.text(i));
  }
  return name;
}

bool NewRelations::is_made(std::string_view written) const {
  const auto found = made_.find(parse(written));
  return found != made_.end() && found->second != Kind::maybe;
}

/// Of a table that was made, or found, by IF NOT EXISTS, and of one that is written with another schema than
/// when it was made, only what blocks nobody's data is left out.
bool NewRelations::is_new(const StatementHazard& hazard) const {
  if (hazard.relation.empty() || made_.empty()) return false;
  Name name = parse(hazard.relation);
  if (const auto found = made_.find(name); found != made_.end())
    return found->second != Kind::maybe || is_shown_only(hazard);
  if (path_changed_ || !is_shown_only(hazard) || !(name.schema.empty() || name.schema == "public"))
    return false;
  name.schema = name.schema.empty() ? "public" : "";
  const auto found = made_.find(name);
  return found != made_.end() && found->second != Kind::temporary;
}

void NewRelations::forget(std::string_view written) {
  const std::string name = parse(written).name;
  std::erase_if(made_, [&](const auto& entry) { return entry.first.name == name; });
}

void NewRelations::forget_unqualified() {
  std::erase_if(made_, [](const auto& entry) { return entry.first.schema.empty(); });
}

void NewRelations::read(std::string_view statement, const Classified& what) {
  const std::string& tag = what.command;
  if (tag == "CREATE RULE") return forget(what.table);
  if (tag.starts_with("CREATE ") || tag == "SELECT INTO") return read_create(statement, what);
  if (made_.empty() && !one_of(tag, {"SET", "RESET", "SELECT", "ALTER DATABASE", "ALTER ROLE"})) return;
  if (tag == "ROLLBACK") return made_.clear();
  if (tag == "COMMIT") return end_transaction();
  if (tag.starts_with("DROP ")) return read_drop(statement, what);
  const bool discard = tag.starts_with("DISCARD");
  if (discard || changes_path(Words(statement), tag)) {
    path_changed_ |= !discard || tag == "DISCARD ALL";
    end_transaction();
  }
  if (tag.starts_with("ALTER ")) read_alter(statement, what);
}

void NewRelations::read_create(std::string_view statement, const Classified& what) {
  if (what.object.empty()) return;
  const Words words(statement);
  const Command command = read_command(words);
  Name name = parse(what.object);
  if (is_temporary(words, command) && what.command != "CREATE VIEW") {
    made_[{.schema = "", .name = name.name}] = Kind::temporary;
    made_[{.schema = "pg_temp", .name = name.name}] = Kind::temporary;
    return;
  }
  if (!one_of(what.command, {"CREATE TABLE", "CREATE SEQUENCE", "CREATE INDEX"})) return;
  Kind kind = words.find("if not exists", 1) == npos ? Kind::made : Kind::maybe;
  if (what.command == "CREATE INDEX") {
    const Name table = parse(what.table);  // an index is where its table is
    name.schema = table.schema;
    const auto found = made_.find(table);
    if (found != made_.end() && found->second == Kind::temporary) kind = Kind::temporary;
  }
  made_.emplace(std::move(name), kind);
}

void NewRelations::read_drop(std::string_view statement, const Classified& what) {
  if (one_of(what.command, {"DROP SCHEMA", "DROP OWNED", "DROP EXTENSION"})) return made_.clear();
  const Words words(statement);
  for (const auto& part : words.list(read_command(words).object)) forget(words.name(part.first));
}

void NewRelations::read_alter(std::string_view statement, const Classified& what) {
  const Words words(statement);
  const size_t object = read_command(words).object;
  if (object == npos) return;
  const size_t rename = words.find("rename to", object);
  if (one_of(what.command, {"ALTER SCHEMA", "ALTER EXTENSION"}) &&
      (rename != npos || words.find("set schema", object) != npos))
    return made_.clear();
  if (rename != npos) forget(words.name(rename + 2));
  if (rename != npos || words.find("set schema", object) != npos) forget(what.object);
  if (what.command != "ALTER TABLE") return;
  // What happens to a table happens to its partitions and heirs, and by ON DELETE CASCADE to those that refer
  // to it: they may be old.
  const size_t attach = words.find("attach partition", object);
  if (attach != npos && !is_made(words.name(attach + 2))) made_.clear();
  if (is_made(what.object)) return;
  if (words.find("inherit", object) != npos) made_.clear();
  const size_t refers = words.find("references", object);
  if (refers != npos && words.find("on delete cascade", refers) != npos) forget(words.name(refers + 1));
}

std::vector<StatementHazard> script_hazards(const std::vector<Statement>& statements) {
  std::vector<StatementHazard> found;
  NewRelations made;
  for (const Statement& statement : statements)
    for (StatementHazard& hazard : made.hazards_of(statement.text, classify(statement.text)))
      found.push_back(std::move(hazard));
  return found;
}

}  // namespace kdb::sql
