// Rounding to integers, and what is left of a division: rint, floor, ceil, trunc, floor_divide and
// remainder. All are exact but for the quotient of floor_divide, which is rounded where it has more
// digits than its type.
#pragma once

#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// ---- rounding ----------------------------------------------------------------------------------

#if defined(__AVX512F__)
#define FUSEGRAD_ROUND(name, mode)                                         \
  FUSEGRAD_INLINE VF name(VF x) {                                          \
    return (VF)_mm512_roundscale_ps((__m512)x, mode | _MM_FROUND_NO_EXC);  \
  }                                                                        \
  FUSEGRAD_INLINE VD name(VD x) {                                          \
    return (VD)_mm512_roundscale_pd((__m512d)x, mode | _MM_FROUND_NO_EXC); \
  }
FUSEGRAD_ROUND(rint, _MM_FROUND_TO_NEAREST_INT)
FUSEGRAD_ROUND(floor, _MM_FROUND_TO_NEG_INF)
FUSEGRAD_ROUND(ceil, _MM_FROUND_TO_POS_INF)
FUSEGRAD_ROUND(trunc, _MM_FROUND_TO_ZERO)
#undef FUSEGRAD_ROUND
#elif defined(__AVX2__)
#define FUSEGRAD_ROUND(name, mode)                                    \
  FUSEGRAD_INLINE VF name(VF x) {                                     \
    return (VF)_mm256_round_ps((__m256)x, mode | _MM_FROUND_NO_EXC);  \
  }                                                                   \
  FUSEGRAD_INLINE VD name(VD x) {                                     \
    return (VD)_mm256_round_pd((__m256d)x, mode | _MM_FROUND_NO_EXC); \
  }
FUSEGRAD_ROUND(rint, _MM_FROUND_TO_NEAREST_INT)
FUSEGRAD_ROUND(floor, _MM_FROUND_TO_NEG_INF)
FUSEGRAD_ROUND(ceil, _MM_FROUND_TO_POS_INF)
FUSEGRAD_ROUND(trunc, _MM_FROUND_TO_ZERO)
#undef FUSEGRAD_ROUND
#elif defined(__aarch64__)
#define FUSEGRAD_ROUND(name, instruction)                                          \
  FUSEGRAD_INLINE VF name(VF x) { return (VF)instruction##q_f32((float32x4_t)x); } \
  FUSEGRAD_INLINE VD name(VD x) { return (VD)instruction##q_f64((float64x2_t)x); }
FUSEGRAD_ROUND(rint, vrndn)
FUSEGRAD_ROUND(floor, vrndm)
FUSEGRAD_ROUND(ceil, vrndp)
FUSEGRAD_ROUND(trunc, vrnd)
#undef FUSEGRAD_ROUND
#else
// Adding 2^23 or 2^52 to |x| leaves no room for a fraction; larger numbers, and NaN, have none.
template <class V, class T>
FUSEGRAD_INLINE V rint_by_adding(V x, T large) {
  const V a = abs(x);
  return select(a < large, copysign((a + large) - large, x), x);
}
FUSEGRAD_INLINE VF rint(VF x) { return rint_by_adding(x, 0x1p23f); }
FUSEGRAD_INLINE VD rint(VD x) { return rint_by_adding(x, 0x1p52); }
template <class V>
FUSEGRAD_INLINE V floor(V x) {
  const V r = rint(x);
  return copysign(select(r > x, r - 1, r), x);
}
template <class V>
FUSEGRAD_INLINE V ceil(V x) {
  const V r = rint(x);
  return copysign(select(r < x, r + 1, r), x);
}
template <class V>
FUSEGRAD_INLINE V trunc(V x) {
  return copysign(floor(abs(x)), x);
}
#endif

// ---- division with remainder -------------------------------------------------------------------

// The double with these bits.
FUSEGRAD_INLINE double double_of(uint64_t bits) {
  double x;
  __builtin_memcpy(&x, &bits, sizeof(x));
  return x;
}
FUSEGRAD_INLINE uint64_t bits_of(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof(bits));
  return bits;
}

// A finite double without its sign is fraction 2^exponent.
struct Parts {
  uint64_t fraction;
  int exponent;
};
FUSEGRAD_INLINE Parts parts_of(double x) {
  const uint64_t b = bits_of(x);
  const uint64_t fraction = b & 0x000fffffffffffff;
  const int biased = static_cast<int>((b >> 52) & 0x7ff);
  return biased == 0 ? Parts{fraction, -1074} : Parts{fraction | 0x0010000000000000, biased - 1075};
}

// a modulo b for finite a >= b > 0 of any quotient, by long division of the fractions.
__attribute__((noinline)) double long_remainder(double a, double b) {
  const Parts x = parts_of(a);
  const Parts y = parts_of(b);
  uint64_t left = x.fraction % y.fraction;
  for (int shift = x.exponent - y.exponent; shift > 0; shift -= 11) {
    left = (left << (shift < 11 ? shift : 11)) % y.fraction;
  }
  // left 2^exponent, where the power may be subnormal.
  const int e = y.exponent;
  const double power = e < -1022 ? double_of(uint64_t{1} << (e + 1074))
                                 : double_of(static_cast<uint64_t>(e + 1023) << 52);
  return static_cast<double>(left) * power;
}

// |a| = quotient |b| + remainder with a whole quotient and 0 <= remainder < |b|. The remainder is
// exact, the quotient below 2^53 too: with q the rounded quotient, a - trunc(q) b is a double, as
// its last digit is not below b's and it is less than b on either side of 0.
struct Division {
  VD quotient, remainder;
};

FUSEGRAD_INLINE Division divide_abs(VD a, VD b) {
  const VD x = abs(a);
  const VD y = abs(b);
  const VD ratio = x / y;
  VD q = trunc(ratio);
  VD r = fma(-q, y, x);
  const VI64 over = r < 0.0;
  q = select(over, q - 1.0, q);
  r = select(over, r + y, r);
  const VI64 number = (x < __builtin_inf()) & (y > 0.0);
  const VI64 many = number & (ratio >= 0x1p53);
  if (__builtin_expect(any(many), 0)) {
    for (int i = 0; i < kLanesD; ++i) {
      if (many[i] == 0) continue;
      q[i] = ratio[i];
      r[i] = long_remainder(x[i], y[i]);
    }
  }
  const VI64 finite = y < __builtin_inf();
  const VD none = set1(__builtin_nan(""));
  return {select(number, select(finite, q, VD{}), none),
          select(number, select(finite, r, x), none)};
}

// NumPy's: the sign of b, that of 0 included.
FUSEGRAD_INLINE VD remainder(VD a, VD b) {
  const VD r = copysign(divide_abs(a, b).remainder, a);
  const VI64 apart = (r < 0.0) ^ (b < 0.0);
  return select(r == 0.0, copysign(r, b), select(apart, r + b, r));
}

// floor(a / b), also where a / b rounds to the integer above; a / b for b = 0.
FUSEGRAD_INLINE VD floor_divide(VD a, VD b) {
  const Division d = divide_abs(a, b);
  const VI64 apart = (a < 0.0) ^ (b < 0.0);
  const VD below = select(d.remainder == 0.0, -d.quotient, -d.quotient - 1.0);
  const VD q = select(apart, below, d.quotient);
  return select(b == 0.0, a / b, select(q == 0.0, copysign(q, a / b), q));
}

FUSEGRAD_INLINE VF remainder(VF a, VF b) {
  return narrow(remainder(widen_lo(a), widen_lo(b)), remainder(widen_hi(a), widen_hi(b)));
}
FUSEGRAD_INLINE VF floor_divide(VF a, VF b) {
  return narrow(floor_divide(widen_lo(a), widen_lo(b)), floor_divide(widen_hi(a), widen_hi(b)));
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
