#pragma once

#include "flow/asked_server.hpp"
#include "flow/plan.hpp"

namespace kdb::flow {

/// The settings that the profile declares held against those of the server.
Compared compare_settings(const Context& context, Session& session);

/// Rendered settings held against those of the server that was asked, for ALTER SYSTEM to change.
Compared compare_lines(const Context& context, Session& session, const AskedServer& asked,
                       const std::vector<SettingLine>& lines);

}  // namespace kdb::flow
