// exp, expm1, log, log1p, tanh, sigmoid, softplus, silu and erf on vectors of floats, in single
// precision with explicit fused multiply-adds: one fixed order of + - * / fma, comparisons and
// integer operations, so that every ISA level gives the same bits. All 2^32 arguments have been
// tried (tests/exhaustive). Coefficients are smallest-maximum fits of the function named beside
// them, each rounded to a float before the rest is fitted (tools/float32_polynomials.py).
#pragma once

#include "kernels/polynomial-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// ---- exp -------------------------------------------------------------------------------------

// Adding it rounds to an integer n and leaves n + 254 in the low bits of the sum, which are the
// biased exponents of 2^(n/2) twice.
constexpr float kRoundToIntF = 0x1.8p23f + 254.0f;
constexpr float kLog2EF = 0x1.715476p+0f;
// ln 2 as a 16-bit head, exact when multiplied by an exponent, and the rest.
constexpr float kLn2HeadF = 0x1.62e4p-1f;
constexpr float kLn2TailF = 0x1.7f7d1cp-20f;
constexpr float kInfF = __builtin_inff();

// x = n ln 2 + r, |r| <= ln(2)/2: n as shifted - kRoundToIntF, and r = head - tail with an exact
// head.
struct ExpReducedF {
  VF shifted, n, head;
};

FUSEGRAD_INLINE ExpReducedF exp_reduce(VF x) {
  const VF shifted = fma(x, set1(kLog2EF), set1(kRoundToIntF));
  const VF n = shifted - kRoundToIntF;
  return {shifted, n, fma(n, set1(-kLn2HeadF), x)};
}

// y 2^n for -160 <= n <= 128, in two steps of which only the last can round.
FUSEGRAD_INLINE VF scale_by_pow2(VF y, VF shifted) {
  const VU32 sum = (VU32)shifted;
  const VU32 half = sum >> 1;
  return (y * (VF)(half << 23)) * (VF)((sum - half) << 23);
}

// 2^n for -126 <= n <= 127.
FUSEGRAD_INLINE VF pow2(VF shifted) { return (VF)(((VU32)shifted - 127) << 23); }

// x between bounds outside which the result is constant; NaN stays.
FUSEGRAD_INLINE VF clamp(VF x, float lo, float hi) { return max(set1(lo), min(set1(hi), x)); }

// (e^r - 1) / r = 1 + r q(r), to 2^-28 of e^r.
FUSEGRAD_INLINE VF exp_slope(VF r) {
  return polynomial(
      r, {1.0f, 0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558bep-5f, 0x1.1239ep-7f, 0x1.6a3fb4p-10f});
}

// e^(x - n ln 2)
FUSEGRAD_INLINE VF exp_of_remainder(const ExpReducedF& p) {
  const VF r = fma(p.n, set1(-kLn2TailF), p.head);
  return fma(exp_slope(r), r, set1(1.0f));
}

FUSEGRAD_INLINE VF exp(VF x) {
  const ExpReducedF p = exp_reduce(clamp(x, -104.0f, 89.0f));
  return scale_by_pow2(exp_of_remainder(p), p.shifted);
}

// e^x for -80 <= x <= 80; NaN gives any value.
FUSEGRAD_INLINE VF exp_moderate(VF x) {
  const ExpReducedF p = exp_reduce(x);
  return (VF)((VU32)exp_of_remainder(p) + (((VU32)p.shifted - 254) << 23));
}

// e^r - 1 - head, to 2^-31 of e^r - 1.
FUSEGRAD_INLINE VF exp_rest(const ExpReducedF& p) {
  const VF tail = p.n * kLn2TailF;
  const VF r = p.head - tail;
  const VF q = polynomial(
      r, {0.5f, 0x1.555556p-3f, 0x1.5554f6p-5f, 0x1.111004p-7f, 0x1.6d3cecp-10f, 0x1.a242fep-13f});
  return fma(r * r, q, -tail);
}

// 2^n (e^r - 1) + (2^n - 1). Half of it is summed, so that n = 128 fits.
FUSEGRAD_INLINE VF expm1(VF x) {
  const ExpReducedF p = exp_reduce(clamp(x, -18.0f, 89.0f));
  const VF rest = exp_rest(p);
  const VF scale = pow2(p.shifted - 1.0f);
  const VF base = scale - 0.5f;
  const VF head = scale * p.head;
  const VF sum = base + head;
  const VF base_rest = (scale - base) - 0.5f;
  const VF y = sum + fma(scale, rest, ((base - sum) + head) + base_rest);
  return select(abs(x) < 0x1p-26f, x, y + y);
}

// ---- log -------------------------------------------------------------------------------------

// log(1 + f) - f for -1/4 <= f <= 1/2, to 2^-27 of log(1 + f).
FUSEGRAD_INLINE VF log_rest(VF f) {
  const VF q =
      polynomial(f, {-0.5f, 0x1.5555a4p-2f, -0x1.000048p-2f, 0x1.99698ap-3f, -0x1.54edep-3f,
                     0x1.288258p-3f, -0x1.0d9934p-3f, 0x1.ace206p-4f, -0x1.71b788p-5f});
  return (f * f) * q;
}

// k ln 2 + log(1 + f)
FUSEGRAD_INLINE VF log_finish(VF k, VF f) {
  const VF head = k * kLn2HeadF;
  const VF sum = head + f;
  const VF rest = ((head - sum) + f) + log_rest(f);
  return sum + fma(k, set1(kLn2TailF), rest);
}

// u = 2^k m with m in [3/4, 3/2) for positive normal u: the bits of 2^k without the bias of the
// exponent.
FUSEGRAD_INLINE VI32 log_exponent(VF u) {
  return (bits(u) - 0x3f400000) & static_cast<int32_t>(0xff800000);
}

// The limits of log at x (u = x) and of log1p (u = 1 + x) outside 0 < u < infinity.
FUSEGRAD_INLINE VF log_limits(VF u, VF y) {
  y = select(u < kInfF, y, u);
  y = select(u == 0.0f, set1(-kInfF), y);
  return select(u < 0.0f, set1(__builtin_nanf("")), y);
}

FUSEGRAD_INLINE VF log(VF x) {
  const VI32 subnormal = x < 0x1p-126f;
  const VF u = select(subnormal, x * 0x1p23f, x);
  const VI32 e = log_exponent(u);
  const VF k = to_float((e >> 23) - (subnormal & 23));
  return log_limits(x, log_finish(k, from_bits(bits(u) - e) - 1.0f));
}

// With u the rounded 1 + x = 2^k m: log1p x = k ln 2 + log(1 + f), f = m - 1 + 2^-k ((1 + x) - u).
// Where k is -1, 0 or 1, f is a float, but for one x: there the result could not bear its rounding.
// 2^-k is halved twice, so that k = 127 and 128 fit.
FUSEGRAD_INLINE VF log1p(VF x) {
  const VF u = 1.0f + x;
  const VI32 e = log_exponent(u);
  const VF half_error = 0.5f * (x - (u - 1.0f));
  const VF f = fma(half_error, from_bits(0x40000000 - e), from_bits(bits(u) - e) - 1.0f);
  const VF y = log_limits(u, log_finish(to_float(e >> 23), f));
  return select(abs(x) < 0x1p-25f, x, y);
}

// log(1 + t) for 0 <= t <= 1, to 2^-30.
FUSEGRAD_INLINE VF log1p_unit(VF t) {
  const VF q = polynomial(
      t, {-0x1.fffff8p-2f, 0x1.5553b6p-2f, -0x1.ffc59ep-3f, 0x1.978b54p-3f, -0x1.4a72b2p-3f,
          0x1.ff28d8p-4f, -0x1.54f16cp-4f, 0x1.58ff44p-5f, -0x1.c0a2p-7f, 0x1.113634p-9f});
  return fma(t * t, q, t);
}

// ---- functions of exp ------------------------------------------------------------------------

// With e = exp(-|x|) and q = e / (1 + e): 1 - q for x >= 0, e - e q below. The rounding errors of q
// count e times only.
FUSEGRAD_INLINE VF sigmoid(VF x) {
  const VF e = exp(-abs(x));
  const VF a = select(x >= 0.0f, set1(1.0f), e);
  return fma(-a, e / (1.0f + e), a);
}

// With e = exp(-|x|): x / (1 + e) for x >= 0, x e / (1 + e) below, every factor in two words, and
// the power of two last, so that the result has full accuracy where e underflows. 1 / (1 + e) in
// the last correction is a line within 7 %.
FUSEGRAD_INLINE VF silu(VF x) {
  const VF bounded = max(set1(-110.0f), x);
  const ExpReducedF p = exp_reduce(max(set1(-110.0f), -abs(x)));
  const VF sum = 1.0f + p.head;
  const VF rest = ((1.0f - sum) + p.head) + exp_rest(p);
  const VF y = sum + rest;
  const VF y_lo = (sum - y) + rest;
  const VF power = select(p.n < -126.0f, VF{}, pow2(p.shifted));
  const VF e = y * power;
  const VF den = 1.0f + e;
  const VF den_lo = fma(y_lo, power, e - (den - 1.0f));
  const VI32 above = x >= 0.0f;
  const VF product = bounded * y;
  const VF num = select(above, x, product);
  const VF num_lo = select(above, VF{}, fma(bounded, y, -product) + bounded * y_lo);
  const VF q = num / den;
  const VF left = fma(-q, den, num) + fma(-q, den_lo, num_lo);
  const VF r = fma(left, fma(den, set1(-0.4857f), set1(1.457f)), q);
  const VF result = scale_by_pow2(r, select(above, set1(kRoundToIntF), p.shifted));
  return select(x > 100.0f, x, copysign(result, x));
}

FUSEGRAD_INLINE VF softplus(VF x) { return relu(x) + log1p_unit(exp(-abs(x))); }

// Near 0 x + x^3 q(x^2), q to 2^-27 of tanh; beyond, 1 - 2 / (e^(2|x|) + 1).
FUSEGRAD_INLINE VF tanh(VF x) {
  const VF z = x * x;
  const VF q = polynomial(z, {-0x1.555552p-2f, 0x1.11103cp-3f, -0x1.b9f6dap-5f, 0x1.64c044p-6f,
                              -0x1.18db64p-7f, 0x1.8f862cp-9f, -0x1.ae8cbap-11f, 0x1.e76c16p-14f});
  const VF near = fma(x * z, q, x);
  const VF a = min(set1(10.0f), abs(x));
  const VF far = 1.0f - 2.0f / (exp_moderate(a + a) + 1.0f);
  return copysign(select(a >= 1.0f, far, near), x);  // near for NaN
}

// Near 0 x + x q(x^2); beyond, 1 - e^(-p(|x|)) with p = -log erfc.
FUSEGRAD_INLINE VF erf(VF x) {
  const VF q = polynomial(x * x, {0x1.06eba8p-3f, -0x1.81273ep-2f, 0x1.ce2ce6p-4f, -0x1.b7f71ap-6f,
                                  0x1.53f224p-8f, -0x1.a3515ep-11f, 0x1.4771fcp-14f});
  const VF near = fma(x, q, x);
  const VF a = min(set1(4.0f), abs(x));
  const VF l = polynomial(a, {0x1.8b3eccp-13f, -0x1.212c2cp+0f, -0x1.4434f8p-1f, -0x1.bc1868p-4f,
                              0x1.9d0a6p-6f, -0x1.139624p-8f, 0x1.cedfap-12f, -0x1.6bf498p-16f});
  const VF far = 1.0f - exp_moderate(l);
  return copysign(select(a >= 1.0f, far, near), x);  // near for NaN
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
