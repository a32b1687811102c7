#pragma once

#include <iostream>
#include <string>

#include <doctest/doctest.h>

namespace kdb::test {

/// Says that the running case cannot be shown here; it must return then. tests/db/run counts these lines.
inline void skip(const std::string& reason) {
  std::cout << "kdb: skipped: " << doctest::getContextOptions()->currentTest->m_name << ": " << reason
            << std::endl;
}

}  // namespace kdb::test
