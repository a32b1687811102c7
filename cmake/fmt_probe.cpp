// Links only if cmake/fmt.cpp brings all of libfmt that a program needs.
#include <fmt/format.h>

int main(int argc, char**) {
  return fmt::format("{} {:.3f} {:>8}", argc, 1.5 * argc, "text").empty() ? 1 : 0;
}
