// Square roots of many vectors, for kernels that divide as well.
#pragma once

#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// The vectors that square_roots takes at once.
constexpr int kRoots = 4;

// x[i] becomes its square root, correctly rounded, but lanes with 0 <= x < floor may become
// anything from 0 to the root of floor. `floor` is 0 or at least 2^-100.
FUSEGRAD_INLINE void square_roots(VD (&x)[kRoots], double /*floor*/) {
  for (int i = 0; i < kRoots; ++i) x[i] = sqrt(x[i]);
}
#if defined(__AVX512F__)
// Kernels that take roots and divide wait for the one unit that does both, so every other root is
// made by multiplication: from y near 1 / sqrt(x), one step of Goldschmidt's iteration for the root
// and half its reciprocal, then the exact remainder x - root^2 (P. W. Markstein, "Computation of
// elementary functions on the IBM RISC System/6000 processor", IBM J. Res. Dev. 34, 1990).
// tests/exhaustive/square_roots.cpp tries all x of two binades with all y within 2^-13 of the
// reciprocal root, relatively: each one gives the root correctly rounded, so it does whatever
// approximation within 2^-14 a processor has. In other binades with x >= 2^-100 all values are the
// same times powers of two; no more than the remainder is subnormal, and that is no less exact.
FUSEGRAD_INLINE VF refined_root(VF x, VF y) {
  const VF g = x * y;
  const VF h = from_bits(bits(y) - set1(int32_t{1} << 23));  // y / 2
  const VF r = fma(-g, h, set1(0.5F));
  const VF root = fma(g, r, g);
  const VF half = fma(h, r, h);
  return fma(fma(-root, root, x), half, root);
}
FUSEGRAD_INLINE void square_roots(VF (&x)[kRoots], float floor) {
  constexpr int32_t kLeast = 0x0d800000;     // 2^-100
  constexpr int32_t kInfinity = 0x7f800000;  // NaN and negative numbers are more, as unsigned
  const __m512i least = (__m512i)set1(floor);
  __m512i farthest = {};  // above 2^-100, as unsigned: what is below wraps around
  VF root[kRoots];
  for (int i = 1; i < kRoots; i += 2) x[i] = sqrt(x[i]);
  for (int i = 0; i < kRoots; i += 2) {
    const __m512i u = _mm512_max_epu32((__m512i)x[i], least);
    farthest = _mm512_max_epu32(farthest, _mm512_sub_epi32(u, _mm512_set1_epi32(kLeast)));
    root[i] = refined_root((VF)u, (VF)_mm512_rsqrt14_ps((__m512)u));
  }
  if (__builtin_expect(
          _mm512_cmpge_epu32_mask(farthest, _mm512_set1_epi32(kInfinity - kLeast)) != 0, 0)) {
    for (int i = 0; i < kRoots; i += 2) root[i] = sqrt(x[i]);
  }
  for (int i = 0; i < kRoots; i += 2) x[i] = root[i];
}
#else
FUSEGRAD_INLINE void square_roots(VF (&x)[kRoots], float /*floor*/) {
  for (int i = 0; i < kRoots; ++i) x[i] = sqrt(x[i]);
}
#endif

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
