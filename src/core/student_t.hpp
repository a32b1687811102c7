#pragma once

namespace kdb {

/// Student's t distribution with `freedom` degrees of freedom (at least 1; less counts as 1), by the finite
/// sums for whole degrees: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
/// Good to 1e-14 absolute, far below any level that is decided by.

/// The probability of a value at least as far from 0 as `t`, on either side.
double student_t_two_sided(double t, int freedom);

/// The value that is exceeded, on either side together, with the probability `level` (over 0, at most 1;
/// below 1e-12 counts as that).
double student_t_critical(double level, int freedom);

}  // namespace kdb
