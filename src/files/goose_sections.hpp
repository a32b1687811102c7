#pragma once

#include <string_view>

#include "files/layouts.hpp"

namespace kdb::files {

/// Whether a line is `-- +goose Up`.
bool has_goose_directive(std::string_view contents);

/// Takes a goose file apart: Up, Down, NO TRANSACTION, StatementBegin/End, ENVSUB ON/OFF.
void parse_goose(const ParseInput& input, Migration& migration);

}  // namespace kdb::files
