// Polynomials by Horner's rule with fused multiply-adds.
#pragma once

#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// c0 + c1 x + c2 x^2 + ..., from the last coefficient inwards.
template <class V, class T, int kCount>
FUSEGRAD_INLINE V horner(V x, const T (&c)[kCount]) {
  V y = set1(c[kCount - 1]);
  for (int i = kCount - 2; i >= 0; --i) y = fma(y, x, set1(c[i]));
  return y;
}
template <int kCount>
FUSEGRAD_INLINE VF polynomial(VF x, const float (&c)[kCount]) {
  return horner(x, c);
}
template <int kCount>
FUSEGRAD_INLINE VD polynomial(VD x, const double (&c)[kCount]) {
  return horner(x, c);
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
