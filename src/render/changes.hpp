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
