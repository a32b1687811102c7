#include "render/changes.hpp"

#include <array>

#include <fmt/format.h>

#include "base/text.hpp"

namespace kdb::render {

namespace {

std::string_view colour_of(Action action) {
  switch (action) {
    case Action::run:
      return cyan;
    case Action::create:
      return green;
    case Action::alter:
    case Action::replace:
    case Action::rename:
    case Action::repair:
      return yellow;
    case Action::drop:
      return red;
  }
  return {};
}

std::string title(const Change& change) { return printable_line(subject(change)); }

std::string value_text(const std::string& value) { return value.empty() ? "not set" : printable_line(value); }

/// The statement with every line moved in.
std::string indented(std::string_view sql, std::string_view margin) {
  std::string text;
  for (const std::string_view line : split(sql, '\n')) text += fmt::format("{}{}\n", margin, line);
  return text;
}

/// A number of rows by its greatest unit.
std::string rounded(double number) {
  constexpr std::array<std::string_view, 5> units = {"", " thousand", " million", " billion", " trillion"};
  size_t unit = 0;
  for (; number >= 1000 && unit + 1 < units.size(); ++unit) number /= 1000;
  return unit == 0 ? fmt::format("{:.0f}", number)
                   : fmt::format("{:.{}f}{}", number, number < 10 ? 1 : 0, units[unit]);
}

/// A time span by its greatest unit, as nobody knows it better.
std::string rough(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  if (seconds < 90 * 60) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.0f} h", seconds / 3600);
}

/// The strongest lock of the transaction that begins with steps[at], or of the one statement outside of any.
Lock strongest_lock(const std::vector<ChangeStep>& steps, size_t at) {
  Lock strongest = steps[at].lock;
  for (size_t next = at + 1; next < steps.size() && boundary(steps, next).empty(); ++next)
    if (steps[next].lock.mode > strongest.mode) strongest = steps[next].lock;
  return strongest;
}

constexpr size_t longest_round = 3;  // steps for one part: drop what is broken, build, attach
constexpr size_t shortest_run = 5;   // parts; of fewer each is shown

/// Whether `b` does to another relation what `a` does to one, and has nothing more to say.
bool is_alike(const ChangeStep& a, const ChangeStep& b) {
  return !a.purpose.empty() && a.purpose == b.purpose && a.in_transaction == b.in_transaction &&
         a.begins == b.begins && a.lock.mode == b.lock.mode && a.lock.relation != b.lock.relation &&
         b.hazards.empty();
}

/// How often the steps from `at` on, `length` of them, are there one after the other.
size_t rounds(const std::vector<ChangeStep>& steps, size_t at, size_t length) {
  size_t end = at + length;
  while (end < steps.size() && is_alike(steps[at + (end - at) % length], steps[end])) ++end;
  return (end - at) / length;
}

/// A comment below a step's number, wrapped where there is a width for it.
std::string comment_text(const std::string& words, std::string_view colour, const Style& style) {
  constexpr std::string_view margin = "     -- ";
  const Painter paint(style.colour);
  std::string lines = printable_line(words);
  if (style.width > margin.size()) {
    lines = wrapped({}, lines, 2, style.width - margin.size());
    lines.pop_back();
  }
  std::string text;
  for (const std::string_view line : split(lines, '\n'))
    text += fmt::format("     {}\n", paint(colour, fmt::format("-- {}", line)));
  return text;
}

std::string step_text(const std::vector<ChangeStep>& steps, size_t at, const Style& style) {
  const ChangeStep& step = steps[at];
  std::string text;
  if (const std::string begin = printable_line(boundary_text(steps, at)); !begin.empty())
    text += style.width > 0 ? wrapped("   ", begin, 5, style.width) : fmt::format("   {}\n", begin);
  if (!step.purpose.empty()) text += comment_text(step.purpose, dim, style);
  for (const Hazard& hazard : step.hazards)
    if (const std::string words = hazard_text(hazard); !words.empty())
      text += comment_text(words, hazard.blocks ? red : yellow, style);
  return text + indented(printable(step.sql) + ";", "     ");
}

}  // namespace

std::vector<ShownStep> shown_steps(const std::vector<ChangeStep>& steps) {
  std::vector<ShownStep> shown;
  for (size_t at = 0; at < steps.size();) {
    size_t length = 1;
    while (length < longest_round && rounds(steps, at, length) < shortest_run) ++length;
    const size_t number = rounds(steps, at, length);
    if (number < shortest_run) length = 1;
    for (size_t step = 0; step < length; ++step) shown.push_back({at + step, 0});
    at += length;
    if (number < shortest_run) continue;
    at += length * (number - 2);
    for (size_t step = 0; step < length; ++step) shown.push_back({at + step, step == 0 ? number - 2 : 0});
    at += length;
  }
  return shown;
}

std::string left_out_text(size_t number) {
  return fmt::format("… and the same for {} more: --format json or sql shows all", number);
}

std::string size_text(const Estimate& estimate) {
  std::string text;
  if (estimate.rows) text = fmt::format("about {} rows", rounded(static_cast<double>(*estimate.rows)));
  if (estimate.bytes)
    text += fmt::format("{}{}", text.empty() ? "" : ", ",
                        human_bytes(static_cast<unsigned long long>(*estimate.bytes)));
  constexpr std::int64_t worth_saying = 1024 * 1024;
  if (estimate.disk.value_or(0) < worth_saying) return text;
  text += fmt::format("; takes up to {}", human_bytes(static_cast<unsigned long long>(*estimate.disk)));
  if (estimate.seconds.value_or(0) >= 1) text += fmt::format(" and roughly {}", rough(*estimate.seconds));
  return text;
}

std::string_view boundary(const std::vector<ChangeStep>& steps, size_t at) {
  if (!steps[at].in_transaction) return "outside of a transaction";
  const bool goes_on = at > 0 && steps[at - 1].in_transaction && !steps[at].begins;
  return goes_on ? "" : "in one transaction";
}

std::string boundary_text(const std::vector<ChangeStep>& steps, size_t at) {
  std::string text(boundary(steps, at));
  if (text.empty()) return text;
  if (const Lock lock = strongest_lock(steps, at); lock.mode != LockMode::none)
    text += fmt::format("; {} on {} blocks {}", to_string(lock.mode), lock.relation, blocked_by(lock.mode));
  return text;
}

std::string subject(const Change& change) {
  std::string text = fmt::format("{} {}", change.kind, change.object);
  if (!change.table.empty() && change.table != change.object) text += fmt::format(" on {}", change.table);
  return text;
}

std::string allowance_of(const Hazard& hazard) {
  return hazard.object.empty() ? hazard.id : fmt::format("{}:{}", hazard.id, hazard.object);
}

std::string change_list(const std::vector<Change>& changes, const Painter& paint) {
  std::string text;
  for (const Change& change : changes) {
    text += fmt::format("  {} {}\n",
                        paint(colour_of(change.action), fmt::format("{:<8}", to_string(change.action))),
                        title(change));
    const std::string where = printable_line(to_string(change.where));
    std::string why = printable_line(change.reason);
    if (!where.empty()) why += (why.empty() ? "" : " · ") + std::string(paint(dim, where));
    if (!why.empty()) text += fmt::format("           {}\n", why);
    for (const FieldChange& field : change.fields)
      text += fmt::format("           {}: {} → {}\n", printable_line(field.field), value_text(field.live),
                          value_text(field.desired));
  }
  return text;
}

std::string hazard_text(const Hazard& hazard) {
  const std::string& reason = hazard.in_text.value_or(hazard.reason);
  return reason.empty() ? "" : fmt::format("{}: {}", hazard.id, reason);
}

std::string change_steps(const std::vector<Change>& changes, const Style& style) {
  const Painter paint(style.colour);
  std::string text;
  for (size_t number = 0; number < changes.size(); ++number) {
    const Change& change = changes[number];
    const std::string size = size_text(change.estimate);
    text += fmt::format("{}{}. {} {}{}\n", number > 0 ? "\n" : "", number + 1, to_string(change.action),
                        title(change), size.empty() ? "" : fmt::format(" ({})", size));
    for (const auto& [at, left_out] : shown_steps(change.steps)) {
      if (left_out > 0) text += fmt::format("   {}\n", paint(dim, left_out_text(left_out)));
      text += step_text(change.steps, at, style);
    }
  }
  return text;
}

std::string change_sql(const std::vector<Change>& changes, const Style& style) {
  const Painter paint(style.colour);
  const auto comment = [&](const std::string& line) {
    return paint(dim, "-- " + printable_line(line)) + "\n";
  };
  std::string text;
  for (const Change& change : changes) {
    text +=
        (text.empty() ? "" : "\n") + comment(fmt::format("{} {}", to_string(change.action), title(change)));
    for (size_t at = 0; at < change.steps.size(); ++at) {
      const ChangeStep& step = change.steps[at];
      const bool begins = step.in_transaction && !boundary(change.steps, at).empty();
      const bool ends =
          step.in_transaction && (at + 1 == change.steps.size() || !change.steps[at + 1].in_transaction ||
                                  change.steps[at + 1].begins);
      for (const Hazard& hazard : step.hazards)
        if (const std::string words = hazard_text(hazard); !words.empty()) text += comment(words);
      if (begins) text += "BEGIN;\n";
      text += (style.terminal ? printable(step.sql) : step.sql) + ";\n";
      if (ends) text += "COMMIT;\n";
    }
  }
  return text;
}

}  // namespace kdb::render
