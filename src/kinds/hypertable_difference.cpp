#include <algorithm>

#include <fmt/format.h>

#include "kinds/declared.hpp"
#include "kinds/hypertable.hpp"
#include "kinds/part_difference.hpp"

namespace kdb {

namespace {

constexpr int has_created_before = 21300;

/// In which neither the order of sets nor what only a profile says makes a difference.
Hypertable comparable(Hypertable hypertable) {
  std::sort(hypertable.dimensions.begin(), hypertable.dimensions.end(),
            [](const Dimension& a, const Dimension& b) { return a.column < b.column; });
  std::sort(hypertable.chunk_skipping.begin(), hypertable.chunk_skipping.end());
  std::sort(hypertable.tablespaces.begin(), hypertable.tablespaces.end());
  hypertable.migrate_data = false;
  hypertable.when_unavailable = "error";
  return hypertable;
}

}  // namespace

std::vector<FieldChange> differing(const Declared<Hypertable>& declared, const Live<Hypertable>& live) {
  Hypertable desired = comparable(declared.value);
  if (desired.columnstore) complete_order(*desired.columnstore, live.value.time_column);
  return compare_parts(declared, desired, comparable(live.value));
}

namespace {

std::string title(const Declared<Hypertable>& declared) {
  return fmt::format("[hypertables.{}]", declared.key);
}

/// The parts that a server does not have: field, and why.
std::vector<std::pair<std::string, std::string>> unavailable_parts(const Hypertable& hypertable,
                                                                   const ServerFacts& facts) {
  std::vector<std::pair<std::string, std::string>> parts;
  const auto add = [&](bool declared, std::string field, std::string why) {
    if (declared) parts.emplace_back(std::move(field), std::move(why));
  };
  if (!facts.timescale->community) {
    const std::string why =
        "needs TimescaleDB's community edition; timescaledb.license of this server is apache";
    add(hypertable.columnstore.has_value(), "columnstore", why);
    add(hypertable.retention.has_value(), "retention", why);
    add(hypertable.reorder.has_value(), "reorder", why);
  }
  const auto older = [&](std::string_view needed) {
    return fmt::format("needs TimescaleDB {}; this database has {}", needed, facts.timescale->version);
  };
  if (facts.timescale->number < has_created_before) {
    add(facts.timescale->community && hypertable.columnstore &&
            !hypertable.columnstore->compress_created_before.empty(),
        "columnstore.compress_created_before", older("2.13"));
    add(facts.timescale->community && hypertable.retention &&
            !hypertable.retention->drop_created_before.empty(),
        "retention.drop_created_before", older("2.13"));
  }
  if (facts.timescale->number < has_chunk_skipping)
    add(!hypertable.chunk_skipping.empty(), "chunk_skipping", older("2.16"));
  return parts;
}

}  // namespace

std::vector<Problem> unavailable(const Declared<Hypertable>& declared, const ServerFacts& facts) {
  std::vector<Problem> problems;
  if (declared.absent) return problems;
  const auto add = [&](const std::string& what, const Source& where) {
    const bool skip = declared.value.when_unavailable == "skip";
    problems.push_back({.message = fmt::format("{}{}", title(declared), what),
                        .where = where,
                        .hint = skip ? "left out, as when_unavailable says"
                                     : "take it out of the profile, or set when_unavailable = \"skip\"",
                        .details = {}});
  };
  if (!facts.timescale) {
    add(" needs TimescaleDB, which this database does not have", declared.where);
    return problems;
  }
  for (const auto& [field, why] : unavailable_parts(declared.value, facts))
    add(fmt::format(" {} {}", field, why), declared.where_of(field));
  return problems;
}

Declared<Hypertable> available_part(Declared<Hypertable> declared, const ServerFacts& facts) {
  if (!facts.timescale) return declared;
  for (const auto& [field, why] : unavailable_parts(declared.value, facts)) {
    if (field.starts_with("columnstore")) declared.value.columnstore.reset();
    if (field.starts_with("retention")) declared.value.retention.reset();
    if (field == "reorder") declared.value.reorder.reset();
    if (field == "chunk_skipping") declared.value.chunk_skipping.clear();
    const std::string part = field.substr(0, field.find('.'));
    std::erase_if(declared.fields,
                  [&](const auto& one) { return one.first == part || one.first.starts_with(part + "."); });
  }
  return declared;
}

namespace {

/// Collects what cannot be done to one hypertable.
class Impossible {
 public:
  explicit Impossible(const Declared<Hypertable>& declared) : declared_(declared), wanted_(declared.value) {}

  void compare(const Live<Hypertable>& live) {
    const Hypertable& there = live.value;
    const std::string copy =
        "make a new hypertable, copy the rows by ranges of time, and swap the names in one transaction";
    if (declared_.absent) {
      add("", " is to be absent: a hypertable cannot become a plain table again", copy);
      return;
    }
    if (declared_.sets("time_column") && wanted_.time_column != there.time_column)
      add("time_column", fmt::format("is {} and cannot become {}", there.time_column, wanted_.time_column),
          copy);
    if (declared_.sets("time_function") && wanted_.time_function != there.time_function)
      add("time_function", "cannot be changed", copy);
    if (declared_.sets("dimensions")) compare_dimensions(there, copy);
    if (declared_.sets("columnstore") && !wanted_.columnstore && live.facts.compressed > 0)
      add("columnstore",
          fmt::format("cannot be turned off while {} chunks are compressed", live.facts.compressed),
          "decompress them first: SELECT decompress_chunk(c, true) FROM show_chunks(…) c");
  }

  void convert(const Estimate& table) {
    if (declared_.absent || wanted_.migrate_data || table.bytes == 0) return;
    add("migrate_data",
        fmt::format(
            "is needed where the table has rows{}: they are moved into chunks under a lock that keeps "
            "everybody out",
            table.rows ? fmt::format(" (about {})", *table.rows) : ""),
        "set migrate_data = true; or without the lock: make a new hypertable, copy the rows by ranges of "
        "time, and "
        "swap the names in one transaction");
  }

  std::vector<Problem> take() { return std::move(problems_); }

 private:
  void compare_dimensions(const Hypertable& there, const std::string& copy) {
    for (const Dimension& old : there.dimensions) {
      const auto kept = std::find_if(wanted_.dimensions.begin(), wanted_.dimensions.end(),
                                     [&](const Dimension& one) { return one.column == old.column; });
      if (kept == wanted_.dimensions.end())
        add("dimensions", fmt::format("leave out {}: a dimension cannot be taken away", old.column), copy);
      else if (kept->function != old.function || kept->partitions.has_value() != old.partitions.has_value())
        add("dimensions", fmt::format("change how {} partitions, which cannot be changed", old.column), copy);
    }
  }

  void add(const std::string& field, const std::string& what, std::string hint) {
    problems_.push_back({.message = fmt::format("{}{}{}{}", title(declared_), field.empty() ? "" : " ", field,
                                                field.empty() ? what : " " + what),
                         .where = declared_.where_of(field),
                         .hint = std::move(hint),
                         .details = {}});
  }

  const Declared<Hypertable>& declared_;
  const Hypertable& wanted_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> impossible(const Declared<Hypertable>& declared, const Live<Hypertable>* live,
                                const Estimate& table) {
  Impossible impossible(declared);
  if (live != nullptr)
    impossible.compare(*live);
  else
    impossible.convert(table);
  return impossible.take();
}

}  // namespace kdb
