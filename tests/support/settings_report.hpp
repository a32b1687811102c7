#pragma once

#include <string>

#include "model/report.hpp"
#include "support/settings_reader.hpp"

namespace kdb::test {

/// A setting as a server describes it.
SettingFacts setting_facts(std::string name, std::string vartype, std::string unit = "",
                           std::string context = "user");

/// What `kdb tune` might say: a setting with a verdict, one without a group, one that nobody knows.
Report settings_report();

/// What the operator, Patroni and the Ansible role make of what they are given, as their server reads it.
Settings read_cnpg(const std::string& yaml);
Settings read_patroni(const std::string& yaml);
Settings read_ansible(const std::string& yaml);

}  // namespace kdb::test
