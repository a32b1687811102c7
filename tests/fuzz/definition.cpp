// What a server prints of its objects: whatever it is, it is cut without a crash, and into pieces of itself.
#include "kinds/definition.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kinds/index.hpp"
#include "kinds/row.hpp"

namespace {

/// Each piece stands in the text, behind the piece before it.
void require_in_order(std::string_view text, const std::vector<kdb::Fragment>& pieces) {
  for (const kdb::Fragment& piece : pieces) {
    const size_t at = text.find(piece.sql);
    if (at == std::string_view::npos) std::abort();
    text.remove_prefix(at + piece.sql.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  kdb::Index index;
  kdb::cut_definition(text, index);
  require_in_order(text, index.columns);
  require_in_order(text, index.include);
  require_in_order(text, kdb::Cutter(text).bare_list());
  if (text.find(kdb::without_parentheses(text)) == std::string_view::npos) std::abort();
  for (const std::string& element : kdb::read_array(text))
    if (element.size() > size) std::abort();
  return 0;
}
