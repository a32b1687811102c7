#pragma once

#include <optional>
#include <string>

#include "db/project.hpp"
#include "files/profile.hpp"
#include "pg/catalog.hpp"
#include "support/skip.hpp"

namespace kdb::test {

/// All objects of a database, as kdb reads them.
inline LiveSchema catalog_of(const Database& database) {
  return database.in_session([](Session& session) {
    const ServerFacts facts = pg::read_facts(session.connection(), "public", "kdb");
    return pg::read_catalog(session.connection(), facts, std::chrono::seconds(3));
  });
}

inline std::optional<std::string> no_environment(const std::string&) { return std::nullopt; }

}  // namespace kdb::test
