#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.hpp"

namespace kdb::pg {

/// A database on a server that is nobody else's, and the role that owns it.
struct OwnedDatabase {
  std::string name;
  /// That owns it and migrations run as, where sessions begin with SET ROLE; else empty.
  std::string role;
  /// That logs in. It may do what the owner of a database may, and nothing outside of it: it reaches no file,
  /// no program and no other role. Empty: sessions are those of the superuser.
  std::string login;

  const std::string& owner() const { return role.empty() ? login : role; }
};

/// Makes the roles and the database, where that is not there. `superuser` is a session on any other database.
/// Throws Error(refused) for a role that is there already: it may have rights that must not be lent.
void make_owned_database(Connection& superuser, const OwnedDatabase& database);

/// Makes a role that may do nothing, and lets the owner be it: one that migrations grant to, or give things
/// to. False if there is one, whatever that may do.
bool make_powerless_role(Connection& superuser, const OwnedDatabase& database, const std::string& name);

/// An extension that somebody counts on.
struct WantedExtension {
  std::string name;
  std::string schema;         // empty: where it goes by itself
  bool in_migration = false;  // a migration makes it, where it may: not here then
  std::string shared;         // a schema of its own in which the owner may make objects; empty: none
};

/// In that database, before anything else is: gives `public` to the owner, and makes those extensions that
/// he could make himself, or that give nobody access to files, programs or the network. What the server does
/// not have, or is refused, is left to whoever asks for it. Returns the names of what was made.
std::vector<std::string> furnish(Connection& superuser, const OwnedDatabase& database,
                                 const std::vector<WantedExtension>& wanted);

/// Whether an extension that a superuser has to make gives nobody such access.
bool is_harmless_extension(std::string_view name);

}  // namespace kdb::pg
