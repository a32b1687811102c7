#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/checksum.hpp"
#include "base/hazard_list.hpp"
#include "base/text.hpp"
#include "kinds/definition.hpp"
#include "kinds/difference.hpp"
#include "kinds/index.hpp"
#include "kinds/index_flags.hpp"
#include "kinds/index_parts.hpp"

namespace kdb {

namespace {

namespace hazard = sql::hazard;

constexpr std::string_view new_prefix = "kdb_new_";
constexpr std::string_view old_prefix = "kdb_old_";
constexpr size_t hash_length = 16;

/// The same name for the same thing, of this index alone.
std::string temporary_name(std::string_view prefix, std::string_view what) {
  return std::string(prefix) + sha256_hex(what).substr(0, hash_length);
}

/// The statements for one index.
class IndexSteps {
 public:
  IndexSteps(const Difference<Index>& difference, const Surroundings& around)
      : difference_(difference),
        around_(around),
        index_(difference.desired != nullptr ? *difference.desired : difference.live->value),
        table_(around.table(index_.table)),
        table_name_(around.text(index_.table)) {}

  std::vector<ChangeStep> take() {
    switch (difference_.action) {
      case Action::run:
        break;
      case Action::create:
        make_way();
        create(index_.name.name);
        finish(index_.name, {});
        // One that the server makes a part of another one has what the table has set about it.
        if (const Live<Index>* before = around_.index(index_.name);
            before && before->value.table == index_.table)
          hand_over_flags(before->facts);
        break;
      case Action::alter:
        alter();
        break;
      case Action::replace:
        replace();
        break;
      case Action::rename:
        make_way();
        rename();
        break;
      case Action::repair:
        repair();
        break;
      case Action::drop:
        drop(difference_.live->value.name);
        add_identity_hazard();
        around_.names().release(*difference_.live);
        break;
    }
    return std::move(steps_);
  }

 private:
  /// Where it really is.
  ObjectName really(const ObjectName& name) const { return {around_.home_of(index_.table), name.name}; }

  /// Whether the server builds and drops it while the table is written to.
  bool is_online() const { return table_.kind != 'p' && !table_.hypertable; }
  bool is_built_by_parts() const {
    return method_ == PartsMethod::partitions || method_ == PartsMethod::chunks;
  }

  void append(std::vector<ChangeStep> steps) {
    std::move(steps.begin(), steps.end(), std::back_inserter(steps_));
  }

  ChangeStep& add(std::string sql, std::string purpose, LockMode mode) {
    return steps_.emplace_back(
        ChangeStep{.sql = std::move(sql), .purpose = std::move(purpose), .lock = {mode, table_name_}});
  }

  void make_way() { append(take_name_from_part(index_, around_)); }
  void take_name(const std::string& name) {
    around_.names().take_for_index({around_.home_of(index_.table), name});
  }

  /// `begun`: what an earlier run made of it.
  void create(const std::string& name, const Live<Index>* begun = nullptr) {
    if (is_built_by_parts()) {
      take_name(name);
      build_ = build_on_parts(index_, name, begun, around_);
      append(std::move(build_.steps));
      note_parts();
      return;
    }
    if (begun != nullptr) {
      tidy({index_.table.schema, name}, "removes what an interrupted build left");
      around_.names().release(*begun);
    }
    create_at_once(name);
  }

  void note_parts() {
    for (const auto& [partition, part] : build_.names)
      around_.names().take_part(partition, index_.name, part);
  }

  void create_at_once(const std::string& name) {
    take_name(name);
    IndexPartSteps parts(index_, around_);
    build_.names = names_by_server(parts);
    append(parts.take());
    std::vector<ChangeStep> renames = spare_declared_names(build_.names, index_, around_);
    note_parts();
    const bool by_chunk = method_ == PartsMethod::one_transaction;
    const bool online = is_online() || by_chunk;
    Index index = index_;
    if (by_chunk) index.with["timescaledb.transaction_per_chunk"] = "true";
    ChangeStep& step =
        add(create_sql(index, quote_ident(name), to_sql(index_.table), is_online()),
            (by_chunk      ? "builds it chunk by chunk; nobody can write to the one that is being indexed"
             : is_online() ? "builds it while the table is read and written"
                           : "builds it") +
                without_right(),
            is_online() ? LockMode::share_update_exclusive : LockMode::share);
    step.in_transaction = !online;
    step.hazards.push_back({.id = std::string(hazard::index_build),
                            .object = text_,
                            .reason = fmt::format("reads all of {} and writes the index", table_name_),
                            .needs_rows = true});
    if (!online)
      step.hazards.push_back({.id = std::string(hazard::share),
                              .object = table_name_,
                              .reason = fmt::format("nobody can write to {} while it is built",
                                                    with_its_parts(index_.table, around_)),
                              .needs_rows = true});
    append(std::move(renames));
  }

  /// What the role lacks for a better way.
  std::string without_right() const {
    const std::string schema = closed_to_chunks(index_, around_);
    if (schema.empty()) return "";
    return fmt::format(" (all of it could be written to with GRANT CREATE ON SCHEMA {})",
                       quote_ident(schema));
  }

  /// What CREATE INDEX cannot say; `before` is what the index has already.
  void finish(const ObjectName& name, const Index& before) {
    for (const auto& [column, target] : index_.statistics)
      if (!has(before.statistics, column, target)) set_statistics(name, column, target);
    for (const auto& [column, target] : before.statistics)
      if (!has_key(index_.statistics, column)) set_statistics(name, column, "-1");
    if (index_.comment != before.comment)
      add(fmt::format("COMMENT ON INDEX {} IS {}", to_sql(really(name)),
                      index_.comment.empty() ? "NULL" : quote_literal(index_.comment)),
          "sets its comment", LockMode::none);
  }

  static bool has(const Options& options, std::string_view key, std::string_view value) {
    return std::any_of(options.begin(), options.end(),
                       [&](const auto& one) { return one.first == key && one.second == value; });
  }
  static bool has_key(const Options& options, std::string_view key) {
    return std::any_of(options.begin(), options.end(), [&](const auto& one) { return one.first == key; });
  }

  void set_statistics(const ObjectName& name, std::string_view column, std::string_view target) {
    add(fmt::format("ALTER INDEX {} ALTER COLUMN {} SET STATISTICS {}", to_sql(really(name)), column, target),
        "sets how many samples ANALYZE keeps", LockMode::share_update_exclusive);
  }

  void alter() {
    if (table_.hypertable && difference_.differs_in("with") &&
        can_alter_chunks(index_, difference_.fields, around_))
      append(alter_on_chunks(index_, *difference_.live, around_));
    for (std::string& sql : alter_parameters_sql(really(index_.name), difference_.fields))
      add(std::move(sql), "applies to pages written from now on", LockMode::share_update_exclusive);
    finish(index_.name, difference_.live->value);
  }

  void replace() {
    const Index& old = difference_.live->value;
    const ObjectName made{index_.table.schema, build_name(index_)};
    if (!is_online()) return replace_on_parts(made);
    around_.names().retire(*difference_.live);
    const ObjectName aside{made.schema, temporary_name(old_prefix, to_sql(old.name) + build_name(old))};
    const Live<Index>* begun = around_.index(made);
    if (begun != nullptr && !begun->facts.valid) tidy(made, "removes what an interrupted build left");
    if (begun == nullptr || !begun->facts.valid) create(made.name);
    finish(made, begun != nullptr && begun->facts.valid ? begun->value : Index{});
    add(fmt::format("ALTER INDEX {} RENAME TO {}", to_sql(real_name(*difference_.live)),
                    quote_ident(aside.name)),
        "sets the old one aside", LockMode::share_update_exclusive);
    add(fmt::format("ALTER INDEX {} RENAME TO {}", to_sql(really(made)), quote_ident(index_.name.name)),
        "gives the new one its name", LockMode::share_update_exclusive);
    hand_over_flags(difference_.live->facts);
    drop(aside, removal({}));
    add_identity_hazard();
  }

  /// Without a way to drop it beside readers, the old one goes in the moment in which the new one takes its
  /// name.
  void replace_on_parts(const ObjectName& made) {
    const Live<Index>* begun = around_.index(made);
    const bool whole = begun != nullptr && begun->facts.whole();
    if (!whole) create(made.name, begun);
    if (whole && is_built_by_parts()) build_ = build_on_parts(index_, made.name, begun, around_);
    if (whole && table_.kind == 'p')
      for (const PartIndex& part : begun->facts.parts)
        build_.names[part.part] = around_.names().name_of(part);
    finish(made, begun != nullptr && (whole || is_built_by_parts()) ? begun->value : Index{});
    const Live<Index>& old = *difference_.live;
    drop(old.value.name, removal(old.facts.unmanaged));
    add_identity_hazard();
    steps_.back().begins = true;
    add(fmt::format("ALTER INDEX {} RENAME TO {}", to_sql(really(made)), quote_ident(index_.name.name)),
        "gives the new one its name", LockMode::share_update_exclusive);
    append(rename_on_parts(build_.names, index_, old, around_));
    hand_over_flags(old.facts);
  }

  /// What the table has set about the index that goes.
  void hand_over_flags(const IndexFacts& facts) {
    append(set_flags(flags_of(facts), index_, index_.table, index_.name.name, around_));
  }

  /// What goes with the old one: `lost`, and what the table has set that the new one cannot have.
  std::string removal(std::vector<std::string> lost) const {
    const IndexFlags refused = refused_flags(flags_of(difference_.live->facts), index_);
    for (std::string& word : flag_words(refused)) lost.push_back(std::move(word));
    for (const PartIndex& part : difference_.live->facts.parts)
      for (const std::string& word : flag_words(refused_flags(flags_of(part), index_)))
        lost.push_back(fmt::format("{} of {}", word, part.name.name));
    return fmt::format("removes the old one{}{}", lost.empty() ? "" : " and ", fmt::join(lost, "; "));
  }

  /// Of the drop that was added last.
  void add_identity_hazard() {
    const auto loses = [&](const IndexFlags& flags) {
      return difference_.desired == nullptr ? flags.replica_identity
                                            : refused_flags(flags, index_).replica_identity;
    };
    const IndexFacts& facts = difference_.live->facts;
    if (loses(flags_of(facts)) || std::any_of(facts.parts.begin(), facts.parts.end(),
                                              [&](const PartIndex& part) { return loses(flags_of(part)); }))
      steps_.back().hazards.push_back(identity_hazard(text_, with_its_parts(index_.table, around_)));
  }

  void rename() {
    const Index& old = difference_.live->value;
    add(fmt::format("ALTER INDEX {} RENAME TO {}", to_sql(real_name(*difference_.live)),
                    quote_ident(index_.name.name)),
        "the same definition is there under another name", LockMode::share_update_exclusive);
    around_.names().rename(*difference_.live, {around_.home_of(index_.table), index_.name.name});
    finish(index_.name, old);
  }

  void repair() {
    if (is_leftover(difference_.live->value)) {
      tidy(index_.name, "removes what an interrupted change left");
      return;
    }
    if (!is_built_by_parts()) {
      tidy(index_.name, "removes what an interrupted build left");
      around_.names().release(*difference_.live);
      create_at_once(index_.name.name);
      finish(index_.name, {});
      return;
    }
    create(index_.name.name, difference_.live);
    alter();
  }

  void tidy(const ObjectName& name, std::string purpose) {
    drop(name, std::move(purpose));
    steps_.back().tidies = true;
  }

  void drop(const ObjectName& name, std::string purpose = "drops it") {
    const bool online = is_online();
    ChangeStep& step =
        add(fmt::format("DROP INDEX {}{}", online ? "CONCURRENTLY " : "", to_sql(really(name))),
            std::move(purpose), online ? LockMode::share_update_exclusive : LockMode::access_exclusive);
    step.in_transaction = !online;
    if (!table_.parts.empty()) step.hazards.push_back(drop_hazard(index_, around_));
    if (difference_.action == Action::drop)
      step.hazards.push_back({.id = std::string(hazard::index_dropped),
                              .object = text_,
                              .reason = fmt::format("drops index {}", text_),
                              .blocks = true,
                              .needs_rows = true});
  }

  const Difference<Index>& difference_;
  const Surroundings& around_;
  const Index& index_;
  const TableFacts& table_;
  std::string table_name_;
  std::string text_ = around_.text(index_.name);
  PartsMethod method_ = parts_method(index_, around_);
  PartsBuild build_;
  std::vector<ChangeStep> steps_;
};

}  // namespace

// PG docs, CREATE INDEX. Any other one needs the index to be built again: pages_per_range has no effect
// before, and bloom's length makes the index unusable.
bool changes_in_place(std::string_view parameter) {
  for (const std::string_view known : {"fillfactor", "deduplicate_items", "fastupdate",
                                       "gin_pending_list_limit", "buffering", "autosummarize"})
    if (parameter == known) return true;
  return false;
}

std::vector<std::string> alter_parameters_sql(const ObjectName& name,
                                              const std::vector<FieldChange>& changes) {
  std::string set;
  std::string reset;
  for (const FieldChange& change : changes) {
    if (!change.field.starts_with("with.")) continue;
    const std::string parameter = quote_ident(change.field.substr(5));
    if (change.desired.empty())
      reset += (reset.empty() ? "" : ", ") + parameter;
    else
      set += fmt::format("{}{} = {}", set.empty() ? "" : ", ", parameter, quote_literal(change.desired));
  }
  std::vector<std::string> statements;
  if (!set.empty()) statements.push_back(fmt::format("ALTER INDEX {} SET ({})", to_sql(name), set));
  if (!reset.empty()) statements.push_back(fmt::format("ALTER INDEX {} RESET ({})", to_sql(name), reset));
  return statements;
}

std::string build_name(const Index& index) {
  return temporary_name(new_prefix, create_sql(index, "", to_sql(index.table), false));
}

bool is_leftover(const Index& index) {
  const std::string_view name = index.name.name;
  return name.size() == new_prefix.size() + hash_length &&
         (name.starts_with(new_prefix) || name.starts_with(old_prefix)) &&
         name.find_first_not_of("0123456789abcdef", new_prefix.size()) == std::string_view::npos;
}

Action action_of(const Index&, const std::vector<FieldChange>& fields) {
  for (const FieldChange& change : fields) {
    const std::string_view field = change.field;
    if (field == "comment" || field.starts_with("statistics.")) continue;
    if (!field.starts_with("with.") || !changes_in_place(field.substr(5))) return Action::replace;
  }
  return Action::alter;
}

std::vector<ChangeStep> steps(const Difference<Index>& difference, const Surroundings& around) {
  return IndexSteps(difference, around).take();
}

}  // namespace kdb
