// Powers, roots and logarithms to other bases on vectors of doubles: power, exp2, log2, log10,
// cbrt, logaddexp, in one fixed order of operations, so that every ISA level gives the same bits.
// The
// *_for<float> forms take and give what a float holds.
#pragma once

#include "kernels/double-double-inl.h"
#include "kernels/math-exp-inl.h"
#include "kernels/math-log-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// ---- log2 and log10 -------------------------------------------------------------------------

// k unit + log(1 + f) factor, where x = 2^k (1 + f): unit is the logarithm of 2, its first 42 bits
// and the rest, factor turns natural logarithms into those of that base.
template <class T>
FUSEGRAD_INLINE VD log_to_base(VD x, double unit, double unit_tail, double factor,
                               double factor_tail) {
  if constexpr (sizeof(T) == 4) {
    const LogReduced p = log_reduce(x);
    const VD y = log_finish<float>(VD{}, p.f, VD{}) * factor + p.k * (unit + unit_tail);
    return log_limits(x, y);
  } else {
    const VI64 subnormal = x < 0x1p-1022;
    const LogReduced p = log_reduce(select(subnormal, x * 0x1p54, x));
    const VD k = p.k - select(subnormal, set1(54.0), VD{});
    // log(1 + f) = f - f^2/2 + s (f^2/2 + z log_tail), the first two as hi + lo.
    const VD f = p.f;
    const VD s = f / (2.0 + f);
    const VD z = s * s;
    const VD half = (0.5 * f) * f;
    const VD hi = f - half;
    const VD lo = ((f - hi) - half) - fma(0.5 * f, f, -half);
    const VD rest = fma(s, fma(z, log_tail<double>(z), half), lo);
    const VD part = hi * factor;
    const VD part_lo = fma(hi, set1(factor), -part) + fma(hi, set1(factor_tail), rest * factor);
    const DoubleVD sum = fast_two_sum(k * unit, part);
    return log_limits(x, sum.hi + (sum.lo + fma(k, set1(unit_tail), part_lo)));
  }
}

template <class T>
FUSEGRAD_INLINE VD log2_for(VD x) {
  return log_to_base<T>(x, 1.0, 0.0, kLog2E, 0x1.777d0ffda0d24p-56);
}

template <class T>
FUSEGRAD_INLINE VD log10_for(VD x) {
  return log_to_base<T>(x, 0x1.34413509f7800p-2, 0x1.fef311f12b358p-46, 0x1.bcb7b1526e50ep-2,
                        0x1.95355baaafad3p-57);
}

// ---- exp2 -----------------------------------------------------------------------------------

// 2^x = 2^n e^(r ln 2) with the nearest integer n, which is exact where x is one.
template <class T>
FUSEGRAD_INLINE VD exp2_for(VD x) {
  constexpr double kLn2Rest = 0x1.abc9e3b39803fp-56;  // ln 2 - kLn2
  constexpr double kBound = sizeof(T) == 4 ? 200.0 : 1100.0;
  VD clamped = select(x > kBound, set1(kBound), x);
  clamped = select(clamped < -kBound, set1(-kBound), clamped);
  const VD shifted = clamped + kRoundToInt;
  const VD n = shifted - kRoundToInt;
  const VD r = clamped - n;
  const VD head = r * kLn2;
  if constexpr (sizeof(T) == 4) {
    const VD y = 1.0 + (head + exp_rest<float>(head));
    return (VD)((VU64)y + ((VU64)shifted << 52));
  } else {
    const VD lo = fma(r, set1(kLn2), -head) + r * kLn2Rest;
    return exp_finish({n, shifted, head, exp_rest<double>(head) + fma(lo, head, lo)});
  }
}

// ---- cbrt ------------------------------------------------------------------------------------

// With |x| = 2^(3k) m and 1 <= m < 8: a cubic within 0.0053 of the root of m, two of Halley's
// steps, which leave 2/3 of the cube of an error, and the rest of m - y^3.
template <class T>
FUSEGRAD_INLINE VD cbrt_for(VD x) {
  constexpr double kThird = 0x1.5555555555555p-2;
  const VD size = abs(x);
  VI64 subnormal = {};
  if constexpr (sizeof(T) == 8) subnormal = size < 0x1p-1022;
  const VD a = select(subnormal, size * 0x1p54, size);
  const VD exponent = (VD)((VU64)bits(a) >> 52 | uint64_t{0x4330000000000000}) - (0x1p52 + 1023.0);
  // The exponent over 3, rounded down.
  const VD shifted = (exponent - 1.0) * kThird + kRoundToInt;
  const VU64 k = (VU64)shifted;
  const VD m = (VD)((VU64)bits(a) - ((k + k + k) << 52));
  VD y = polynomial(m, {0x1.5d05bp-1, 0x1.7546d4p-2, -0x1.62cbd4p-5, 0x1.2f32b2p-9});
  VD inverse = {};  // 1 / (3 m), about
  for (int i = 0; i < 2; ++i) {
    const VD cube = (y * y) * y;
    inverse = 1.0 / fma(set1(2.0), cube, m);
    y = y * (fma(set1(2.0), m, cube) * inverse);
  }
  if constexpr (sizeof(T) == 8) {
    const VD square = y * y;
    const VD cube = square * y;
    const VD cube_lo = fma(square, y, -cube) + fma(y, y, -square) * y;
    y = fma((m - cube) - cube_lo, y * inverse, y);
  }
  y = y * pow2(shifted) * select(subnormal, set1(0x1p-18), set1(1.0));
  return select((size > 0.0) & (size < kInf), copysign(y, x), x);
}

// ---- logaddexp ------------------------------------------------------------------------------

// With m the larger of x and y and d = |x - y|: m + log1p(e^-d). d takes two words, and e^-d is 0
// long before d = 746. Floats are evaluated as doubles are: m and the logarithm may cancel.
template <class T>
FUSEGRAD_INLINE VD logaddexp_for(VD x, VD y) {
  const VD m = max_nan(x, y);
  const VD other = select(m == x, y, x);
  const VD d = select(m == other, VD{}, other - m);
  const VD back = d + m;
  const VD d_lo = (other - back) + (-m - (d - back));
  // Infinite operands have no second word.
  const VD lo = select(abs(d_lo) < 1.0, d_lo, VD{});
  const VI64 counts = d > -746.0;
  const VD e = exp_below<double>(select(counts, d, set1(-746.0)), select(counts, lo, VD{}));
  return m + log1p_unit_for<double>(e);
}

// ---- power ----------------------------------------------------------------------------------

// log x to about 2^-64 for positive finite x: 2 s (1 + z/3) in two words, the rest in one.
FUSEGRAD_INLINE DoubleVD log_two_words(VD x) {
  constexpr double kThird = 0x1.5555555555555p-2;
  constexpr double kThirdTail = 0x1.5555555555555p-56;
  constexpr double kLn2Head42 = 0x1.62e42fefa3800p-1;
  constexpr double kLn2Tail42 = 0x1.ef35793c76730p-45;
  const VI64 subnormal = x < 0x1p-1022;
  const LogReduced p = log_reduce(select(subnormal, x * 0x1p54, x));
  const VD k = p.k - select(subnormal, set1(54.0), VD{});
  const VD f = p.f;
  const VD den = 2.0 + f;
  const VD den_lo = f - (den - 2.0);
  const VD s = f / den;
  const DoubleVD back = two_product(s, den);
  const VD s_lo = (((f - back.hi) - back.lo) - s * den_lo) / den;
  DoubleVD z = two_product(s, s);
  z.lo = z.lo + 2.0 * s * s_lo;
  DoubleVD third = two_product(z.hi, set1(kThird));
  third.lo = third.lo + (z.hi * kThirdTail + z.lo * kThird);
  DoubleVD cubic = two_product(s, third.hi);
  cubic.lo = cubic.lo + (s * third.lo + s_lo * third.hi);
  const VD w = z.hi;
  const VD w2 = w * w;
  const VD c01 = 0x1.9999999999999p-2 + w * 0x1.2492492492821p-2;
  const VD c23 = 0x1.c71c71c663181p-3 + w * 0x1.745d17ce071ccp-3;
  const VD c45 = 0x1.3b137b71b06fep-3 + w * 0x1.111d421ef0719p-3;
  const VD c67 = 0x1.deb602da5eea0p-4 + w * 0x1.e71822c707390p-4;
  const VD rest = (s * w2) * ((c01 + w2 * c23) + (w2 * w2) * (c45 + w2 * c67));
  const DoubleVD series = fast_two_sum(2.0 * s, 2.0 * cubic.hi);
  const VD series_lo = series.lo + (2.0 * (s_lo + cubic.lo) + rest);
  const DoubleVD sum = fast_two_sum(k * kLn2Head42, series.hi);
  return fast_two_sum(sum.hi, sum.lo + (series_lo + k * kLn2Tail42));
}

// |x|^y for x not 0, infinite or NaN.
template <class T>
FUSEGRAD_INLINE VD power_of_abs(VD a, VD y) {
  if constexpr (sizeof(T) == 4) {
    return exp_for<float>(y * log_for<double>(a));
  } else {
    // |log a| >= 2^-54 unless a is 1, so larger exponents change nothing and smaller ones cannot
    // overflow in the splitting.
    const VD bounded = select(abs(y) > 0x1p65, copysign(set1(0x1p65), y), y);
    const DoubleVD l = log_two_words(a);
    const DoubleVD p = two_product(bounded, l.hi);
    const DoubleVD q = fast_two_sum(p.hi, p.lo + bounded * l.lo);
    return exp_sum(q.hi, q.lo);
  }
}

// x^y with the special cases of IEEE 754 pow: 1^y = x^0 = 1 even for NaN, (-1)^inf = 1, a negative
// base takes integer exponents only.
template <class T>
FUSEGRAD_INLINE VD power_for(VD x, VD y) {
  const VD a = abs(x);
  const VI64 proper = (a > 0.0) & (a < kInf);
  VD r = power_of_abs<T>(select(proper, a, set1(2.0)), y);
  // 0 and infinity: the result is 0 or infinity by the sign of the exponent.
  r = select(proper, r, select((a == 0.0) == (y > 0.0), VD{}, set1(kInf)));
  r = select((a == 1.0), set1(1.0), r);

  // Rounded to an integer; doubles from 2^52 are integers already.
  const VD ay = abs(y);
  const VI64 large = ay >= 0x1p52;
  const VD whole = select(large, ay, (ay + 0x1p52) - 0x1p52);
  const VD half = ay * 0.5;
  const VD whole_half = select(half >= 0x1p52, half, (half + 0x1p52) - 0x1p52);
  const VI64 integer = whole == ay;
  const VI64 odd = integer & (whole_half != half);
  r = from_bits(bits(r) ^ (odd & sign_bit(x)));
  r = select((x < 0.0) & (a < kInf) & (integer == 0), set1(kNaN), r);

  r = select((x != x) | (y != y), x + y, r);
  return select((y == 0.0) | (x == 1.0), set1(1.0), r);
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
