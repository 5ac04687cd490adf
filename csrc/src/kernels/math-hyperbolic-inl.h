// sinh, cosh and the inverse hyperbolic functions on vectors of doubles, in one fixed order of
// operations, so that every ISA level gives the same bits. The *_for<float> forms take and give
// what a float holds. Coefficients: tools/float64_polynomials.py.
#pragma once

#include "kernels/double-double-inl.h"
#include "kernels/math-exp-inl.h"
#include "kernels/math-log-inl.h"
#include "kernels/polynomial-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// ---- sinh and cosh --------------------------------------------------------------------------

// With e^a = 2^n v: 2^(n-1) (v - w) and 2^(n-1) (v + w), where w = 2^(-2n) / v is far below the
// last digit of v from n = 60 on.
struct HalfExponentials {
  VD n, hi, lo, w;
};

// For 0 <= a <= 711.
FUSEGRAD_INLINE HalfExponentials half_exponentials(VD a) {
  const ExpReduced p = exp_reduce(a, VD{});
  const VD sum = 1.0 + p.head;
  const DoubleVD v = fast_two_sum(sum, ((1.0 - sum) + p.head) + p.rest);
  const VD m = select(p.n > 60.0, set1(60.0), p.n);
  return {p.n - 1.0, v.hi, v.lo, pow2(kRoundToInt - 2.0 * m) / v.hi};
}

template <class T>
FUSEGRAD_INLINE VD sinh_for(VD x) {
  const VD size = abs(x);
  if constexpr (sizeof(T) == 4) {
    const VD z = x * x;
    const VD near =
        fma(x * z,
            polynomial(z, {0x1.5555555577c55p-3, 0x1.111110f26bcdcp-7, 0x1.a01a251421c49p-13,
                           0x1.71cc58c0f33b5p-19, 0x1.b68fd0bf0c15ap-26}),
            x);
    const VD e = exp_for<float>(size);
    return copysign(select(size < 1.0, near, 0.5 * (e - 1.0 / e)), x);
  } else {
    const VD z = x * x;
    const VD near =
        fma(x * z,
            polynomial(z, {0x1.5555555555555p-3, 0x1.111111111117dp-7, 0x1.a01a01a00d838p-13,
                           0x1.71de3a60e19c6p-19, 0x1.ae644af273db6p-26, 0x1.612ae640f85abp-33,
                           0x1.aaa0650fda944p-41, 0x1.43c91495282fdp-48}),
            x);
    const HalfExponentials e = half_exponentials(select(size > 711.0, set1(711.0), size));
    const DoubleVD d = fast_two_sum(e.hi, -e.w);
    const VD far = scale_by_pow2(d.hi + (d.lo + e.lo), e.n);
    return copysign(select(size < 1.0, near, far), x);
  }
}

template <class T>
FUSEGRAD_INLINE VD cosh_for(VD x) {
  const VD size = abs(x);
  if constexpr (sizeof(T) == 4) {
    const VD e = exp_for<float>(size);
    return 0.5 * (e + 1.0 / e);
  } else {
    const HalfExponentials e = half_exponentials(select(size > 711.0, set1(711.0), size));
    const DoubleVD s = fast_two_sum(e.hi, e.w);
    return scale_by_pow2(s.hi + (s.lo + e.lo), e.n);
  }
}

// ---- the inverse functions ------------------------------------------------------------------

// log(1 + x + lo) for x >= 0 and a small lo, and its first digits alone for T float. x is not
// infinite.
template <class T>
FUSEGRAD_INLINE VD log1p_sum(VD x, VD lo) {
  const VD u = 1.0 + x;
  const LogReduced p = log_reduce(u);
  const VI64 direct = p.k == 0.0;
  VD c = {};
  if constexpr (sizeof(T) == 8) {
    const VD t = u - 1.0;
    c = (select(direct, VD{}, (1.0 - (u - t)) + (x - t)) + lo) / u;
  }
  return log_finish<T>(p.k, select(direct, x, p.f), c);
}

// log(2 x) for a positive normal x.
template <class T>
FUSEGRAD_INLINE VD log_twice(VD x) {
  const LogReduced p = log_reduce(x);
  return log_finish<T>(p.k + 1.0, p.f, VD{});
}

// With a = |x|: log1p(a + a^2 / (1 + sqrt(1 + a^2))).
template <class T>
FUSEGRAD_INLINE VD arcsinh_for(VD x) {
  const VD size = abs(x);
  const VI64 large = size > 0x1p28;
  const VD a = select(large, set1(1.0), size);
  const VD z = a * a;
  const VD more = z / (1.0 + sqrt(1.0 + z));
  const DoubleVD argument = fast_two_sum(a, more);
  const VD y = select(large, log_twice<T>(size), log1p_sum<T>(argument.hi, argument.lo));
  // Subnormal numbers are too small for log_finish; infinity and NaN go through.
  return select((size > 0x1p-28) & (size < kInf), copysign(y, x), x);
}

// With t = x - 1: log1p(t + sqrt(t^2 + 2 t)).
template <class T>
FUSEGRAD_INLINE VD arccosh_for(VD x) {
  const VI64 large = x > 0x1p28;
  const VD t = select(large, set1(1.0), x) - 1.0;
  const VD square = fma(t, t, 2.0 * t);
  const VD root = sqrt(square);
  VD root_lo = {};
  if constexpr (sizeof(T) == 8) {
    const VD square_lo = select(t < 1.0, fma(t, t, 2.0 * t - square), VD{});
    root_lo = select(root > 0.0, (fma(-root, root, square) + square_lo) * (0.5 / root), VD{});
  }
  const DoubleVD argument = fast_two_sum(root, t);
  const VD y = select(large, log_twice<T>(x), log1p_sum<T>(argument.hi, argument.lo + root_lo));
  return select(x == kInf, x, select(x >= 1.0, y, set1(kNaN)));
}

// 2 arctanh(s) / s = 2 + z log_tail(z) for small s; beyond, with a = |x|, log1p(2 a / (1 - a)) / 2.
template <class T>
FUSEGRAD_INLINE VD arctanh_for(VD x) {
  const VD size = abs(x);
  const VD z = x * x;
  const VI64 near = z <= 0.029;
  const VD series = x + x * (z * (0.5 * log_tail<T>(z)));
  const VD a = select(size < 1.0, size, VD{});
  const VD den = 1.0 - a;
  const VD f = (2.0 * a) / den;
  VD f_lo = {};
  if constexpr (sizeof(T) == 8) {
    const VD den_lo = (1.0 - den) - a;
    f_lo = (fma(-f, den, 2.0 * a) - f * den_lo) / den;
  }
  const VD far = 0.5 * log1p_sum<T>(f, f_lo);
  const VD y = select(near, series, copysign(far, x));
  return select(size < 1.0, y, select(size == 1.0, copysign(set1(kInf), x), set1(kNaN)));
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
