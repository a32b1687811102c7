#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kinds/row.hpp"
#include "model/change.hpp"
#include "model/facts.hpp"
#include "model/object.hpp"

namespace kdb {

template <class T>
struct Difference;
class Surroundings;

/// How the server takes a changed setting.
struct SettingEffect {
  bool needs_restart = false;
};

/// A setting of the whole server as its files have it: postgresql.auto.conf wins over the others. It is
/// there without anybody's making, and what no profile declares is left as it is.
struct Setting {
  static constexpr std::string_view section = "server.settings";  // read with the rest of [server]
  static constexpr std::string_view word = "setting";
  static constexpr bool is_whole = false;
  static constexpr bool made_elsewhere = true;
  static constexpr size_t rank = 6;  // a library that it preloads may be an extension's
  using Facts = SettingEffect;

  ObjectName name;    // in no schema
  std::string value;  // as people write it: `64MB`

  /// Nothing: of what runs, what the files say, and for whom, no one query tells; pg/settings does.
  static std::string catalog_query(const ServerFacts&) { return {}; }
  static bool vanished(const Row&) { return false; }
  static Setting read(const Row&) { return {}; }
  static SettingEffect read_facts(const Row&) { return {}; }

  bool operator==(const Setting&) const = default;
};

/// As for an index: each field once.
template <class Visitor, class... S>
requires all_are<Setting, S...>
void fields(Visitor&& visit, S&... setting) { visit("value", setting.value...); }

inline bool operator<(const Setting& a, const Setting& b) { return a.name < b.name; }

inline bool counts(const Setting&) { return false; }
inline std::string key_of(const Setting& setting, std::string_view) { return setting.name.name; }
inline std::vector<std::string> remarks(const Setting&, const SettingEffect&) { return {}; }
inline std::vector<std::pair<std::string, std::string>> check(const Setting&) { return {}; }

/// ALTER SYSTEM, which runs in no transaction. It takes effect when the server reads its files again.
std::vector<ChangeStep> steps(const Difference<Setting>& difference, const Surroundings& around);

}  // namespace kdb
