#pragma once

#include <chrono>

namespace kdb {

/// `[connection] pool` of a profile: how many connections there are, and for how long.
struct PoolSettings {
  int min = 0;             // kept open even when nobody needs them
  int max = 10;            // open, being opened and being closed together
  int max_connecting = 4;  // opened at the same time: a server that comes back is not stormed
  std::chrono::milliseconds idle_timeout{600'000};   // unused for longer: closed, down to `min`; 0: never
  std::chrono::milliseconds lifetime{1'800'000};     // ± 10 %, so that not all end at once; 0: for ever
  std::chrono::milliseconds connect_timeout{5'000};  // of one attempt, whatever the URL says
  std::chrono::milliseconds leak_after{300'000};     // held for longer: a warning, once; 0: none
  std::chrono::milliseconds check_after{1'000};      // unused for longer: asked whether it lives, before use
  std::chrono::milliseconds check_timeout{2'000};    // of that question, and of tidying up after use

  bool operator==(const PoolSettings&) const = default;
};

}  // namespace kdb
