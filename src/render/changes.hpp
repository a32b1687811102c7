#pragma once

#include <string>
#include <vector>

#include "model/change.hpp"
#include "render/formats.hpp"
#include "render/paint.hpp"

namespace kdb::render {

/// A line or two for every change: what, and why.
std::string change_list(const std::vector<Change>& changes, const Painter& paint);

/// What runs for every change, statement by statement.
std::string change_steps(const std::vector<Change>& changes, const Style& style);

/// The same as a script for psql.
std::string change_sql(const std::vector<Change>& changes, const Style& style);

/// A step that people are shown, and how often what lies between the one before and it is not: the same for
/// another part of the table each time.
struct ShownStep {
  size_t at = 0;
  size_t left_out = 0;

  bool operator==(const ShownStep&) const = default;
};

/// All steps but the middle of long runs: of a table's parts the first and the last stand for all.
std::vector<ShownStep> shown_steps(const std::vector<ChangeStep>& steps);

/// `… and the same for 1998 more: …`.
std::string left_out_text(size_t number);

/// `in one transaction`, `outside of a transaction` … of steps[at], which begins something new; empty for one
/// that goes on in the transaction of the step before.
std::string_view boundary(const std::vector<ChangeStep>& steps, size_t at);

/// What begins at steps[at], with the strongest lock of it: `in one transaction; SHARE on events blocks
/// writes`. Empty where nothing does.
std::string boundary_text(const std::vector<ChangeStep>& steps, size_t at);

/// `index idx_old on events`, as it is.
std::string subject(const Change& change);

/// `INDEX_DROPPED: drops idx_old`; empty where a statement before has said it.
std::string hazard_text(const Hazard& hazard);

/// What `--allow` has to name: `INDEX_DROPPED:idx_old`.
std::string allowance_of(const Hazard& hazard);

/// `about 5.0 M rows, 1.9 GB`; empty where nothing is known.
std::string size_text(const Estimate& estimate);

}  // namespace kdb::render
