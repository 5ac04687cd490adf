// sin, cos and tan on vectors of doubles, in one fixed order of + - * / fma, comparisons and
// integer operations, so that every ISA level gives the same bits. x = n pi/2 + r with |r| <= pi/4
// in two words; the *_for<float> forms take and give what a float holds and need one. Coefficients:
// tools/float64_polynomials.py.
#pragma once

#include "kernels/double-double-inl.h"
#include "kernels/math-exp-inl.h"
#include "kernels/polynomial-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// pi/2 as a sum of three doubles.
constexpr double kHalfPi = 0x1.921fb54442d18p+0;
constexpr double kHalfPiTail = 0x1.1a62633145c07p-54;
constexpr double kHalfPiRest = -0x1.f1976b7ed8fbcp-110;
constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;

// x = quadrant pi/2 + hi + lo, of the quadrant only the last two bits.
struct Angle {
  VD hi, lo;
  VI64 quadrant;
};

// ---- reduction of |x| > 2^30 -------------------------------------------------------------------

// 64 zeros, then 2/pi from the bit of 2^-1 on.
constexpr uint64_t kTwoOverPiBits[] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
    0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
    0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab};

__extension__ typedef unsigned __int128 U128;

// Of x = m 2^e with a whole m < 2^53: x 2/pi modulo 4 is m times the 192 bits of 2/pi from that of
// 2^(1-e) on, modulo 4; the bits before give multiples of 4, those after less than 2^-137 (M. Payne
// and R. Hanek, "Radian reduction for trigonometric functions", SIGNUM Newsletter 18, 1983).
__attribute__((noinline)) void reduce_huge(double x, double* hi, double* lo, int64_t* quadrant) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof(bits));
  const int e = static_cast<int>((bits >> 52) & 0x7ff) - 1075;
  const uint64_t m = (bits & 0x000fffffffffffff) | 0x0010000000000000;
  const int first = e + 62;
  const int word = first >> 6;
  const int shift = first & 63;
  uint64_t w[3];
  for (int i = 0; i < 3; ++i) {
    w[i] = kTwoOverPiBits[word + i] << shift;
    if (shift != 0) w[i] |= kTwoOverPiBits[word + i + 1] >> (64 - shift);
  }
  const U128 low = static_cast<U128>(m) * w[2];
  const U128 middle = static_cast<U128>(m) * w[1] + (low >> 64);
  const uint64_t top = m * w[0] + static_cast<uint64_t>(middle >> 64);
  // Two bits of quadrant, then 128 of fraction.
  const uint64_t p1 = static_cast<uint64_t>(middle);
  const uint64_t p0 = static_cast<uint64_t>(low);
  U128 fraction = static_cast<U128>((top << 2) | (p1 >> 62)) << 64 | ((p1 << 2) | (p0 >> 62));
  int64_t q = static_cast<int64_t>(top >> 62);
  bool negative = (fraction >> 127) != 0;
  if (negative) {
    fraction = -fraction;
    q += 1;
  }
  int zeros = 0;
  while ((fraction >> 127) == 0) {
    fraction <<= 1;
    ++zeros;
  }
  // The first 53 bits and the 53 after them.
  uint64_t unit_bits = static_cast<uint64_t>(1023 - 53 - zeros) << 52;
  double unit;
  __builtin_memcpy(&unit, &unit_bits, sizeof(unit));
  const double f = static_cast<double>(static_cast<uint64_t>(fraction >> 75)) * unit;
  const uint64_t rest = static_cast<uint64_t>(fraction >> 22) & 0x001fffffffffffff;
  const double f_lo = static_cast<double>(rest) * (unit * 0x1p-53);
  const double r = f * kHalfPi;
  const double r_lo = __builtin_fma(f, kHalfPi, -r) + __builtin_fma(f, kHalfPiTail, f_lo * kHalfPi);
  const double sum = r + r_lo;
  const double sign = negative != (x < 0.0) ? -1.0 : 1.0;
  *hi = sign * sum;
  *lo = sign * ((r - sum) + r_lo);
  *quadrant = x < 0.0 ? -q : q;
}

// ---- reduction ---------------------------------------------------------------------------------

// x - n kHalfPi is exact: its last digit is not below 2^-53, and it is less than 1. Infinities and
// NaN give NaN.
template <class T>
FUSEGRAD_INLINE Angle reduce_angle(VD x) {
  const VD shifted = fma(x, set1(kTwoOverPi), set1(kRoundToInt));
  const VD n = shifted - kRoundToInt;
  const VD t = fma(-n, set1(kHalfPi), x);
  Angle a;
  a.quadrant = bits(shifted);
  if constexpr (sizeof(T) == 4) {
    a.hi = fma(-n, set1(kHalfPiTail), t);
    a.lo = VD{};
  } else {
    const VD p = n * kHalfPiTail;
    const VD d = t - p;
    const VD u = d - t;
    const VD d_lo = (t - (d - u)) - (p + u);
    const VD rest = d_lo - (fma(n, set1(kHalfPiTail), -p) + n * kHalfPiRest);
    a.hi = d + rest;
    a.lo = (d - a.hi) + rest;
  }
  const VD size = abs(x);
  const VI64 huge = (size > 0x1p30) & (size < kInf);
  if (__builtin_expect(any(huge), 0)) {
    for (int i = 0; i < kLanesD; ++i) {
      if (huge[i] == 0) continue;
      double hi;
      double lo;
      int64_t quadrant;
      reduce_huge(x[i], &hi, &lo, &quadrant);
      a.hi[i] = hi;
      a.lo[i] = lo;
      a.quadrant[i] = quadrant;
    }
  }
  return a;
}

// ---- sine and cosine of the remainder -------------------------------------------------------

// Each as hi + lo, good to 2^-57 of the sum; lo is 0 in the float form, which is good to 2^-34.
struct SineCosine {
  DoubleVD sine, cosine;
};

template <class T>
FUSEGRAD_INLINE SineCosine sine_cosine(const Angle& a) {
  const VD r = a.hi;
  const VD z = r * r;
  if constexpr (sizeof(T) == 4) {
    const VD s = polynomial(z, {-0x1.5555554c34560p-3, 0x1.1111084a2ccbap-7, -0x1.a00f6ac16bd8ap-13,
                                0x1.6ccdeb4a41d8cp-19});
    const VD c = polynomial(z, {-0x1.ffffffca1b17fp-2, 0x1.55553c1c5a196p-5, -0x1.6c07d4a37747ap-10,
                                0x1.9911025599d24p-16});
    return {{fma(z * r, s, r), VD{}}, {fma(z, c, set1(1.0)), VD{}}};
  } else {
    const VD s =
        polynomial(z, {-0x1.5555555555548p-3, 0x1.111111110f75dp-7, -0x1.a01a019bf22f2p-13,
                       0x1.71de355f1c731p-19, -0x1.ae5e548d98501p-26, 0x1.5d8e3faa69bb0p-33});
    const VD c =
        polynomial(z, {0x1.555555555554ap-5, -0x1.6c16c16c14e4ap-10, 0x1.a01a019c689eep-16,
                       -0x1.27e4f7d9024a5p-22, 0x1.1ee9cccc4021dp-29, -0x1.8f9f6dc0b2518p-37});
    // 1 - r^2/2 as w + w_lo, the rounding errors of the square and of lo included.
    const VD half = 0.5 * z;
    const VD w = 1.0 - half;
    const VD w_lo = ((1.0 - w) - half) - fma(r, a.lo, 0.5 * fma(r, r, -z));
    return {{r, fma(z * r, s, a.lo * w)}, {w, fma(z * z, c, w_lo)}};
  }
}

// value with the sign of quadrants 2 and 3
FUSEGRAD_INLINE VD signed_by(VI64 quadrant, DoubleVD value) {
  return from_bits(bits(value.hi + value.lo) ^ (VI64)((VU64)(quadrant & 2) << 62));
}

FUSEGRAD_INLINE DoubleVD select(VI64 mask, DoubleVD a, DoubleVD b) {
  return {select(mask, a.hi, b.hi), select(mask, a.lo, b.lo)};
}

template <class T>
FUSEGRAD_INLINE VD sin_for(VD x) {
  const Angle a = reduce_angle<T>(x);
  const SineCosine r = sine_cosine<T>(a);
  const VD y = signed_by(a.quadrant, select((a.quadrant & 1) != 0, r.cosine, r.sine));
  return select(x == 0.0, x, y);
}

template <class T>
FUSEGRAD_INLINE VD cos_for(VD x) {
  const Angle a = reduce_angle<T>(x);
  const SineCosine r = sine_cosine<T>(a);
  return signed_by(a.quadrant + 1, select((a.quadrant & 1) != 0, r.sine, r.cosine));
}

template <class T>
FUSEGRAD_INLINE VD tan_for(VD x) {
  const Angle a = reduce_angle<T>(x);
  const SineCosine r = sine_cosine<T>(a);
  const VI64 odd = (a.quadrant & 1) != 0;
  DoubleVD num = select(odd, r.cosine, r.sine);
  DoubleVD den = select(odd, r.sine, r.cosine);
  VD y;
  if constexpr (sizeof(T) == 4) {
    y = num.hi / den.hi;
  } else {
    num = fast_two_sum(num.hi, num.lo);
    den = fast_two_sum(den.hi, den.lo);
    const VD inverse = 1.0 / den.hi;
    const VD q = num.hi * inverse;
    const VD left = fma(-q, den.hi, num.hi) + fma(-q, den.lo, num.lo);
    y = fma(left, inverse, q);
  }
  return select(x == 0.0, x, from_bits(bits(y) ^ (odd & INT64_MIN)));
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
