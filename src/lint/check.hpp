#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lint/input.hpp"
#include "lint/rules.hpp"
#include "model/report.hpp"

namespace kdb::lint {

struct Judgement {
  std::vector<Finding> findings;              // by file in the order in which they run, then by place
  size_t suppressed = 0;                      // by comments
  std::vector<std::string_view> not_checked;  // rules that lack an input
};

/// Applies every rule that has what it needs.
Judgement check(const Input& input);

/// A rule as reports have it.
FindingRule describe(const Rule& rule);

/// Paragraphs for people: what the rule finds, why, the lock, and the safe way.
std::string explanation(const Rule& rule);

}  // namespace kdb::lint
