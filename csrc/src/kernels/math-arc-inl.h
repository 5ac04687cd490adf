// arcsin, arccos, arctan, arctan2 and hypot on vectors of doubles, in one fixed order of + - * /
// fma, square roots, comparisons and integer operations, so that every ISA level gives the same
// bits. The *_for<float> forms take and give what a float holds. Coefficients:
// tools/float64_polynomials.py.
#pragma once

#include "kernels/double-double-inl.h"
#include "kernels/math-trig-inl.h"
#include "kernels/polynomial-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// ---- arcsin and arccos ----------------------------------------------------------------------

// arcsin(s) / s - 1 with z = s^2 <= 1/4
template <class T>
FUSEGRAD_INLINE VD arcsin_rest(VD z) {
  if constexpr (sizeof(T) == 4) {
    return z * polynomial(z, {0x1.555556033eb26p-3, 0x1.3332ac4bc6f5fp-4, 0x1.6dda358e31f60p-5,
                              0x1.ed6b318f864e3p-6, 0x1.92c58ec712168p-6, 0x1.f07c1f292033bp-8,
                              0x1.1b2ca9b05d35ep-5});
  } else {
    return z * polynomial(z, {0x1.5555555555576p-3, 0x1.333333332e3cdp-4, 0x1.6db6db71f042dp-5,
                              0x1.f1c71aa268624p-6, 0x1.6e8bdd59f3cecp-6, 0x1.1c4a0c33dcb7ep-6,
                              0x1.ca1cec27f0751p-7, 0x1.759b222ddbf0ep-7, 0x1.60c37c53569f8p-7,
                              0x1.ed16b9d7001d8p-9, 0x1.61736be6b58eap-6, -0x1.54f2adff088c8p-6,
                              0x1.0a5498ba841a0p-5});
  }
}

// For |x| > 1/2 with s = sqrt((1 - |x|) / 2): arcsin |x| = pi/2 - 2 arcsin s and arccos |x| =
// 2 arcsin s. arcsin of x, or of s, is head + rest.
struct ArcSine {
  VI64 outer;
  VD head, rest;
};

template <class T>
FUSEGRAD_INLINE ArcSine arcsin_parts(VD x) {
  const VD a = abs(x);
  const VI64 outer = a > 0.5;
  const VD z = select(outer, 0.5 * (1.0 - a), x * x);
  const VD root = sqrt(z);
  const VD head = select(outer, root, x);
  VD rest = head * arcsin_rest<T>(z);
  if constexpr (sizeof(T) == 8) {
    const VD root_lo = fma(-root, root, z) * (0.5 / root);
    rest = rest + select(outer & (root > 0.0), root_lo, VD{});
  }
  return {outer, head, rest};
}

// hi + lo - (p.head + p.rest) times scale
FUSEGRAD_INLINE VD minus_parts(VD hi, VD lo, const ArcSine& p, double scale) {
  const VD sum = hi - p.head;
  return (sum + ((((hi - sum) - p.head) + lo) - p.rest)) * scale;
}

template <class T>
FUSEGRAD_INLINE VD arcsin_for(VD x) {
  const ArcSine p = arcsin_parts<T>(x);
  const VD far = minus_parts(set1(0.5 * kHalfPi), set1(0.5 * kHalfPiTail), p, 2.0);
  return copysign(select(p.outer, far, p.head + p.rest), x);
}

template <class T>
FUSEGRAD_INLINE VD arccos_for(VD x) {
  const ArcSine p = arcsin_parts<T>(x);
  const VD below = minus_parts(set1(kHalfPi), set1(kHalfPiTail), p, 1.0);
  const VD above = 2.0 * (p.head + p.rest);
  return select(p.outer, select(x > 0.0, above, 2.0 * below), below);
}

// ---- arctan ---------------------------------------------------------------------------------

constexpr double kTanEighth = 0x1.a827999fcef32p-2;  // tan(pi/8)
constexpr double kCotEighth = 0x1.3504f333f9de6p+1;  // and its reciprocal
constexpr double kQuarterPi = 0x1.921fb54442d18p-1;  // exact when multiplied by 0 to 4
constexpr double kQuarterPiTail = 0x1.1a62633145c07p-55;

// quarters pi/4 + arctan(t + t_lo) for |t| <= tan(pi/8), t_lo the rounding error of t; the float
// form leaves it out. quarters is 0 or at least 1 in size.
template <class T>
FUSEGRAD_INLINE VD arctan_sum(VD quarters, VD t, VD t_lo) {
  const VD z = t * t;
  const VD base = quarters * kQuarterPi;
  if constexpr (sizeof(T) == 4) {
    const VD rest =
        z * polynomial(z, {-0x1.555554bddf890p-2, 0x1.999913f07f6adp-3, -0x1.247e64e8c960dp-3,
                           0x1.c459b9e5323c7p-4, -0x1.5afb580e1663cp-4, 0x1.83d62e894dbe9p-5});
    return base + fma(t, rest, t);
  } else {
    const VD rest =
        z * polynomial(z, {-0x1.555555555553bp-2, 0x1.99999999954a6p-3, -0x1.249249229873ap-3,
                           0x1.c71c70dea2a00p-4, -0x1.745cf817141c3p-4, 0x1.3b110c4ba3fc6p-4,
                           -0x1.10eb2f10c9923p-4, 0x1.df07e739a2f37p-5, -0x1.9cb30958c4220p-5,
                           0x1.3788ac35d1fe6p-5, -0x1.24c8baf1789c8p-6});
    const VD sum = base + t;
    const VD sum_lo = (base - sum) + t;
    return sum + (sum_lo + fma(quarters, set1(kQuarterPiTail), fma(t, rest, t_lo)));
  }
}

// arctan(a) = pi/4 + arctan((a - 1) / (a + 1)) = pi/2 - arctan(1 / a)
template <class T>
FUSEGRAD_INLINE VD arctan_for(VD x) {
  const VD size = abs(x);
  const VD a = select(size > 0x1p64, set1(0x1p64), size);  // NaN stays
  const VI64 large = a > kCotEighth;
  const VI64 middle = (a > kTanEighth) & (a <= kCotEighth);
  const VD one = set1(1.0);
  const DoubleVD less = fast_two_sum(-one, a);
  const DoubleVD more = fast_two_sum(one, a);
  const VD num = select(large, -one, select(middle, less.hi, a));
  const VD den = select(large, a, select(middle, more.hi, one));
  const VD quarters = select(large, set1(2.0), select(middle, one, VD{}));
  VD t;
  VD t_lo = {};
  if constexpr (sizeof(T) == 4) {
    t = num / den;
  } else {
    const VD inverse = 1.0 / den;
    t = num * inverse;
    const VD lo = select(middle, less.lo - t * more.lo, VD{});
    t_lo = (fma(-t, den, num) + lo) * inverse;
  }
  return copysign(arctan_sum<T>(quarters, t, t_lo), x);
}

// With b the larger and a the smaller of |x| and |y|, the angle between b's axis and (b, a) is
// arctan(a / b) = pi/4 + arctan((a - b) / (a + b)). The angle of (x, y) is a multiple of pi/2 plus
// or minus that.
template <class T>
FUSEGRAD_INLINE VD arctan2_for(VD y, VD x) {
  const VI64 steep = abs(y) > abs(x);
  VD a = select(steep, abs(x), abs(y));
  VD b = select(steep, abs(y), abs(x));
  // Infinite ones as (1, 0) and (1, 1); both 0 as (1, 0).
  const VI64 infinite = b == kInf;
  a = select(infinite, select(a == kInf, set1(1.0), VD{}), a);
  b = select(infinite | (b == 0.0), set1(1.0), b);
  if constexpr (sizeof(T) == 8) {
    // a + b must not overflow, nor rounding errors of subnormal b count.
    const VD scale =
        select(b > 0x1p1000, set1(0x1p-100), select(b < 0x1p-900, set1(0x1p200), set1(1.0)));
    a = a * scale;
    b = b * scale;
  }
  const VI64 middle = a > kTanEighth * b;
  const DoubleVD less = fast_two_sum(-b, a);
  const DoubleVD more = fast_two_sum(b, a);
  const VD num = select(middle, less.hi, a);
  const VD den = select(middle, more.hi, b);
  VD t = num / den;
  VD t_lo = {};
  if constexpr (sizeof(T) == 8) {
    const VD lo = select(middle, less.lo - t * more.lo, VD{});
    t_lo = (fma(-t, den, num) + lo) / den;
  }
  const VD one = set1(1.0);
  VD quarters = select(middle, one, VD{});
  const VI64 left = sign_bit(x) != 0;
  // pi/2 minus the angle, then pi minus the angle.
  const VI64 turned = steep ^ left;
  quarters = select(steep, 2.0 - quarters, quarters);
  quarters = select(left, 4.0 - quarters, quarters);
  t = select(turned, -t, t);
  t_lo = select(turned, -t_lo, t_lo);
  const VD angle = copysign(arctan_sum<T>(quarters, t, t_lo), y);
  return select((x != x) | (y != y), x + y, angle);
}

// ---- hypot ----------------------------------------------------------------------------------

// sqrt(x^2 + y^2). The double form scales what could overflow or underflow, and takes out the
// rounding errors of the squares (C. F. Borges, "Algorithm 1014: an improved algorithm for
// hypot(x, y)", ACM TOMS 47, 2020). An infinity prevails over NaN.
template <class T>
FUSEGRAD_INLINE VD hypot_for(VD x, VD y) {
  const VD a = abs(x);
  const VD b = abs(y);
  VD h;
  if constexpr (sizeof(T) == 4) {
    h = sqrt(a * a + b * b);
  } else {
    const VI64 swapped = b > a;
    VD u = select(swapped, b, a);
    VD v = select(swapped, a, b);
    const VI64 large = u > 0x1p500;
    const VI64 small = u < 0x1p-400;
    const VD scale = select(large, set1(0x1p-600), select(small, set1(0x1p600), set1(1.0)));
    u = u * scale;
    v = v * scale;
    const VD root = sqrt(fma(u, u, v * v));
    const VD square = root * root;
    const VD u2 = u * u;
    const VD excess = fma(-v, v, square - u2) + (fma(root, root, -square) - fma(u, u, -u2));
    h = select(root == 0.0, root, root - excess / (2.0 * root));
    h = h * select(large, set1(0x1p600), select(small, set1(0x1p-600), set1(1.0)));
  }
  return select((a == kInf) | (b == kInf), set1(kInf), h);
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
