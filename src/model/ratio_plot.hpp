#pragma once

#include <string>
#include <vector>

namespace kdb {

/// How much became of each of several things, each held against what it was: 1 is as before.
struct RatioPlot {
  struct Point {
    std::string series;  // "profiles/recommended.toml"
    double ratio = 1;
    double low = 1;  // the interval that it is known to be in; as the ratio where it is exact
    double high = 1;
    std::string word;    // "better"; empty where nothing is judged
    std::string detail;  // "38 ms where it was 0.9 ms"
  };
  struct Row {
    std::string label;
    std::vector<Point> points;
  };
  std::string title;
  std::string caption;  // what 1 is, and which side is better
  std::vector<Row> rows;
};

}  // namespace kdb
