// log and log1p on vectors of doubles, made only of + - * / compares and integer operations in one
// fixed order. log(x) = k ln 2 + log(1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), and log(1 + f) =
// 2 atanh(s), s = f / (2 + f). log_for<T> is accurate enough to be rounded once to T.
#pragma once

#include "kernels/math-exp-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// 2 (atanh(s) / s - 1) / z with z = s^2 <= 0.0295, to 2^-36 (float) and 2^-58 (double).
template <class T>
FUSEGRAD_INLINE VD log_tail(VD z) {
  const VD z2 = z * z;
  if constexpr (sizeof(T) == 4) {
    const VD c01 = 0x1.55555506cc013p-1 + z * 0x1.999a6e31533bfp-2;
    const VD c23 = 0x1.243b560e10a77p-2 + z * 0x1.e2a65cf6fc5c8p-3;
    return c01 + z2 * c23;
  } else {
    const VD c01 = 0x1.555555555557dp-1 + z * 0x1.9999999985739p-2;
    const VD c23 = 0x1.2492493dc7f6bp-2 + z * 0x1.c71c54fbf62f3p-3;
    const VD c46 = 0x1.7465b4cba58fbp-3 + z * 0x1.39ae58a4839bfp-3 + z2 * 0x1.2e90d63e39b14p-3;
    return (c01 + z2 * c23) + (z2 * z2) * c46;
  }
}

// k ln 2 + log(1 + f) + c, with c a small correction that only the double form adds.
template <class T>
FUSEGRAD_INLINE VD log_finish(VD k, VD f, VD c) {
  const VD s = f / (2.0 + f);
  const VD z = s * s;
  if constexpr (sizeof(T) == 4) {
    return s * (2.0 + z * log_tail<float>(z)) + k * kLn2;
  } else {
    const VD half = (0.5 * f) * f;
    const VD series = s * (half + z * log_tail<double>(z));
    const VD head = k * kLn2Head;
    const VD sum = head + f;
    const VD rest = (head - sum) + f;
    return sum + (rest - (half - (series + (k * kLn2Tail + c))));
  }
}

// A positive normal x as 2^k (1 + f).
struct LogReduced {
  VD k, f;
};

FUSEGRAD_INLINE LogReduced log_reduce(VD x) {
  constexpr uint64_t kSqrtHalf = 0x3fe6a09e667f3bcd;
  const VU64 shifted = (VU64)bits(x) + (uint64_t{0x3ff0000000000000} - kSqrtHalf);
  // The biased exponent as the low bits of 2^52 + exponent.
  const VD biased = (VD)((shifted >> 52) | uint64_t{0x4330000000000000});
  const VD m = (VD)((shifted & uint64_t{0x000fffffffffffff}) + kSqrtHalf);
  return {biased - (0x1p52 + 1023.0), m - 1.0};
}

// The limits of log at x (u = x) and of log1p (u = 1 + x) outside 0 < u < infinity.
FUSEGRAD_INLINE VD log_limits(VD u, VD y) {
  y = select(u < kInf, y, u);  // infinity and NaN
  y = select(u == 0.0, set1(-kInf), y);
  return select(u < 0.0, set1(kNaN), y);
}

// log x. The float form takes no subnormal doubles: floats are never subnormal as doubles.
template <class T>
FUSEGRAD_INLINE VD log_for(VD x) {
  if constexpr (sizeof(T) == 4) {
    const LogReduced p = log_reduce(x);
    return log_limits(x, log_finish<float>(p.k, p.f, VD{}));
  } else {
    const VI64 subnormal = x < 0x1p-1022;
    const LogReduced p = log_reduce(select(subnormal, x * 0x1p54, x));
    const VD k = p.k - select(subnormal, set1(54.0), VD{});
    return log_limits(x, log_finish<double>(k, p.f, VD{}));
  }
}

// log(1 + x); -0 gives -0. Where k is 0, f = x exactly; elsewhere the rounding error of 1 + x is
// added back to first order.
template <class T>
FUSEGRAD_INLINE VD log1p_for(VD x) {
  const VD u = 1.0 + x;
  const LogReduced p = log_reduce(u);
  const VI64 direct = p.k == 0.0;
  const VD f = select(direct, x, p.f);
  VD c = {};
  if constexpr (sizeof(T) == 8) {
    const VD t = u - 1.0;
    c = select(direct, VD{}, ((1.0 - (u - t)) + (x - t)) / u);
  }
  return select(x == 0.0, x, log_limits(u, log_finish<T>(p.k, f, c)));
}

// log(1 + t) for 0 <= t <= 1, the only range that softplus needs: no exponent to extract.
template <class T>
FUSEGRAD_INLINE VD log1p_unit_for(VD t) {
  const VI64 direct = t < 0x1.a827999fcef32p-2;
  const VD less = t - 1.0;
  const VD f = select(direct, t, less * 0.5);
  const VD k = select(direct, VD{}, set1(1.0));
  VD c = {};
  if constexpr (sizeof(T) == 8) {
    // t - 1 is inexact only for t in [sqrt(2) - 1, 1/2), where 1 / (1 + t) is 0.6875 to 3 %.
    c = select(direct, VD{}, (t - (less + 1.0)) * 0.6875);
  }
  return log_finish<T>(k, f, c);
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
