// The framework itself, once for both test programs.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
