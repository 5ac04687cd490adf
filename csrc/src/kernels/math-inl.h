// The functions that kernels use, as overloads on vectors of floats and of doubles: exp, expm1,
// log, log1p, tanh, sigmoid, softplus, log_sigmoid, erf, erfc, gelu, silu, power. The float forms
// are in math-float-inl.h; those of erfc, gelu and power widen, evaluate in double and round once.
// The *_for<T> forms stay in double, accurate enough for T, for fused kernels.
#pragma once

#include "kernels/double-double-inl.h"
#include "kernels/math-erf-inl.h"
#include "kernels/math-exp-inl.h"
#include "kernels/math-float-inl.h"
#include "kernels/math-log-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// tanh x = -t / (2 + t) with t = e^(-2|x|) - 1: no overflow, odd, 0 and subnormals exact. The
// double form takes the rounding error of 2 + t out of the quotient, with 1 / (2 + t) to 7 %.
template <class T>
FUSEGRAD_INLINE VD tanh_for(VD x) {
  const VD t = expm1_for<T>(-2.0 * abs(x));
  const VD den = 2.0 + t;
  VD q = t / den;
  if constexpr (sizeof(T) == 8) q = q - q * (t - (den - 2.0)) * (1.457 - 0.4857 * den);
  return copysign(q, x);
}

// a / (1 + e) for 0 <= e <= 1; the double form corrects like tanh.
template <class T>
FUSEGRAD_INLINE VD over_one_plus(VD a, VD e) {
  const VD den = 1.0 + e;
  VD q = a / den;
  if constexpr (sizeof(T) == 8) q = q - q * (e - (den - 1.0)) * (1.457 - 0.4857 * den);
  return q;
}

// With e = exp(-|x|): 1 / (1 + e) for x >= 0, e / (1 + e) below. No cancellation on either side.
template <class T>
FUSEGRAD_INLINE VD sigmoid_for(VD x) {
  const VD e = exp_for<T>(-abs(x));
  return over_one_plus<T>(select(x >= 0.0, set1(1.0), e), e);
}

// With e = exp(-|x|): x / (1 + e) for x >= 0, x e / (1 + e) below, both 0 long before |x| = 770.
template <class T>
FUSEGRAD_INLINE VD silu_for(VD x) {
  const VD a = bounded_abs(x, 770.0);
  const VD e = exp_below<T>(-a, VD{});
  if constexpr (sizeof(T) == 4) return over_one_plus<T>(select(x >= 0.0, x, -(a * e)), e);
  const VD below = exp_quotient<T>(-a, VD{}, {set1(1.0), VD{}}, fast_two_sum(set1(1.0), e), a);
  const VD above = select(x > a, x, over_one_plus<T>(a, e));
  return copysign(select(x >= 0.0, above, below), x);
}

// dy silu'(x) = dy s (1 + x (1 - s)) with s = sigmoid(x)
template <class T>
FUSEGRAD_INLINE VD silu_grad_for(VD dy, VD x) {
  const VD a = bounded_abs(x, 770.0);
  const VD e = exp_below<T>(-a, VD{});
  const VD large = over_one_plus<T>(set1(1.0), e);
  const VD small = over_one_plus<T>(e, e);
  const VD above = large * (1.0 + a * small);
  const VD below =
      exp_quotient<T>(-a, VD{}, {set1(1.0), VD{}}, fast_two_sum(set1(1.0), e), 1.0 - a * large);
  return dy * select(x >= 0.0, above, below);
}

// x for x > 0, alpha (e^x - 1) below.
template <class T>
FUSEGRAD_INLINE VD elu_for(VD x, VD alpha) {
  return select(x > 0.0, x, alpha * expm1_for<T>(x));
}

// max(x, 0) + log1p(exp(-|x|)). relu carries NaN through.
template <class T>
FUSEGRAD_INLINE VD softplus_for(VD x) {
  return relu(x) + log1p_unit_for<T>(exp_for<T>(-abs(x)));
}

// ---- power -----------------------------------------------------------------------------------

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

// ---- overloads -------------------------------------------------------------------------------

#define FUSEGRAD_DOUBLE_MATH(name) \
  FUSEGRAD_INLINE VD name(VD x) { return name##_for<double>(x); }
FUSEGRAD_DOUBLE_MATH(exp)
FUSEGRAD_DOUBLE_MATH(expm1)
FUSEGRAD_DOUBLE_MATH(log)
FUSEGRAD_DOUBLE_MATH(log1p)
FUSEGRAD_DOUBLE_MATH(tanh)
FUSEGRAD_DOUBLE_MATH(sigmoid)
FUSEGRAD_DOUBLE_MATH(softplus)
FUSEGRAD_DOUBLE_MATH(erf)
FUSEGRAD_DOUBLE_MATH(erfc)
FUSEGRAD_DOUBLE_MATH(gelu)
FUSEGRAD_DOUBLE_MATH(silu)
#undef FUSEGRAD_DOUBLE_MATH

#define FUSEGRAD_MATH_IN_DOUBLE(name)                                              \
  FUSEGRAD_INLINE VF name(VF x) {                                                  \
    return narrow(name##_for<float>(widen_lo(x)), name##_for<float>(widen_hi(x))); \
  }
FUSEGRAD_MATH_IN_DOUBLE(erfc)
FUSEGRAD_MATH_IN_DOUBLE(gelu)
#undef FUSEGRAD_MATH_IN_DOUBLE

FUSEGRAD_INLINE VD log_sigmoid(VD x) { return -softplus(-x); }
FUSEGRAD_INLINE VF log_sigmoid(VF x) { return -softplus(-x); }
FUSEGRAD_INLINE VD power(VD x, VD y) { return power_for<double>(x, y); }
FUSEGRAD_INLINE VF power(VF x, VF y) {
  return narrow(power_for<float>(widen_lo(x), widen_lo(y)),
                power_for<float>(widen_hi(x), widen_hi(y)));
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
