// The functions that kernels use, as overloads on vectors of floats and of doubles: exp, expm1,
// log, log1p, tanh, sigmoid, softplus, log_sigmoid, erf, erfc, gelu, silu, and those of the headers
// on powers, trigonometry, its inverses and hyperbolic functions. The float forms of exp, expm1,
// log, log1p, tanh, sigmoid, softplus, silu and erf are in math-float-inl.h; the others widen,
// evaluate in double and round once. The *_for<T> forms stay in double, accurate enough for T, for
// fused kernels.
#pragma once

#include "kernels/math-arc-inl.h"
#include "kernels/math-erf-inl.h"
#include "kernels/math-exp-inl.h"
#include "kernels/math-float-inl.h"
#include "kernels/math-hyperbolic-inl.h"
#include "kernels/math-log-inl.h"
#include "kernels/math-power-inl.h"
#include "kernels/math-trig-inl.h"
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
FUSEGRAD_DOUBLE_MATH(silu)

#define FUSEGRAD_MATH_IN_DOUBLE(name)                                              \
  FUSEGRAD_DOUBLE_MATH(name)                                                       \
  FUSEGRAD_INLINE VF name(VF x) {                                                  \
    return narrow(name##_for<float>(widen_lo(x)), name##_for<float>(widen_hi(x))); \
  }
FUSEGRAD_MATH_IN_DOUBLE(erfc)
FUSEGRAD_MATH_IN_DOUBLE(gelu)
FUSEGRAD_MATH_IN_DOUBLE(exp2)
FUSEGRAD_MATH_IN_DOUBLE(log2)
FUSEGRAD_MATH_IN_DOUBLE(log10)
FUSEGRAD_MATH_IN_DOUBLE(cbrt)
FUSEGRAD_MATH_IN_DOUBLE(sin)
FUSEGRAD_MATH_IN_DOUBLE(cos)
FUSEGRAD_MATH_IN_DOUBLE(tan)
FUSEGRAD_MATH_IN_DOUBLE(arcsin)
FUSEGRAD_MATH_IN_DOUBLE(arccos)
FUSEGRAD_MATH_IN_DOUBLE(arctan)
FUSEGRAD_MATH_IN_DOUBLE(sinh)
FUSEGRAD_MATH_IN_DOUBLE(cosh)
FUSEGRAD_MATH_IN_DOUBLE(arcsinh)
FUSEGRAD_MATH_IN_DOUBLE(arccosh)
FUSEGRAD_MATH_IN_DOUBLE(arctanh)
#undef FUSEGRAD_MATH_IN_DOUBLE
#undef FUSEGRAD_DOUBLE_MATH

#define FUSEGRAD_MATH_IN_DOUBLE(name)                                      \
  FUSEGRAD_INLINE VD name(VD x, VD y) { return name##_for<double>(x, y); } \
  FUSEGRAD_INLINE VF name(VF x, VF y) {                                    \
    return narrow(name##_for<float>(widen_lo(x), widen_lo(y)),             \
                  name##_for<float>(widen_hi(x), widen_hi(y)));            \
  }
FUSEGRAD_MATH_IN_DOUBLE(power)
FUSEGRAD_MATH_IN_DOUBLE(arctan2)
FUSEGRAD_MATH_IN_DOUBLE(hypot)
FUSEGRAD_MATH_IN_DOUBLE(logaddexp)
#undef FUSEGRAD_MATH_IN_DOUBLE

FUSEGRAD_INLINE VD log_sigmoid(VD x) { return -softplus(-x); }
FUSEGRAD_INLINE VF log_sigmoid(VF x) { return -softplus(-x); }

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
