// What the server makes of definitions in another spelling is what it prints of the real objects.
#include <algorithm>
#include <map>
#include <memory>

#include "db/catalog.hpp"
#include "db/index_generator.hpp"
#include "db/table_generator.hpp"
#include "pg/canonical.hpp"
#include "support/cases.hpp"

namespace kdb::test::canonical_property_test {

namespace {

using Seconds = std::chrono::seconds;

/// Writes pieces of SQL in other ways that mean the same.
class Speller {
 public:
  explicit Speller(unsigned seed) : dice_(seed) {}

  Index respelled(const IndexSpelling& index) {
    Index other{.name = index.name, .table = index.table, .method = index.method};
    for (const ColumnSpelling& column : index.columns)
      other.columns.push_back({noisy(respelled(column, index))});
    for (const std::string& column : index.include) other.include.push_back({noisy(column)});
    other.unique = index.unique;
    other.nulls_not_distinct = index.nulls_not_distinct;
    for (const auto& [name, value] : index.with) other.with[name] = parameter(value);
    other.where.sql = noisy(predicate(index.where, index.table));
    return other;
  }

  Statistics respelled(const Statistics& statistics) {
    Statistics other = statistics;
    // The server orders columns, and puts expressions behind them.
    const auto columns =
        std::stable_partition(other.columns.begin(), other.columns.end(),
                              [](const Fragment& one) { return one.sql.find('(') != std::string::npos; });
    std::reverse(columns, other.columns.end());
    for (Fragment& one : other.columns)
      one.sql =
          noisy(one.sql.find('(') != std::string::npos && dice_.chance(50) ? "(" + one.sql + ")" : one.sql);
    std::reverse(other.kinds.begin(), other.kinds.end());
    if (other.kinds.empty() && other.columns.size() > 1 && dice_.chance(30))
      other.kinds = {"mcv", "dependencies", "ndistinct"};
    return other;
  }

 private:
  std::string respelled(const ColumnSpelling& column, const IndexSpelling& index) {
    ColumnSpelling other = column;
    const bool is_column = column.what.find('(') == std::string::npos;
    if (column.how.empty() && is_column && dice_.chance(30))
      other.how = default_class(column.what, index.method);
    if (column.what == "b" && column.how.empty() && dice_.chance(30))
      other.how = "COLLATE \"default\" " + other.how;
    if (is_column && dice_.chance(20))
      other.what = "(" + quote_ident(index.table.name) + "." + column.what + ")";
    if (dice_.chance(30)) other.what = dice_.one_of({"(", "( ("}) + other.what + "  )";
    if (other.what.starts_with("( (")) other.what += ")";
    if (index.method != "btree") return other.sql();
    const bool descending = !column.order.empty();
    if (!descending && dice_.chance(40)) other.order = "ASC";
    if (column.nulls.empty() && dice_.chance(40)) other.nulls = descending ? "NULLS FIRST" : "NULLS LAST";
    return other.sql();
  }

  static std::string default_class(const std::string& column, const std::string& method) {
    static const std::map<std::string, std::string> of_type = {
        {"a", "int4_"}, {"b", "text_"}, {"\"C; d\"", "numeric_"}, {"\"żó\"", "timestamptz_"}};
    if (column == "j") return "jsonb_ops";
    if (column == "ar") return "array_ops";
    if (column == "r") return "range_ops";
    if (column == "p") return method == "spgist" ? "quad_point_ops" : "point_ops";
    return of_type.at(column) + (method == "brin" ? "minmax_ops" : "ops");
  }

  std::string parameter(const std::string& value) {
    if (value == "on" || value.empty()) return dice_.one_of({"on", "true", "YES", "1", "t"});
    if (value == "off") return dice_.one_of({"off", "False", "no", "0", "OFF"});
    if (value == "auto") return dice_.one_of({"auto", "AUTO"});
    return dice_.one_of({value, " " + value, "+" + value});
  }

  std::string predicate(const std::string& where, const ObjectName& table) {
    if (where.empty()) return where;
    const std::string row = quote_ident(table.name) + ".";
    static const std::map<std::string, std::string> others = {
        {"a > 0", "a > '0'::integer"},
        {"b IS NOT NULL", "b::text IS NOT NULL"},
        {"b IN ('x', 'y''z', 'w;--')", "b = ANY (ARRAY['x'::text, 'y''z', 'w;--'::text])"},
        {"\"C; d\" > 1.5", "\"C; d\" > '1.5'"},
        {"b LIKE E'a\\\\_%'", "b ~~ 'a\\_%'"}};
    const auto other = others.find(where);
    std::string text = other != others.end() && dice_.chance(50) ? other->second : where;
    if ((text[0] == 'a' || text[0] == 'b') && dice_.chance(30)) text = row + text;
    return dice_.chance(50) ? "((" + text + "))" : text;
  }

  /// Other white space and letters where they do not count.
  std::string noisy(const std::string& sql) {
    const bool loud = dice_.chance(40);
    std::string text;
    char quote = 0;
    for (const char c : sql) {
      if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      }
      text += quote == 0 && loud && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      if (quote == 0 && (c == ' ' || c == ',' || c == '(') && dice_.chance(20))
        text += dice_.one_of({" ", "\n\t"});
    }
    return text;
  }

  Dice dice_;
};

pg::CanonicalSchema canonical_of(const Database& database, const DesiredSchema& desired,
                                 const LiveSchema& live) {
  Session session(database.url());
  const ServerFacts facts = pg::read_facts(session.connection(), "public", "kdb");
  return pg::canonicalise(session.connection(), facts, desired, live, Seconds(3));
}

template <class T>
const T& live_of(const LiveSchema& live, const ObjectName& name) {
  const auto& list = live.of<T>();
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.value.name == name; });
  REQUIRE(found != list.end());
  return found->value;
}

template <class T>
std::string spelled(const T& object) {
  return create_sql(object, "x", to_sql(object.table), false);
}
template <>
std::string spelled(const Statistics& object) {
  return create_sql(object, "x", to_sql(object.table));
}

template <class T>
void check_answers(const DesiredSchema& desired, const pg::CanonicalSchema& canonical,
                   const LiveSchema& live) {
  REQUIRE(canonical.of<T>().size() == desired.of<T>().size());
  for (size_t i = 0; i < desired.of<T>().size(); ++i) {
    const T& declared = desired.of<T>()[i].value;
    const pg::Canonical<T>& answer = canonical.of<T>()[i];
    const T& real = live_of<T>(live, declared.name);
    const std::string declared_sql = spelled(declared);
    const std::string real_sql = spelled(real);
    CAPTURE(declared_sql);
    CAPTURE(real_sql);
    CHECK(answer.undecided == "");
    if (answer.refused) FAIL_CHECK(answer.refused->message);
    if (!answer.value) continue;
    CHECK(spelled(*answer.value) == real_sql);
    CHECK(*answer.value == real);
  }
}

}  // namespace

TEST_CASE("an index in another spelling becomes, field by field, what the catalog has") {
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  const Database database;
  IndexGenerator generator(first_seed, database);
  Speller speller(first_seed + 1);
  DesiredSchema desired;
  Session session(database.url());
  for (int i = 0; i < cases(); ++i) {
    const IndexSpelling index = generator.definition(i);
    try {
      session.exec(create_sql(index));
    } catch (const pg::ServerError&) {
      continue;  // what this server does not take is no case
    }
    desired.of<Index>().push_back({.key = index.name.name, .value = speller.respelled(index)});
  }
  CHECK(static_cast<int>(desired.of<Index>().size()) > cases() / 2);
  const LiveSchema live = catalog_of(database);
  check_answers<Index>(desired, canonical_of(database, desired, live), live);
}

TEST_CASE("statistics in another spelling become, field by field, what the catalog has") {
  const unsigned first_seed = seed();
  CAPTURE(first_seed);
  const Database database;
  database.exec("CREATE SCHEMA \"o.dd\"");
  TableGenerator generator(first_seed);
  Speller speller(first_seed + 1);
  Session session(database.url());
  for (int i = 0; i < cases(); ++i)
    for (const std::string& sql : generator.table(i)) try {
        session.exec(sql);
      } catch (const pg::ServerError&) {
        continue;
      }
  const LiveSchema live = catalog_of(database);
  REQUIRE_FALSE(live.of<Statistics>().empty());
  DesiredSchema desired;
  for (const auto& one : live.of<Statistics>())
    desired.of<Statistics>().push_back({.key = one.value.name.name, .value = speller.respelled(one.value)});
  check_answers<Statistics>(desired, canonical_of(database, desired, live), live);
}

}  // namespace kdb::test::canonical_property_test
