// erf, erfc and gelu with their derivatives on vectors of doubles, made only of + - * / compares
// and integer operations in one fixed order. Near 0 a polynomial; beyond, a tail without
// cancellation:
//   erfc(x) = e^(-x^2) / (sqrt(pi) (x + s(x))), 0 < s(x) < 0.43, s(x) x -> 1/2
//   Phi(-a) = e^(-a^2/2) / (sqrt(2 pi) (a + sqrt(2) s(a / sqrt(2))))
// so that an error of s counts by s / (x + s), and e^(-x^2) takes x^2 in two words.
#pragma once

#include "kernels/double-double-inl.h"
#include "kernels/math-exp-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

constexpr double kOneOverSqrtTwo = 0x1.6a09e667f3bcdp-1;
constexpr double kSqrtTwo = 0x1.6a09e667f3bcdp+0;
constexpr double kTwoOverSqrtPi = 0x1.20dd750429b6dp+0;

// 1/sqrt(pi) and 1/sqrt(2 pi) in two words.
FUSEGRAD_INLINE DoubleVD inverse_sqrt_pi() {
  return {set1(0x1.20dd750429b6dp-1), set1(0x1.1ae3a914fed80p-57)};
}
FUSEGRAD_INLINE DoubleVD inverse_sqrt_two_pi() {
  return {set1(0x1.9884533d43651p-2), set1(-0x1.cbc0d30ebfd15p-56)};
}

// erf(x) / x - 1 with z = x^2 <= 9/16, to 2^-35 (float) and 2^-56 (double) of erf(x) / x.
// Coefficients by weighted least squares at Chebyshev points, each rounded before the next is
// fitted.
template <class T>
FUSEGRAD_INLINE VD erf_rest(VD z) {
  const VD z2 = z * z;
  if constexpr (sizeof(T) == 4) {
    const VD c12 = -0x1.8127465d971f4p-2 + z * 0x1.ce2efd509be19p-4;
    const VD c34 = -0x1.b826dcedbdbaap-6 + z * 0x1.55e112c4c52eep-8;
    const VD c56 = -0x1.b60a0cd2f9ed9p-11 + z * 0x1.8cba51b8b8b36p-14;
    return 0x1.06eba8205630fp-3 + z * ((c12 + z2 * c34) + (z2 * z2) * c56);
  } else {
    const VD z4 = z2 * z2;
    const VD c12 = -0x1.812746b0379ffp-2 + z * 0x1.ce2f21a0436dcp-4;
    const VD c34 = -0x1.b82ce312a5c9ap-6 + z * 0x1.565bcd0f1f77bp-8;
    const VD c56 = -0x1.c02db33dbffb6p-11 + z * 0x1.f9a2ec8844396p-14;
    const VD c78 = -0x1.f4ca368948842p-17 + z * 0x1.b93f7675a8132p-20;
    const VD c9a = -0x1.5780d5cbe862ep-23 + z * 0x1.909d1c657e99ap-27;
    const VD low = c12 + z2 * c34;
    const VD high = (c56 + z2 * c78) + z4 * c9a;
    return 0x1.06eba8214db69p-3 + z * (low + z4 * high);
  }
}

// s(x) for 15/32 <= x <= 28 as a quotient of polynomials, to 2^-32 (float) and 2^-60 (double) of
// x + s(x). Coefficients by least squares on the linearised quotient, reweighted towards the
// smallest maximum; the denominator was rounded first. All are positive: nothing cancels.
template <class T>
FUSEGRAD_INLINE VD erfc_rest(VD x) {
  const VD x2 = x * x;
  const VD x4 = x2 * x2;
  if constexpr (sizeof(T) == 4) {
    const VD p01 = 0x1.9a8d2c2e36022p+4 + x * 0x1.9b91cdd132aebp+4;
    const VD p23 = 0x1.a060448dbec2ap+3 + x * 0x1.d2b7003f77e4ep+1;
    const VD q01 = 0x1.6bd71a471ac12p+5 + x * 0x1.2b8c9b869acadp+6;
    const VD q23 = 0x1.d6e444c57bb35p+5 + x * 0x1.b037a8a54680dp+4;
    const VD q45 = 0x1.d2be36ed20415p+2 + x;
    return ((p01 + x2 * p23) + x4 * 0x1.0000838400449p-1) / ((q01 + x2 * q23) + x4 * q45);
  } else {
    const VD x8 = x4 * x4;
    const VD p01 = 0x1.3617d548c56b0p+14 + x * 0x1.1b77d36d4d29cp+15;
    const VD p23 = 0x1.076399414778cp+15 + x * 0x1.3d8a642e47bc0p+14;
    const VD p45 = 0x1.0e4814a8e3123p+13 + x * 0x1.4eec0ce57524cp+11;
    const VD p67 = 0x1.2dca8286d5ccep+9 + x * 0x1.7eafa64300a70p+6;
    const VD p89 = 0x1.38ac9ce26d2aap+3 + x * 0x1.ffffffffe6229p-2;
    const VD q01 = 0x1.12d01722e2dd5p+15 + x * 0x1.53b78fb80c193p+16;
    const VD q23 = 0x1.9eae45810d3dcp+16 + x * 0x1.4448fb8d07efdp+16;
    const VD q45 = 0x1.653472e969578p+15 + x * 0x1.20af7969d6cd1p+14;
    const VD q67 = 0x1.5ac98a9f1d658p+12 + x * 0x1.32ad34e6c3cd2p+10;
    const VD q89 = 0x1.80afa646e0d7bp+7 + x * 0x1.38ac9ce1f6448p+4;
    const VD p = ((p01 + x2 * p23) + x4 * (p45 + x2 * p67)) + x8 * p89;
    const VD q = ((q01 + x2 * q23) + x4 * (q45 + x2 * q67)) + x8 * (q89 + x2);
    return p / q;
  }
}

// x^2; the square of a float is exact in one word.
template <class T>
FUSEGRAD_INLINE DoubleVD square_for(VD x) {
  if constexpr (sizeof(T) == 4) {
    return {x * x, VD{}};
  } else {
    return two_product(x, x);
  }
}

// |x|, at most bound; NaN stays.
FUSEGRAD_INLINE VD bounded_abs(VD x, double bound) {
  const VD a = abs(x);
  return select(a > bound, set1(bound), a);
}

// erfc(a) for a >= 15/32, at most 28, where it has underflowed.
template <class T>
FUSEGRAD_INLINE VD erfc_tail(VD a) {
  const DoubleVD z = square_for<T>(a);
  return exp_quotient<T>(-z.hi, -z.lo, inverse_sqrt_pi(), fast_two_sum(a, erfc_rest<T>(a)),
                         set1(1.0));
}

template <class T>
FUSEGRAD_INLINE VD erf_for(VD x) {
  const VD a = bounded_abs(x, 28.0);
  const VD near = x + x * erf_rest<T>(x * x);
  return select(a < 0.75, near, copysign(1.0 - erfc_tail<T>(a), x));
}

template <class T>
FUSEGRAD_INLINE VD erfc_for(VD x) {
  const VD a = bounded_abs(x, 28.0);
  const VD near = 1.0 - (x + x * erf_rest<T>(x * x));
  const VD tail = erfc_tail<T>(a);
  return select(a < 0.46875, near, select(x < 0.0, 2.0 - tail, tail));
}

// dy erf'(x) = dy 2/sqrt(pi) e^(-x^2)
template <class T>
FUSEGRAD_INLINE VD erf_grad_for(VD dy, VD x) {
  const DoubleVD z = square_for<T>(bounded_abs(x, 28.0));
  return (dy * kTwoOverSqrtPi) * exp_below<T>(-z.hi, -z.lo);
}

// ---- gelu: x Phi(x), with Phi the distribution function of the standard normal law --------------

constexpr double kGeluNear = 0.6640625;  // where erfc_rest(|x| / sqrt(2)) begins
constexpr double kGeluFar = 40.0;        // where both tails have underflowed

// a + sqrt(2) s(a / sqrt(2)) = phi(a) / Phi(-a)
template <class T>
FUSEGRAD_INLINE DoubleVD normal_hazard(VD a) {
  return fast_two_sum(a, kSqrtTwo * erfc_rest<T>(a * kOneOverSqrtTwo));
}

// erf(x / sqrt(2)) for |x| < kGeluNear
template <class T>
FUSEGRAD_INLINE VD twice_phi_near(VD x) {
  const VD u = x * kOneOverSqrtTwo;
  return u + u * erf_rest<T>((0.5 * x) * x);
}

// x > 0: x - x Phi(-x)
template <class T>
FUSEGRAD_INLINE VD gelu_for(VD x) {
  const VD a = bounded_abs(x, kGeluFar);
  const DoubleVD z = square_for<T>(a);
  const VD tail =
      exp_quotient<T>(-0.5 * z.hi, -0.5 * z.lo, inverse_sqrt_two_pi(), normal_hazard<T>(a), a);
  const VD near = (0.5 * x) * (1.0 + twice_phi_near<T>(x));
  return select(a < kGeluNear, near, select(x > 0.0, x - tail, -tail));
}

// dy gelu'(x) = dy (Phi(x) + x phi(x)). With h = phi(a) / Phi(-a) and a = |x|:
// gelu'(-a) = Phi(-a) (1 - a h), gelu'(a) = 1 - gelu'(-a).
template <class T>
FUSEGRAD_INLINE VD gelu_grad_for(VD dy, VD x) {
  const VD a = bounded_abs(x, kGeluFar);
  const DoubleVD z = square_for<T>(a);
  const DoubleVD h = normal_hazard<T>(a);
  const VD tail =
      exp_quotient<T>(-0.5 * z.hi, -0.5 * z.lo, inverse_sqrt_two_pi(), h, 1.0 - a * h.hi);
  const VD density = inverse_sqrt_two_pi().hi * exp_below<T>(-0.5 * z.hi, -0.5 * z.lo);
  const VD near = 0.5 + (0.5 * twice_phi_near<T>(x) + x * density);
  return dy * select(a < kGeluNear, near, select(x > 0.0, 1.0 - tail, tail));
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
