#include "core/student_t.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kdb {

double student_t_two_sided(double t, int freedom) {
  freedom = std::max(freedom, 1);
  const double angle = std::atan(std::abs(t) / std::sqrt(static_cast<double>(freedom)));
  const double cosine = std::cos(angle);
  const bool odd = freedom % 2 == 1;
  // Odd: cos + 2/3 cos^3 + 2·4/(3·5) cos^5 + …; even: 1 + 1/2 cos^2 + 1·3/(2·4) cos^4 + …
  double term = odd ? cosine : 1;
  double sum = freedom == 1 ? 0 : term;
  for (int power = odd ? 3 : 2; power <= freedom - 2; power += 2) {
    term *= cosine * cosine * (power - 1) / power;
    sum += term;
  }
  const double inside = odd ? 2 / std::numbers::pi * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
  return std::clamp(1 - inside, 0.0, 1.0);
}

double student_t_critical(double level, int freedom) {
  level = std::clamp(level, 1e-12, 1.0);
  double low = 0;
  double high = 1;
  while (student_t_two_sided(high, freedom) > level && high < 1e15) high *= 2;
  for (int step = 0; step < 100 && high - low > 1e-12 * high; ++step) {
    const double middle = (low + high) / 2;
    (student_t_two_sided(middle, freedom) > level ? low : high) = middle;
  }
  return high;
}

}  // namespace kdb
