#pragma once

#include <string>

namespace kdb {

/// A file as it was read.
struct SourceText {
  std::string file;  // as messages name it
  std::string text;
};

}  // namespace kdb
