// exp and expm1 on vectors of doubles, made only of + - * compares and integer operations in one
// fixed order, so that every ISA level gives the same bits. exp_for<T> is accurate enough to be
// rounded once to T: float takes a shorter polynomial and one-word reduction, double the full one.
#pragma once

#include "kernels/double-double-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// x + kRoundToInt - kRoundToInt rounds to an integer, whose two's complement is then in the low
// bits of x + kRoundToInt (|x| < 2^51).
constexpr double kRoundToInt = 0x1.8p52;
constexpr double kLog2E = 0x1.71547652b82fep+0;
constexpr double kLn2 = 0x1.62e42fefa39efp-1;
// ln 2 as a 40-bit head, exact when multiplied by an exponent, and the rest.
constexpr double kLn2Head = 0x1.62e42fefa2000p-1;
constexpr double kLn2Tail = 0x1.9ef35793c7673p-41;
constexpr double kInf = __builtin_inf();
constexpr double kNaN = __builtin_nan("");

// 2^n from n + kRoundToInt, -1022 <= n <= 1023.
FUSEGRAD_INLINE VD pow2(VD shifted) {
  return (VD)(((VU64)shifted << 52) + uint64_t{0x3ff0000000000000});
}

// e^r - 1 - r for |r| <= ln(2)/2, to 2^-31 (float) and 2^-60 (double) of e^r - 1. Coefficients by
// least squares at Chebyshev points, each rounded before the next one is fitted. The double form
// adds r^2/2 last and by itself: its rounding error is the largest of the sum.
template <class T>
FUSEGRAD_INLINE VD exp_rest(VD r) {
  const VD r2 = r * r;
  if constexpr (sizeof(T) == 4) {
    const VD c01 = 0.5 + r * 0x1.55555573ff9fcp-3;
    const VD c23 = 0x1.5554efb3bb8a4p-5 + r * 0x1.1110b0c64d155p-7;
    const VD c45 = 0x1.6d4424105374bp-10 + r * 0x1.a171bae2c93f4p-13;
    return r2 * ((c01 + r2 * c23) + (r2 * r2) * c45);
  } else {
    const VD r4 = r2 * r2;
    const VD c12 = 0x1.555555555555bp-3 + r * 0x1.5555555555558p-5;
    const VD c34 = 0x1.111111110ed74p-7 + r * 0x1.6c16c16c14fecp-10;
    const VD c56 = 0x1.a01a01b33ae56p-13 + r * 0x1.a01a01ad897aep-16;
    const VD c78 = 0x1.71ddf08424471p-19 + r * 0x1.27e4cbef1b6ddp-22;
    const VD c9a = 0x1.af6b91b6ec4e0p-26 + r * 0x1.1f8c2201bbcb0p-29;
    const VD cubic = (c12 + r2 * c34) + r4 * ((c56 + r2 * c78) + r4 * c9a);
    return 0.5 * r2 + (r2 * r) * cubic;
  }
}

// A double argument x + lo as n ln 2 + head - tail, with |head| <= ln(2)/2 and
// rest = e^(head - tail) - 1 - head.
struct ExpReduced {
  VD n, shifted, head, rest;
};

FUSEGRAD_INLINE ExpReduced exp_reduce(VD x, VD lo) {
  const VD shifted = x * kLog2E + kRoundToInt;
  const VD n = shifted - kRoundToInt;
  const VD head = x - n * kLn2Head;
  const VD tail = n * kLn2Tail - lo;
  const VD r = head - tail;
  return {n, shifted, head, exp_rest<double>(r) - tail};
}

// y 2^n for |n| <= 2040, in two exact steps and one rounding.
FUSEGRAD_INLINE VD scale_by_pow2(VD y, VD n) {
  const VD half = n * 0.5 + kRoundToInt;
  const VD other = (n - (half - kRoundToInt)) + kRoundToInt;
  return (y * pow2(half)) * pow2(other);
}

// e^x from its reduction; results down to the smallest subnormal are rounded once more only.
FUSEGRAD_INLINE VD exp_finish(const ExpReduced& p) {
  const VD sum = 1.0 + p.head;
  const VD y = sum + (((1.0 - sum) + p.head) + p.rest);
  return scale_by_pow2(y, p.n);
}

// e^(x + lo) for |lo| <= ulp(x); lo is ignored where the result is 0 or infinite.
FUSEGRAD_INLINE VD exp_sum(VD x, VD lo) {
  VD clamped = select(x > 710.0, set1(710.0), x);
  clamped = select(clamped < -746.0, set1(-746.0), clamped);
  return exp_finish(exp_reduce(clamped, select(clamped == x, lo, VD{})));
}

// e^x. The float form treats results below e^-708 as 0 and above e^709 as e^709: both are far
// outside float's range, subnormals included.
template <class T>
FUSEGRAD_INLINE VD exp_for(VD x) {
  if constexpr (sizeof(T) == 4) {
    VD clamped = select(x > 709.0, set1(709.0), x);
    clamped = select(clamped < -708.0, set1(-708.0), clamped);
    const VD shifted = clamped * kLog2E + kRoundToInt;
    const VD r = clamped - (shifted - kRoundToInt) * kLn2;
    const VD y = 1.0 + (r + exp_rest<float>(r));
    return select(x < -708.0, VD{}, (VD)((VU64)y + ((VU64)shifted << 52)));
  } else {
    return exp_sum(x, VD{});
  }
}

// e^(x + lo) for -1400 <= x <= 0, without the bounds of exp_sum.
template <class T>
FUSEGRAD_INLINE VD exp_below(VD x, VD lo) {
  if constexpr (sizeof(T) == 4) {
    return exp_for<float>(x);
  } else {
    return exp_finish(exp_reduce(x, lo));
  }
}

// factor e^(x + lo) num / den for -1400 <= x <= 0. The double form keeps the quotient in two words
// and takes the power of two last, so that the result has full accuracy where e^x underflows.
template <class T>
FUSEGRAD_INLINE VD exp_quotient(VD x, VD lo, DoubleVD num, DoubleVD den, VD factor) {
  if constexpr (sizeof(T) == 4) {
    return exp_for<float>(x) * (factor * num.hi / den.hi);
  } else {
    const ExpReduced p = exp_reduce(x, lo);
    const VD sum = 1.0 + p.head;
    const DoubleVD y = fast_two_sum(sum, ((1.0 - sum) + p.head) + p.rest);
    DoubleVD n = two_product(y.hi, num.hi);
    n.lo = n.lo + (y.hi * num.lo + y.lo * num.hi);
    const VD inverse = 1.0 / den.hi;
    const VD q = n.hi * inverse;
    const DoubleVD back = two_product(q, den.hi);
    const VD left = ((n.hi - back.hi) - back.lo) + (n.lo - q * den.lo);
    return scale_by_pow2((q + left * inverse) * factor, p.n);
  }
}

// e^x - 1 = 2^n (e^r - 1) + (2^n - 1), without cancellation; -0 gives -0.
template <class T>
FUSEGRAD_INLINE VD expm1_for(VD x) {
  VD clamped = select(x < -40.0, set1(-40.0), x);
  if constexpr (sizeof(T) == 4) {
    clamped = select(clamped > 709.0, set1(709.0), clamped);
    const VD shifted = clamped * kLog2E + kRoundToInt;
    const VD r = clamped - (shifted - kRoundToInt) * kLn2;
    const VD scale = pow2(shifted);
    const VD y = scale * (r + exp_rest<float>(r)) + (scale - 1.0);
    return select(x == 0.0, x, y);
  } else {
    clamped = select(clamped > 710.0, set1(710.0), clamped);
    const ExpReduced p = exp_reduce(clamped, VD{});
    const VD scale = pow2(p.shifted);
    const VD base = scale - 1.0;
    const VD base_lo = (scale - base) - 1.0;
    const VD head = scale * p.head;
    const VD sum = base + head;
    const VD y = sum + (((base - sum) + head) + (scale * p.rest + base_lo));
    return select(x == 0.0, x, select(x > 40.0, exp_finish(p), y));
  }
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
