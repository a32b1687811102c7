#include "base/new_relations.hpp"

#include <algorithm>

#include "base/hazard_list.hpp"
#include "base/sql_outside.hpp"
#include "base/sql_words.hpp"
#include "base/text.hpp"

namespace kdb::sql {

namespace {

/// NAMEDATALEN - 1 bytes, without a character that is cut in two.
std::string truncated(std::string name) {
  constexpr size_t most = 63;
  if (name.size() <= most) return name;
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  name.resize(end);
  return name;
}

/// A part of a name as the server compares it.
std::string known_as(std::string_view part) { return truncated(folded(part)); }

bool is_escaped(std::string_view name) {
  return name.find("U&\"") != std::string_view::npos || name.find("u&\"") != std::string_view::npos;
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

bool has_any(const Words& words, std::initializer_list<std::string_view> set) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (one_of(to_lower(words.text(i)), set)) return true;
  }
  return false;
}

}  // namespace

std::vector<StatementHazard> NewRelations::hazards_of(std::string_view statement, const Classified& what) {
  if (what.command == "DO") {
    const DoBlock block = read_do_block(Words(statement));
    const Words body(block.source);
    const bool cascades = has_any(body, {"references"}) && has_any(body, {"cascade"});
    if (cascades || has_any(body, {"attach", "inherit", "rename", "rule"})) doubt();
    if (has_any(body, {"authorization", "drop", "role", "schema", "search_path", "set_config"}))
      made_.clear();
  }
  std::vector<StatementHazard> found = hazards(statement);
  const bool unseen =
      std::any_of(found.begin(), found.end(), [](const auto& hazard) { return hazard.unseen; });
  if (unseen && what.command == "DO") doubt();
  std::erase_if(found, [&](const StatementHazard& hazard) { return is_new(hazard); });
  read(statement, what);
  if (unseen || what.command == "EXECUTE") {
    doubt();
    path_changed_ = true;
  }
  return found;
}

void NewRelations::run(std::string_view statement, const Classified& what) {
  // Only these may do what they do not say.
  if (one_of(what.command, {"CALL", "DO", "EXECUTE", "EXPLAIN", "PREPARE", "SELECT"}))
    (void)hazards_of(statement, what);
  else
    read(statement, what);
}

bool NewRelations::is_most_likely_new(std::string_view relation) const {
  return is_new({.id = std::string(hazard::share), .relation = std::string(relation)});
}

void NewRelations::end_transaction() {
  // Thousands of files have thousands of tables: they are gone through only for what a file made temporary.
  if (std::exchange(has_temporary_, false))
    std::erase_if(made_, [](const auto& entry) { return entry.second == Kind::temporary; });
  if (path_changed_) forget_unqualified();
}

NewRelations::Name NewRelations::parse(std::string_view written) {
  const Words words(written);
  Name name;
  for (size_t i = 0; i < words.size(); i += 2) {
    name.schema = std::move(name.name);
    name.name = known_as(words.text(i));
  }
  return name;
}

bool NewRelations::is_made(std::string_view written) const {
  const auto found = made_.find(parse(written));
  return found != made_.end() && found->second != Kind::maybe;
}

/// Whether no schema had such a relation when the run began.
bool NewRelations::is_absent(std::string_view written) const {
  return existing_ && !is_escaped(written) && existing_->count(parse(written).name) == 0;
}

/// Of a table that was made, or found, by IF NOT EXISTS, and of one that is written with another schema than
/// when it was made, only what would not block is left out.
bool NewRelations::is_new(const StatementHazard& hazard) const {
  if (hazard.relation.empty()) return false;
  Name name = parse(hazard.relation);
  if (is_absent(hazard.relation) && !(doubtful_ && hazard.id == hazard::deletes_data)) return true;
  if (const auto found = made_.find(name); found != made_.end())
    return found->second != Kind::maybe || !hazard::blocks(hazard.id);
  if (path_changed_ || hazard::blocks(hazard.id) || !(name.schema.empty() || name.schema == "public"))
    return false;
  name.schema = name.schema.empty() ? "public" : "";
  const auto found = made_.find(name);
  return found != made_.end() && found->second != Kind::temporary;
}

void NewRelations::forget(std::string_view written) {
  const std::string name = parse(written).name;
  std::erase_if(made_, [&](const auto& entry) { return entry.first.name == name; });
}

/// What is old may be called so from now on, or hang on what is.
void NewRelations::may_exist(std::string_view written) {
  forget(written);
  if (existing_) existing_->insert(parse(written).name);
}

/// Anything old may be called anything from now on. That it is so is unlikely enough to still leave out what
/// would not be data lost.
void NewRelations::doubt() {
  made_.clear();
  doubtful_ = true;
}

void NewRelations::forget_unqualified() {
  std::erase_if(made_, [](const auto& entry) { return entry.first.schema.empty(); });
}

void NewRelations::read(std::string_view statement, const Classified& what) {
  const std::string& tag = what.command;
  if (tag == "CREATE RULE") return may_exist(what.table);
  if (tag.starts_with("CREATE ") || tag == "SELECT INTO") return read_create(statement, what);
  if (made_.empty() && !existing_ && !one_of(tag, {"SET", "RESET", "SELECT", "ALTER DATABASE", "ALTER ROLE"}))
    return;
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
    has_temporary_ = true;
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
  // An index has no hazard of being renamed, so nobody has asked whether it exists.
  const bool nothing = what.command != "ALTER INDEX" && is_absent(what.object) && !doubtful_;
  if (rename != npos && nothing) forget(words.name(rename + 2));
  if (rename != npos && !nothing) may_exist(words.name(rename + 2));
  if (rename != npos || words.find("set schema", object) != npos) forget(what.object);
  if (what.command != "ALTER TABLE") return;
  // What happens to a table happens to its partitions and heirs, and by ON DELETE CASCADE to those that refer
  // to it: they may be old.
  const size_t attach = words.find("attach partition", object);
  if (attach != npos && !is_made(words.name(attach + 2))) doubt();
  if (is_made(what.object)) return;
  if (words.find("inherit", object) != npos) doubt();
  const size_t refers = words.find("references", object);
  if (refers != npos && words.find("on delete cascade", refers) != npos) may_exist(words.name(refers + 1));
}

std::string relation_name(std::string_view written) {
  const Words words(written);
  return words.size() == 0 ? "" : known_as(words.text(words.size() - 1));
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
