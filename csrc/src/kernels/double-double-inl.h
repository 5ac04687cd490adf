// Numbers as unevaluated sums of two doubles, for the steps of a function that one rounding each
// would spoil.
#pragma once

#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// hi + lo, |lo| <= ulp(hi) / 2.
struct DoubleVD {
  VD hi, lo;
};

// Exact when |a| >= |b| or a is 0.
FUSEGRAD_INLINE DoubleVD fast_two_sum(VD a, VD b) {
  const VD s = a + b;
  return {s, (a - s) + b};
}

FUSEGRAD_INLINE DoubleVD split(VD a) {
  const VD c = a * 134217729.0;  // 2^27 + 1
  const VD hi = c - (c - a);
  return {hi, a - hi};
}

// Exact without fused multiply-add (Dekker), barring overflow and underflow.
FUSEGRAD_INLINE DoubleVD two_product(VD a, VD b) {
  const VD p = a * b;
  const DoubleVD x = split(a);
  const DoubleVD y = split(b);
  return {p, ((x.hi * y.hi - p) + x.hi * y.lo + x.lo * y.hi) + x.lo * y.lo};
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
