#include "pg/canonical_round.hpp"

#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "pg/canonical_kinds.hpp"
#include "pg/catalog.hpp"
#include "pg/failure.hpp"
#include "pg/rehearsal.hpp"

namespace kdb::pg {

namespace {

/// An undefined object (an operator class, a type), function or schema.
bool is_unknown_name(const ServerError& error) {
  return error.sqlstate == "42704" || error.sqlstate == "42883" || error.sqlstate == "3F000";
}

/// Asks the questions of one round.
class Inquiry {
 public:
  Inquiry(Connection& connection, std::string_view settings) : rehearsal_(connection, settings) {}

  void ask(Round& round) {
    copy(round);
    std::apply([&](auto&... list) { (make(list), ...); }, round.questions.lists);
    std::apply([&](auto&... list) { (read(list), ...); }, round.questions.lists);
    rehearsal_.roll_back();
  }

 private:
  static std::string copy_sql(const std::string& name) { return "pg_temp." + quote_ident(name); }

  /// Copies the tables, and drops the questions about those that cannot be copied. Generated columns stay
  /// such: there are rules about what may be indexed of them.
  void copy(Round& round) {
    std::vector<std::string> statements;
    std::vector<ObjectName> tables;
    tables.reserve(round.tables.size());
    statements.reserve(round.tables.size());
    for (const auto& [name, table] : round.tables) {
      tables.push_back(table);
      statements.push_back(fmt::format("CREATE TEMPORARY TABLE {} (LIKE {} INCLUDING GENERATED)",
                                       quote_ident(name), to_sql(table)));
    }
    std::map<ObjectName, Obstacle> failed;
    rehearsal_.run(statements, [&](size_t number, const ServerError& error) {
      // Undefined table or schema: it was dropped meanwhile.
      const bool missing = error.sqlstate == "42P01" || error.sqlstate == "3F000";
      failed.emplace(tables[number],
                     missing ? no_table() : Obstacle{"no copy of its table can be made: " + describe(error)});
    });
    each_question(round.questions, [&](auto& question) {
      const auto found = failed.find(question.declared->value.table);
      if (found != failed.end()) leave_open(question, found->second);
    });
    std::apply([](auto&... list) { (drop_answered(list), ...); }, round.questions.lists);
  }

  template <class T>
  static void drop_answered(std::vector<Question<T>>& questions) {
    std::erase_if(questions, [](const Question<T>& question) {
      return question.answer->refused || !question.answer->undecided.empty();
    });
  }

  /// Makes the objects, and answers the questions about those that the server does not take.
  template <class T>
  void make(std::vector<Question<T>>& questions) {
    std::vector<std::string> statements;
    statements.reserve(questions.size());
    for (const Question<T>& question : questions)
      statements.push_back(create(question, question.declared->value));
    rehearsal_.run(statements,
                   [&](size_t number, const ServerError& error) { refuse(questions[number], error); });
    drop_answered(questions);
  }

  template <class T>
  static std::string create(const Question<T>& question, const T& object) {
    return create_on_copy(object, own_name(object, question.name), copy_sql(object.table.name));
  }
  // An index is always in the schema of its table.
  static std::string own_name(const Index&, const std::string& name) { return quote_ident(name); }
  static std::string own_name(const Statistics&, const std::string& name) { return copy_sql(name); }

  /// A refusal that may be about the copy only is no verdict; about functions in expressions neither: the
  /// table's owner may have the right to call them.
  template <class T>
  void refuse(Question<T>& question, const ServerError& error) {
    const Declared<T>& declared = *question.declared;
    if (error.sqlstate == "42501") {
      question.answer->undecided = describe(error);
    } else if (names_table(declared.value)) {
      question.answer->undecided = fmt::format(
          "it depends on its table as a whole, and on a copy of that the server says: {}", describe(error));
    } else {
      question.answer->names_unknown = is_unknown_name(error);
      const std::string_view field = culprit(question, error);
      question.answer->refused =
          Problem{.message = fmt::format("[{}.{}] {}: {}", T::section, declared.key, field, describe(error)),
                  .where = declared.where_of(std::string(field)),
                  .hint = error.hint,
                  .details = error.detail.empty() ? "" : "detail: " + error.detail};
    }
  }

  /// The field without which the server has something else to say, or nothing.
  template <class T>
  std::string_view culprit(const Question<T>& question, const ServerError& error) {
    for (const auto& [field, object] : suspects(question.declared->value)) {
      const auto other = rehearsal_.verdict(create(question, object));
      if (!other || other->message != error.message) return field;
    }
    return last_suspect(question.declared->value);
  }

  template <class T>
  void read(std::vector<Question<T>>& questions) {
    if (questions.empty()) return;
    std::map<std::string, const Question<T>*> by_name;
    std::string names;
    for (const Question<T>& question : questions) {
      by_name[question.name] = &question;
      names += (names.empty() ? "" : ", ") + quote_literal(question.name);
    }
    const Result result = rehearsal_.query(T::query_where(own_schema<T>(names)));
    if (result.size() != questions.size())  // no fragment can reach out of its statement
      throw Error(Exit::failed, fmt::format("{} definitions made {} objects of the kind {}", questions.size(),
                                            result.size(), T::word));
    for (size_t i = 0; i < result.size(); ++i) {
      const T made = T::read(ResultRow(result, i));
      const Question<T>& question = *by_name.at(made.name.name);
      question.answer->value = with_definition(question.declared->value, made);
    }
  }

  template <class T>
  static std::string own_schema(const std::string& names) {
    return fmt::format("n.oid = pg_catalog.pg_my_temp_schema() AND {} IN ({})",
                       std::is_same_v<T, Index> ? "c.relname" : "s.stxname", names);
  }

  Rehearsal rehearsal_;
};

}  // namespace

Obstacle no_table() { return {.why = "the table does not exist", .table_missing = true}; }

void ask(Connection& connection, std::string_view settings, Round& round) {
  Inquiry(connection, settings).ask(round);
}

}  // namespace kdb::pg
