#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "files/migrations.hpp"
#include "files/toml.hpp"

namespace kdb::files {

/// What every reader of profile values shares.
struct ReadContext {
  const Environment& environment;
  bool url_needed = true;
  std::vector<Problem> problems;
  /// Where each table was last seen, by its name in messages: for checks across keys and files.
  std::map<std::string, Source> tables;
};

/// A value and what messages call it: `[connection] retry.initial`.
struct Field {
  const TomlValue& value;
  std::string name;
  /// Whether its `${NAME}` is expanded: only where no report, statement or error ever shows the value. A
  /// profile may come from a stranger's pull request, and could print any variable that CI keeps otherwise.
  bool expands = false;
};

/// Adds a problem at the field: `<name> <message>`.
void report(ReadContext& context, const Field& field, std::string_view message, std::string hint = {});

/// A string with its `${NAME}` expanded where the field expands, and `$${` made `${`. Nothing (and a problem)
/// for another type, a `${NAME}` elsewhere, or (unless the value is overridden) an unset variable.
std::optional<std::string> read_text(ReadContext& context, const Field& field);

/// The same for a string that may not be empty.
std::optional<std::string> read_name(ReadContext& context, const Field& field);

/// The same for the name of a schema or role, exactly as the catalog has it: at most 63 bytes.
std::optional<std::string> read_identifier(ReadContext& context, const Field& field);

/// A duration with a unit such as "10s", at least `minimum`. Only 0 may be written without a unit.
std::optional<std::chrono::milliseconds> read_duration(
    ReadContext& context, const Field& field,
    std::chrono::milliseconds minimum = std::chrono::milliseconds(0));

/// A size such as "16MB", or an integer of bytes; not 0.
std::optional<std::uint64_t> read_bytes(ReadContext& context, const Field& field);

std::optional<std::int64_t> read_integer(ReadContext& context, const Field& field, std::int64_t minimum,
                                         std::int64_t maximum);

std::optional<double> read_number(ReadContext& context, const Field& field, double minimum, double maximum);

/// A string, a number or a boolean, as text: what a parameter of the server is set to.
std::optional<std::string> read_scalar(ReadContext& context, const Field& field);

/// One of `words`, as its index.
std::optional<size_t> read_word(ReadContext& context, const Field& field,
                                const std::vector<std::string_view>& words);

/// A key of a table and how its value gets into T.
template <class T>
struct Key {
  std::string_view name;
  void (*read)(ReadContext& context, const Field& field, T& target);
};

/// The members of a field that must be a table (nothing, and a problem, if it is none).
const std::vector<TomlMember>* read_members(ReadContext& context, const Field& field);

void report_unknown_key(ReadContext& context, const TomlMember& member, const std::string& table,
                        const std::vector<std::string_view>& known);

/// Reads a table by its keys into `target`; unknown keys are problems. `prefix` comes before a key's name in
/// messages: `[connection] ` or `[connection] retry.`.
template <class T>
void read_table(ReadContext& context, const Field& field, const std::string& prefix,
                std::span<const Key<T>> keys, T& target) {
  const auto* members = read_members(context, field);
  if (members == nullptr) return;
  for (const TomlMember& member : *members) {
    const Key<T>* found = nullptr;
    for (const Key<T>& key : keys) {
      if (key.name == member.key) found = &key;
    }
    if (found != nullptr) {
      found->read(context, {member.value, prefix + member.key, field.expands}, target);
      continue;
    }
    std::vector<std::string_view> known;
    for (const Key<T>& key : keys) known.push_back(key.name);
    report_unknown_key(context, member, field.name, known);
  }
}

}  // namespace kdb::files
