// exp and log1p for the losses and the softmax family, on vectors of doubles, for the arguments
// that occur there. The float forms are accurate to 2^-34, so that a result which is rounded once
// to float has little more than half a unit of error; they use fused multiply-adds.
#pragma once

#include "kernels/math-exp-inl.h"
#include "kernels/math-log-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// e^(x + lo) for x <= 0, exactly 1 at 0, of kCount vectors in step: a chain of dependent operations
// is longer than what the processor looks ahead. The float form needs no second word and takes
// results below e^-708, far outside float's range, as e^-708. Coefficients: minimax of the relative
// error on |r| <= ln(2)/2, each rounded before the next one is fitted.
template <class T, int kCount>
FUSEGRAD_INLINE void exp_to_one(VD (&y)[kCount], const DoubleVD (&x)[kCount]) {
  if constexpr (sizeof(T) == 4) {
    constexpr double kTerms[] = {0x1.9f09161733b5fp-13,
                                 0x1.6d8d160bb788dp-10,
                                 0x1.11126f372406fp-7,
                                 0x1.55548da220e85p-5,
                                 0x1.555554459c7eap-3,
                                 0x1.0000003a43697p-1,
                                 1.0,
                                 1.0};
    VD r[kCount], shifted[kCount];
    const auto each = [](const auto& f) FUSEGRAD_INLINE_LAMBDA {
#pragma GCC unroll 16
      for (int k = 0; k < kCount; ++k) f(k);
    };
    each([&](int k) FUSEGRAD_INLINE_LAMBDA { r[k] = max(set1(-708.0), x[k].hi); });  // NaN stays
    each([&](int k)
             FUSEGRAD_INLINE_LAMBDA { shifted[k] = fma(r[k], set1(kLog2E), set1(kRoundToInt)); });
    each([&](int k)
             FUSEGRAD_INLINE_LAMBDA { r[k] = fma(shifted[k] - kRoundToInt, set1(-kLn2), r[k]); });
    each([&](int k) FUSEGRAD_INLINE_LAMBDA { y[k] = fma(r[k], set1(kTerms[0]), set1(kTerms[1])); });
#pragma GCC unroll 16
    for (int term = 2; term < 8; ++term) {
      each([&](int k) FUSEGRAD_INLINE_LAMBDA { y[k] = fma(r[k], y[k], set1(kTerms[term])); });
    }
    each([&](int k) FUSEGRAD_INLINE_LAMBDA { y[k] = (VD)((VU64)y[k] + ((VU64)shifted[k] << 52)); });
  } else {
    for (int k = 0; k < kCount; ++k) y[k] = exp_sum(x[k].hi, x[k].lo);
  }
}
template <class T>
FUSEGRAD_INLINE VD exp_to_one(VD x, VD lo) {
  VD y[1];
  exp_to_one<T, 1>(y, {{x, lo}});
  return y[0];
}

// s (2 + z (c0 + c1 z + ...)) = 2 atanh(s) with z = s^2, for |s| <= 0.1716.
FUSEGRAD_INLINE VD twice_atanh(VD s) {
  const VD z = s * s;
  VD y = fma(z, set1(0x1.e2a65cf6fc5c8p-3), set1(0x1.243b560e10a77p-2));
  y = fma(z, y, set1(0x1.999a6e31533bfp-2));
  y = fma(z, y, set1(0x1.55555506cc013p-1));
  return s * fma(z, y, set1(2.0));
}

// log(1 + s) and, for float, 1 / (1 + s), from one division, for s >= 0; NaN stays.
struct LogTotal {
  VD log, inverse;
};

template <class T>
FUSEGRAD_INLINE LogTotal log_total(VD s) {
  if constexpr (sizeof(T) == 4) {
    const VD u = 1.0 + s;
    const LogReduced p = log_reduce(u);
    const VD f = select(p.k == 0.0, s, p.f);
    const VD v = 2.0 + f;
    const VD inverse = 1.0 / (u * v);
    return {fma(p.k, set1(kLn2), twice_atanh(f * (inverse * u))), inverse * v};
  } else {
    return {log1p_for<double>(s), VD{}};
  }
}

// What both cross-entropy of sigmoid(x) and its gradient need, from one exponential and, for float,
// one division: tail = log(1 + e^-|x|), large = 1 / (1 + e^-|x|), small = 1 - large.
struct SigmoidParts {
  VD tail, large, small;
};

template <class T, int kCount>
FUSEGRAD_INLINE void sigmoid_parts(SigmoidParts (&parts)[kCount], const VD (&x)[kCount]) {
  VD e[kCount];
  DoubleVD below[kCount];
  for (int k = 0; k < kCount; ++k) below[k] = {-abs(x[k]), VD{}};
  exp_to_one<T, kCount>(e, below);
  for (int k = 0; k < kCount; ++k) {
    const VD u = 1.0 + e[k];
    if constexpr (sizeof(T) == 4) {
      // 1 + e is 1 + f, or 2 (1 + f) from sqrt(2) on.
      const VI64 direct = e[k] < 0x1.a827999fcef32p-2;
      const VD f = select(direct, e[k], 0.5 * e[k] - 0.5);
      const VD log2 = select(direct, VD{}, set1(kLn2));
      const VD v = 2.0 + f;
      const VD inverse = 1.0 / (u * v);
      const VD large = inverse * v;
      parts[k] = {log2 + twice_atanh(f * (inverse * u)), large, large * e[k]};
    } else {
      // Takes the rounding error of 1 + e out of the quotients, with 1 / (1 + e) to 7 %.
      const VD correction = (e[k] - (u - 1.0)) * (1.457 - 0.4857 * u);
      const VD large = 1.0 / u;
      const VD small = e[k] / u;
      parts[k] = {log1p_unit_for<double>(e[k]), large - large * correction,
                  small - small * correction};
    }
  }
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
