#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "model/setting.hpp"
#include "model/tuning.hpp"

namespace kdb {

/// What is known of a setting, by its name in any case; null where there is none of that name.
using SettingLookup = std::function<const SettingFacts*(std::string_view)>;

/// The machine and the values chosen so far: what rules compute with.
class Sizing {
 public:
  Sizing(const TuningFacts& known, SettingLookup lookup) : facts(known), lookup_(std::move(lookup)) {}

  const TuningFacts& facts;

  const SettingFacts* find(std::string_view name) const { return lookup_(name); }
  void choose(const std::string& name, const std::string& value) { chosen_[name] = value; }

  bool is(Workload workload) const { return facts.workload.value == workload; }
  /// Bytes; call it where the memory is known.
  double memory() const { return static_cast<double>(facts.memory.value().value); }
  /// CPUs as processes can use them: half a one is one. Call it where they are known.
  int cpus() const;
  /// Whether a server was asked, and so its build is known.
  bool is_asked() const { return !facts.current.empty(); }
  /// What the server has, in the setting's unit; 0 where none was asked.
  double current(std::string_view name) const;
  double current_bytes(std::string_view name) const;
  /// Whether a server that was asked has another value than the default.
  bool is_set(std::string_view name) const;
  /// The value chosen for a setting, or the server's, or the default, in the setting's unit; 0 where nothing
  /// is known.
  double number(std::string_view name) const;
  /// The same in bytes, of a setting that counts memory.
  double bytes(std::string_view name) const;
  bool is_on(std::string_view name) const;
  /// Whether the value chosen is the server's default.
  bool is_default(std::string_view name) const;
  /// The same as people write it: `64MB`.
  std::string text(std::string_view name) const;
  /// The default as people write it.
  std::string default_text(std::string_view name) const;

 private:
  double unit_bytes(std::string_view name) const;
  std::string value_of(std::string_view name) const;

  SettingLookup lookup_;
  std::map<std::string, std::string, std::less<>> chosen_;
};

inline constexpr double megabyte = 1024.0 * 1024;
inline constexpr double gigabyte = 1024 * megabyte;

/// Bytes for people: `8 GB`.
std::string people(double bytes);

/// A setting's number of bytes as postgresql.conf has it, rounded down to whole MB from 1 MB on.
std::string size_text(double bytes);

}  // namespace kdb
