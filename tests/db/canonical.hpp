#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "db/catalog.hpp"
#include "db/project.hpp"
#include "pg/canonical.hpp"

namespace kdb::test {

using std::chrono::milliseconds;

inline DesiredSchema parse(const std::string& profile) {
  return files::parse_profile(profile, "p.toml", no_environment).desired;
}

/// The server's form of what a profile declares, asked in a session of the test's.
inline pg::CanonicalSchema ask(Session& session, const std::string& profile,
                               milliseconds lock_timeout = milliseconds(3000)) {
  const ServerFacts facts = pg::read_facts(session.connection(), "public", "kdb");
  const LiveSchema live = pg::read_catalog(session.connection(), facts, lock_timeout);
  return pg::canonicalise(session.connection(), facts, parse(profile), live, lock_timeout);
}

inline pg::CanonicalSchema ask(const Database& database, const std::string& profile) {
  return database.in_session([&](Session& session) { return ask(session, profile); });
}

/// What came of one object: its SQL, `refused …` or `undecided …`.
inline std::string outcome(const pg::Canonical<Index>& answer) {
  if (answer.value) return create_sql(*answer.value, "i", "t", false);
  if (!answer.refused) return "undecided: " + answer.undecided;
  return "refused: " + to_string(answer.refused->where) + ": " + answer.refused->message;
}

inline std::string outcome(const pg::Canonical<Statistics>& answer) {
  if (answer.value) return create_sql(*answer.value, "s", "t");
  if (!answer.refused) return "undecided: " + answer.undecided;
  return "refused: " + to_string(answer.refused->where) + ": " + answer.refused->message;
}

/// The outcome of the only index that is declared.
inline std::string index_outcome(const Database& database, const std::string& profile) {
  return outcome(ask(database, profile).of<Index>().at(0));
}

inline const std::string index_of_t = "[indexes.i]\ntable = \"t\"\ncolumns = [\"a  desc\"]\n";
inline const std::string as_printed = "CREATE INDEX i ON t USING btree (a DESC)";

}  // namespace kdb::test
