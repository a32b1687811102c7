#pragma once

#include <string_view>
#include <vector>

#include "files/profile_values.hpp"
#include "model/query.hpp"

namespace kdb::files {

/// Reads `[queries.NAME]` of one file over those of the files before it: a later file's keys win one by one.
/// Names without a schema in what is expected mean `schema`.
void read_queries(ReadContext& context, const TomlValue& root, std::string_view schema,
                  std::vector<DeclaredQuery>& queries);

/// What is wrong with whole queries, once all files are read. Takes out those that are to be absent.
void check_queries(ReadContext& context, std::vector<DeclaredQuery>& queries);

}  // namespace kdb::files
