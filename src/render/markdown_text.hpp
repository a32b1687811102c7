#pragma once

#include <string>
#include <string_view>

namespace kdb::render {

/// Text in which nothing is markup, on one line (GitHub Flavored Markdown 2.4: any ASCII punctuation may be
/// escaped).
std::string plain(std::string_view text);

/// Text between tags.
std::string html(std::string_view text);

/// A code span. A `|` would end the cell of a table even there, and cannot be escaped behind a backslash.
std::string code(std::string_view text);

std::string code_block(std::string_view language, std::string_view text);

/// What is shown once its summary, which is HTML, is clicked on.
std::string folded(std::string_view summary, std::string_view body);

}  // namespace kdb::render
