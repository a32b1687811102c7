#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdb {

/// How the server reads a setting's value: columns of pg_settings.
struct SettingType {
  std::string vartype;  // bool, integer, real, string, enum; empty: nobody knows it, and it is a text
  std::string unit;     // of a bare number: `8kB`, `ms`; empty where it has none
  double least = 0;     // of a number, in the unit
  double most = 0;
  std::vector<std::string> choices;  // of an enum, but for some that the server takes and does not show

  bool operator==(const SettingType&) const = default;
};

/// A boolean as the server reads it: any beginning of true, false, yes, no that is one, on, of(f), 1, 0, in
/// any case. -- PG docs 20.1.1; parse_bool_with_len()
std::optional<bool> setting_boolean(std::string_view text);

/// What the server keeps of a number with or without a unit, in the setting's own unit: `0.5GB` is 65536 to a
/// setting of 8kB. An integer is rounded to the nearest, half to even; hexadecimal, octal and exponents are
/// read. Nothing for what the server refuses: another unit, which has its case, garbage, too much for an
/// int. Bounds are not looked at. -- parse_int(), parse_real(), convert_to_base_unit() of guc.c, 14 to 18
std::optional<double> setting_number(const std::string& text, const SettingType& type);

/// What is wrong with a value, said behind the setting's name; empty where the server would take it, or may:
/// it does not tell all words that an enum can be.
std::string setting_problem(const SettingType& type, const std::string& value);

/// A number of a setting as people write it, with the largest unit that it is a whole number of: `64MB`.
std::string setting_text(double number, const SettingType& type);

/// A value as people write it: a number with its unit, a boolean as on or off. Any other stays.
std::string shown_setting(const std::string& value, const SettingType& type);

/// Whether its value may be a password, or have one in it: nobody but a superuser is shown it
/// (GUC_SUPERUSER_ONLY), and kdb shows and keeps none.
bool may_hold_password(std::string_view setting);

/// Whether the setting is a list of names, which are quoted one by one (GUC_LIST_QUOTE; pg_dump keeps the
/// same list, for the catalog does not tell).
bool is_setting_list(std::string_view setting);

/// The names of such a list as the server reads them: outside of quotes in lower case where they are names of
/// schemas or tablespaces. An empty list has one empty name, as the server keeps it. Nothing where a quote
/// does not end, or a name is missing between commas.
std::optional<std::vector<std::string>> setting_list(std::string_view setting, std::string_view value);

/// Whether two values of a setting are one to the server.
bool same_setting(std::string_view setting, const SettingType& type, const std::string& a,
                  const std::string& b);

/// What stands behind `SET name TO`: a literal, or those of a list. A list that cannot be read is one name.
std::string setting_sql(std::string_view setting, std::string_view value);

/// Why ALTER SYSTEM must not set this value, said behind its name; empty where it may. It keeps an empty list
/// as one empty name: of what is searched that does nothing, but with a library of that name the server does
/// not start, or lets nobody in (15).
std::string_view alter_system_problem(std::string_view setting, std::string_view value);

/// A setting's name in SQL, quoted part by part: `"timescaledb"."max_background_workers"`.
std::string setting_name_sql(std::string_view setting);

}  // namespace kdb
