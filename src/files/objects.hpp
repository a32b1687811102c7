#pragma once

#include <string_view>
#include <vector>

#include "files/profile_values.hpp"
#include "kinds/declared.hpp"

namespace kdb::files {

/// Reads the objects of one file, such as `[indexes.NAME]`, over those of the files before it: a later file's
/// keys win one by one. Names without a schema mean `schema`. What is wrong with single values is added to
/// the context's problems.
void read_objects(ReadContext& context, const TomlValue& root, std::string_view schema,
                  DesiredSchema& desired);

/// What is wrong with whole objects, once all files are read.
void check_objects(ReadContext& context, const DesiredSchema& desired);

/// Whether a profile's section is one of objects.
bool is_object_section(std::string_view section);
/// Adds the names of these sections.
void add_object_sections(std::vector<std::string_view>& names);

}  // namespace kdb::files
