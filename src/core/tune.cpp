#include "core/tune.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/relative_value.hpp"
#include "core/setting_contradictions.hpp"
#include "core/tuning_rules.hpp"
#include "core/wanted_setting.hpp"

namespace kdb {

namespace {

/// Puts the lines together.
class Tuner {
 public:
  Tuner(const TuningFacts& facts, const SettingLookup& lookup) : facts_(facts), sizing_(facts, lookup) {}

  void take(const std::vector<WantedSetting>& wanted) {
    for (const WantedSetting& one : wanted) {
      if (is_from_environment(one)) {
        hidden_.push_back(&one);
        continue;
      }
      WantedSetting taken = one;
      const SettingFacts* setting = sizing_.find(one.name);
      if (setting != nullptr && is_relative(one.value, setting->type)) {
        if (!facts_.memory) {
          unresolved_.push_back(&one);
          continue;
        }
        taken.value = resolve_relative(one.value, setting->type, facts_.memory->value);
        if (const std::string wrong = setting_problem(setting->type, taken.value); !wrong.empty())
          problems_.push_back(
              {.message = fmt::format("[server.settings] {} = {} {}", one.name, one.written, wrong),
               .where = one.where,
               .hint = {}});
      }
      sizing_.choose(taken.name, taken.value);
      wanted_.emplace(taken.name, std::move(taken));
    }
  }

  void advise() {
    for (const auto& rules : tuning_order())
      for (const TuningRule& rule : rules) {
        const SettingFacts* setting = sizing_.find(rule.name);
        if (rule.advise == nullptr || setting == nullptr) continue;
        auto advice = rule.advise(sizing_);
        if (!advice) continue;
        keep_in_bounds(*advice, *setting);
        if (!setting_problem(setting->type, advice->value).empty()) continue;  // a word that this build lacks
        if (wanted_.count(rule.name) == 0 && !is_left_out(rule.name))
          sizing_.choose(std::string(rule.name), advice->value);
        advices_.emplace(rule.name, std::move(*advice));
      }
  }

  Tuned finish() {
    Tuned tuned;
    std::set<std::string_view> written;
    for (const TuningGroup& group : tuning_groups())
      for (const TuningRule& rule : group.rules) {
        written.insert(rule.name);
        add_line(tuned, rule, group.title);
      }
    for (const auto& [name, one] : wanted_)
      if (written.count(name) == 0) add_line(tuned, {.name = name}, "Declared besides");
    tuned.unresolved = !unresolved_.empty();
    tuned.problems = std::move(problems_);
    for (Problem& problem : contradictions(sizing_, [&](std::string_view name) { return first_place(name); }))
      tuned.problems.push_back(std::move(problem));
    if (facts_.memory) tuned.budget = memory_budget(sizing_);
    note_unknown(tuned);
    note_unknown_disk(tuned);
    note_hidden(tuned);
    note_shared_memory(tuned);
    note_budget(tuned);
    note_insert(tuned);
    return tuned;
  }

 private:
  /// Machines may be larger than a setting.
  static void keep_in_bounds(Advice& advice, const SettingFacts& setting) {
    if (setting.type.vartype != "integer") return;
    SettingType wide = setting.type;
    wide.vartype = "real";
    const auto number = setting_number(advice.value, wide);
    if (!number || *number <= setting.type.most) return;
    advice.reason = fmt::format("the most that it takes; {} would be {}", advice.value, advice.reason);
    advice.value = setting_text(setting.type.most, setting.type);
  }

  bool is_left_out(std::string_view name) const {
    const auto is = [&](const WantedSetting* one) { return one->name == name; };
    return std::any_of(unresolved_.begin(), unresolved_.end(), is) ||
           std::any_of(hidden_.begin(), hidden_.end(), is);
  }

  void add_line(Tuned& tuned, const TuningRule& rule, std::string_view group) const {
    const SettingFacts* setting = sizing_.find(rule.name);
    const auto declared = wanted_.find(rule.name);
    const auto advice = advices_.find(rule.name);
    SettingLine line{.name = std::string(rule.name),
                     .value = {},
                     .group = std::string(group),
                     .reason = {},
                     .origin = {},
                     .facts = setting == nullptr ? SettingFacts{} : *setting};
    if (declared != wanted_.end()) {
      line.value = declared->second.value;
      line.origin = to_string(declared->second.where);
      judge(line, rule, declared->second, advice == advices_.end() ? nullptr : &advice->second);
    } else if (advice != advices_.end() && !is_left_out(rule.name)) {
      line.value = advice->second.value;
      line.reason = advice->second.reason;
      line.origin = fmt::format("kdb, for {}", to_string(facts_.workload.value));
    } else {
      return;
    }
    tuned.lines.push_back(std::move(line));
  }

  void judge(SettingLine& line, const TuningRule& rule, const WantedSetting& one,
             const Advice* advice) const {
    const SettingFacts* setting = sizing_.find(one.name);
    Judgement judgement{
        setting == nullptr ? "nobody was asked whether there is such a setting" : "as declared", {}};
    if (rule.judge != nullptr) judgement = rule.judge(sizing_);
    line.reason = std::move(judgement.reason);
    if (setting != nullptr && is_relative(one.written, setting->type))
      line.reason = fmt::format("{}; {}", one.written, line.reason);
    line.verdicts = std::move(judgement.against);
    if (setting == nullptr) return;
    if (sizing_.is_default(one.name))
      line.verdicts.push_back(fmt::format("{} is the default of PostgreSQL {}: it changes nothing",
                                          sizing_.default_text(one.name), facts_.major));
    if (advice != nullptr && !same_setting(one.name, setting->type, advice->value, one.value))
      line.verdicts.push_back(fmt::format("kdb would say {}: {}", advice->value, advice->reason));
  }

  Source first_place(std::string_view name) const {
    const auto found = wanted_.find(name);
    return found == wanted_.end() ? Source{} : found->second.where;
  }

  void note_unknown(Tuned& tuned) const {
    std::vector<std::string> unknown;
    if (!facts_.memory) unknown.emplace_back("memory");
    if (!facts_.cpus) unknown.emplace_back("CPUs");
    if (unknown.empty()) return;
    std::vector<std::string> waiting;
    for (const WantedSetting* one : unresolved_)
      waiting.push_back(fmt::format("{} = {}", one->name, one->written));
    tuned.findings.push_back(
        {.rule = "unknown-machine",
         .level = waiting.empty() ? Finding::Level::warning : Finding::Level::error,
         .problem = {.message = fmt::format("the server's {} unknown: {}", fmt::join(unknown, " and "),
                                            waiting.empty()
                                                ? "what depends on it is left out"
                                                : fmt::format("{} cannot be said", fmt::join(waiting, ", "))),
                     .where = unresolved_.empty() ? Source{} : unresolved_.front()->where,
                     .hint = "[server] memory = \"8GB\" and cpus = 4, or --memory and --cpus"}});
  }

  void note_hidden(Tuned& tuned) const {
    for (const WantedSetting* one : hidden_)
      tuned.findings.push_back(
          {.rule = "setting-from-environment",
           .level = Finding::Level::warning,
           .problem = {.message = fmt::format(
                           "{} is left out: its value comes from the environment, and no output shows "
                           "such a value",
                           one->name),
                       .where = one->where,
                       .hint = "write it into a file of the server's by other means"}});
  }

  void note_unknown_disk(Tuned& tuned) const {
    if (facts_.disk || wanted_.count("random_page_cost") > 0) return;
    tuned.findings.push_back(
        {.rule = "unknown-disk",
         .level = Finding::Level::note,
         .problem = {.message = "nobody said what disk the data is on: what reading costs is left as "
                                "it is for disks that turn",
                     .where = {},
                     .hint = "[server] disk = \"ssd\", or --disk"}});
  }

  /// A parallel hash join shares its table, for which each process of it may take as much as for one of its
  /// own (PG docs 20.4, hash_mem_multiplier); containers have 64 MB by default.
  void note_shared_memory(Tuned& tuned) const {
    const double together = sizing_.bytes("work_mem") * std::max(1.0, sizing_.number("hash_mem_multiplier")) *
                            (1 + sizing_.number("max_parallel_workers_per_gather"));
    if (!facts_.shared_memory || static_cast<double>(*facts_.shared_memory) >= together) return;
    tuned.findings.push_back(
        {.rule = "small-shared-memory",
         .level = Finding::Level::warning,
         .problem = {
             .message =
                 fmt::format("a parallel hash join may share {}, and /dev/shm has {}: such queries fail",
                             people(together), people(static_cast<double>(*facts_.shared_memory))),
             .where = {},
             .hint =
                 "more for the container (docker run --shm-size), or max_parallel_workers_per_gather = 0"}});
  }

  std::string way_out_of_budget() const {
    constexpr double standard = 4 * megabyte;
    if (const double fits = affordable_work_mem(sizing_); fits >= standard)
      return fmt::format("with work_mem = {} all of it fits", size_text(fits));
    const double connections = affordable_connections(sizing_);
    if (connections >= 10)
      return fmt::format("with max_connections = {:.0f} and a pooler in front all of it fits",
                         std::floor(connections));
    return "fewer connections and a pooler in front, or more memory";
  }

  void note_budget(Tuned& tuned) const {
    if (tuned.budget.empty() || total(tuned.budget) <= sizing_.memory()) return;
    std::vector<std::string> items;
    for (const BudgetItem& item : tuned.budget)
      items.push_back(fmt::format("{} {}{}", item.what, people(item.bytes),
                                  item.arithmetic.empty() ? "" : fmt::format(" ({})", item.arithmetic)));
    tuned.findings.push_back(
        {.rule = "memory-budget",
         .level = wanted_.empty() ? Finding::Level::note : Finding::Level::warning,
         .problem = {.message = fmt::format("together {} of {}: {}", people(total(tuned.budget)),
                                            people(sizing_.memory()), fmt::join(items, "; ")),
                     .where = first_place("work_mem"),
                     .hint = way_out_of_budget()}});
  }

  /// Who tunes autovacuum for dead rows has forgotten the tables that only grow.
  void note_insert(Tuned& tuned) const {
    constexpr std::string_view insert = "autovacuum_vacuum_insert_scale_factor";
    if (wanted_.count("autovacuum_vacuum_scale_factor") == 0 || wanted_.count(insert) > 0) return;
    const double factor = sizing_.number(insert);
    constexpr double rows = 100'000'000;
    tuned.findings.push_back(
        {.rule = "insert-vacuum-missing",
         .level = factor < 0.2 ? Finding::Level::note : Finding::Level::warning,
         .problem = {
             .message = fmt::format(
                 "autovacuum_vacuum_scale_factor counts dead rows, of which a table that only grows has "
                 "none: "
                 "{} alone vacuums it, by default after {:.3g} M new rows of {:.0f} M{}",
                 insert, rows * 0.2 / 1'000'000, rows / 1'000'000,
                 factor < 0.2 ? fmt::format(", as kdb adds it after {:.3g} M", rows * factor / 1'000'000)
                              : ""),
             .where = first_place("autovacuum_vacuum_scale_factor"),
             .hint = fmt::format("[server.settings] {} = 0.05", insert)}});
  }

  const TuningFacts& facts_;
  Sizing sizing_;
  std::map<std::string, WantedSetting, std::less<>> wanted_;
  std::map<std::string, Advice, std::less<>> advices_;
  std::vector<const WantedSetting*> unresolved_;
  std::vector<const WantedSetting*> hidden_;
  std::vector<Problem> problems_;
};

}  // namespace

Tuned tune(const TuningFacts& facts, const std::vector<WantedSetting>& wanted, const SettingLookup& lookup) {
  Tuner tuner(facts, lookup);
  tuner.take(wanted);
  tuner.advise();
  return tuner.finish();
}

}  // namespace kdb
