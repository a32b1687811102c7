#pragma once

#include <chrono>
#include <string>

#include "base/event.hpp"
#include "model/step.hpp"
#include "pg/connection.hpp"
#include "pg/history.hpp"

namespace kdb::pg {

/// What to do with a statement that was begun outside of a transaction and never heard of again.
enum class Verdict {
  run,      // it did nothing that stays, or what it left was cleaned up, or repeating is harmless
  done,     // the catalog shows its whole effect
  unknown,  // nobody can tell: a person has to say
};

/// What the catalog says before a statement starts, so that after a crash its own leftovers can be told from
/// what was there before. Stored in the journal; runs in the session state of the file.
std::string catalog_note(Connection& connection, const Step& step);

/// Decides by the journal and the catalog, and cleans up what the statement itself left: an invalid index of
/// its own is dropped. `lock_timeout` bounds a drop that blocks readers.
Verdict recover(Connection& connection, const Step& step, const JournalRow& journal,
                std::chrono::milliseconds lock_timeout, const EventSink& events);

/// An index that CREATE INDEX CONCURRENTLY IF NOT EXISTS found there already may be an invalid one, left by
/// somebody else. Its name if so; empty otherwise.
std::string invalid_index_found(Connection& connection, const Step& step);

}  // namespace kdb::pg
