#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "pg/canonical.hpp"

namespace kdb::pg {

/// A declared object that the server is asked about.
template <class T>
struct Question {
  const Declared<T>* declared = nullptr;
  Canonical<T>* answer = nullptr;
  std::string name;  // of the object that is made, where no other is called so
};

using Questions = ObjectLists<Question, KindList<Index, Statistics>>;

/// Calls `visit` with every question, of whatever kind.
template <class Visitor>
void each_question(Questions& questions, Visitor&& visit) {
  std::apply([&](auto&... list) { (std::for_each(list.begin(), list.end(), visit), ...); }, questions.lists);
}

/// What is asked in one transaction: a copy has its table's name, so tables of one name cannot be together.
struct Round {
  Questions questions;
  std::map<std::string, ObjectName> tables;  // by the names of their copies
};

/// Why nothing can be asked about the objects of a table.
struct Obstacle {
  std::string why;
  bool table_missing = false;
};

Obstacle no_table();

template <class T>
void leave_open(Question<T>& question, const Obstacle& obstacle) {
  question.answer->undecided = obstacle.why;
  question.answer->table_missing = obstacle.table_missing;
}

/// Makes the objects of a round on copies of their tables, and answers its questions. Throws as
/// Rehearsal::run does.
void ask(Connection& connection, std::string_view settings, Round& round);

}  // namespace kdb::pg
