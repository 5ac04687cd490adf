// The SIMD vocabulary of the kernels: one native vector of floats, one of doubles, and the few
// operations on them that vector extensions lack. Compiled once per ISA level, in an anonymous
// namespace; every operation is one IEEE rounding, so all levels give the same bits.
#pragma once

#include <stdint.h>

#if defined(__x86_64__)
// GCC's AVX-512 header initialises its "undefined" vectors with themselves and then warns of it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#elif defined(__aarch64__)
#include <arm_neon.h>
#else
#error "fusegrad kernels need x86-64 or AArch64"
#endif

#ifndef FUSEGRAD_ISA
#error "FUSEGRAD_ISA must name the level this file is compiled for"
#endif

// A vector wider than the native registers makes the compiler spill every operation, so the width
// follows the instruction set exactly.
#if defined(__AVX512F__)
#define FUSEGRAD_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define FUSEGRAD_VECTOR_BYTES 32
#else
#define FUSEGRAD_VECTOR_BYTES 16
#endif

#define FUSEGRAD_INLINE inline __attribute__((always_inline))
// Between the parameters and the body of a lambda: what it captures then stays in registers.
#define FUSEGRAD_INLINE_LAMBDA __attribute__((always_inline))

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

constexpr int kLanesF = FUSEGRAD_VECTOR_BYTES / 4;
constexpr int kLanesD = FUSEGRAD_VECTOR_BYTES / 8;

typedef float VF __attribute__((vector_size(FUSEGRAD_VECTOR_BYTES)));
typedef double VD __attribute__((vector_size(FUSEGRAD_VECTOR_BYTES)));
typedef int32_t VI32 __attribute__((vector_size(FUSEGRAD_VECTOR_BYTES)));
typedef uint32_t VU32 __attribute__((vector_size(FUSEGRAD_VECTOR_BYTES)));
typedef int64_t VI64 __attribute__((vector_size(FUSEGRAD_VECTOR_BYTES)));
typedef uint64_t VU64 __attribute__((vector_size(FUSEGRAD_VECTOR_BYTES)));

// Unaligned views of memory.
typedef float MemF __attribute__((vector_size(FUSEGRAD_VECTOR_BYTES), aligned(4), may_alias));
typedef double MemD __attribute__((vector_size(FUSEGRAD_VECTOR_BYTES), aligned(8), may_alias));

// The vector types that belong to an element type. Comparisons of V give M: -1 true, 0 false.
template <class T>
struct Vec;
template <>
struct Vec<float> {
  typedef VF V;
  typedef VI32 M;
  static constexpr int kLanes = kLanesF;
};
template <>
struct Vec<double> {
  typedef VD V;
  typedef VI64 M;
  static constexpr int kLanes = kLanesD;
};

// ---- memory --------------------------------------------------------------------------------

FUSEGRAD_INLINE VF load(const float* p) { return *reinterpret_cast<const MemF*>(p); }
FUSEGRAD_INLINE VD load(const double* p) { return *reinterpret_cast<const MemD*>(p); }
FUSEGRAD_INLINE void store(float* p, VF v) { *reinterpret_cast<MemF*>(p) = v; }
FUSEGRAD_INLINE void store(double* p, VD v) { *reinterpret_cast<MemD*>(p) = v; }

// The first n lanes (0 <= n <= lanes); lanes n.. read as +0 and memory past p+n is not touched.
#if defined(__AVX512F__)
FUSEGRAD_INLINE __mmask16 first_lanes_f(int64_t n) {
  return static_cast<__mmask16>((1u << static_cast<unsigned>(n)) - 1u);
}
FUSEGRAD_INLINE __mmask8 first_lanes_d(int64_t n) {
  return static_cast<__mmask8>((1u << static_cast<unsigned>(n)) - 1u);
}
FUSEGRAD_INLINE VF load_n(const float* p, int64_t n) {
  return (VF)_mm512_maskz_loadu_ps(first_lanes_f(n), p);
}
FUSEGRAD_INLINE VD load_n(const double* p, int64_t n) {
  return (VD)_mm512_maskz_loadu_pd(first_lanes_d(n), p);
}
FUSEGRAD_INLINE void store_n(float* p, VF v, int64_t n) {
  _mm512_mask_storeu_ps(p, first_lanes_f(n), (__m512)v);
}
FUSEGRAD_INLINE void store_n(double* p, VD v, int64_t n) {
  _mm512_mask_storeu_pd(p, first_lanes_d(n), (__m512d)v);
}
#elif defined(__AVX2__)
alignas(64) constexpr int32_t kFirstLanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                                 0,  0,  0,  0,  0,  0,  0,  0};
FUSEGRAD_INLINE __m256i first_lanes_f(int64_t n) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kFirstLanes + 8 - n));
}
FUSEGRAD_INLINE __m256i first_lanes_d(int64_t n) { return first_lanes_f(2 * n); }
FUSEGRAD_INLINE VF load_n(const float* p, int64_t n) {
  return (VF)_mm256_maskload_ps(p, first_lanes_f(n));
}
FUSEGRAD_INLINE VD load_n(const double* p, int64_t n) {
  return (VD)_mm256_maskload_pd(p, first_lanes_d(n));
}
FUSEGRAD_INLINE void store_n(float* p, VF v, int64_t n) {
  _mm256_maskstore_ps(p, first_lanes_f(n), (__m256)v);
}
FUSEGRAD_INLINE void store_n(double* p, VD v, int64_t n) {
  _mm256_maskstore_pd(p, first_lanes_d(n), (__m256d)v);
}
#else
FUSEGRAD_INLINE VF load_n(const float* p, int64_t n) {
  VF v = {};
  for (int i = 0; i < kLanesF; ++i) {
    if (i < n) v[i] = p[i];
  }
  return v;
}
FUSEGRAD_INLINE VD load_n(const double* p, int64_t n) {
  VD v = {};
  for (int i = 0; i < kLanesD; ++i) {
    if (i < n) v[i] = p[i];
  }
  return v;
}
FUSEGRAD_INLINE void store_n(float* p, VF v, int64_t n) {
  for (int i = 0; i < kLanesF; ++i) {
    if (i < n) p[i] = v[i];
  }
}
FUSEGRAD_INLINE void store_n(double* p, VD v, int64_t n) {
  for (int i = 0; i < kLanesD; ++i) {
    if (i < n) p[i] = v[i];
  }
}
#endif

// The first n lanes where that is mostly all of them: AVX-512 masks both at the cost of one.
template <class T>
FUSEGRAD_INLINE typename Vec<T>::V load_part(const T* p, int64_t n) {
#if !defined(__AVX512F__)
  if (n == Vec<T>::kLanes) return load(p);
#endif
  return load_n(p, n);
}
template <class T>
FUSEGRAD_INLINE void store_part(T* p, typename Vec<T>::V v, int64_t n) {
#if !defined(__AVX512F__)
  if (n == Vec<T>::kLanes) return store(p, v);
#endif
  store_n(p, v, n);
}

// ---- broadcast -----------------------------------------------------------------------------

// x - 0 is x for every x, signed zeros included, and compiles to one broadcast.
FUSEGRAD_INLINE VF set1(float x) { return x - VF{}; }
FUSEGRAD_INLINE VD set1(double x) { return x - VD{}; }
FUSEGRAD_INLINE VI32 set1(int32_t x) { return x - VI32{}; }
FUSEGRAD_INLINE VI64 set1(int64_t x) { return x - VI64{}; }

// ---- bits, select, compare -----------------------------------------------------------------

FUSEGRAD_INLINE VI32 bits(VF x) { return (VI32)x; }
FUSEGRAD_INLINE VI64 bits(VD x) { return (VI64)x; }
FUSEGRAD_INLINE VF from_bits(VI32 x) { return (VF)x; }
FUSEGRAD_INLINE VD from_bits(VI64 x) { return (VD)x; }

// mask ? a : b per lane; a mask is a comparison result (all ones or all zeros per lane).
FUSEGRAD_INLINE VF select(VI32 mask, VF a, VF b) { return mask ? a : b; }
FUSEGRAD_INLINE VD select(VI64 mask, VD a, VD b) { return mask ? a : b; }
FUSEGRAD_INLINE VI32 select(VI32 mask, VI32 a, VI32 b) { return mask ? a : b; }
FUSEGRAD_INLINE VI64 select(VI64 mask, VI64 a, VI64 b) { return mask ? a : b; }

FUSEGRAD_INLINE VF abs(VF x) { return from_bits(bits(x) & set1(int32_t{0x7fffffff})); }
FUSEGRAD_INLINE VD abs(VD x) { return from_bits(bits(x) & set1(int64_t{0x7fffffffffffffff})); }
FUSEGRAD_INLINE VI32 sign_bit(VF x) { return bits(x) & set1(INT32_MIN); }
FUSEGRAD_INLINE VI64 sign_bit(VD x) { return bits(x) & set1(INT64_MIN); }
FUSEGRAD_INLINE VF copysign(VF magnitude, VF sign) {
  return from_bits(bits(abs(magnitude)) | sign_bit(sign));
}
FUSEGRAD_INLINE VD copysign(VD magnitude, VD sign) {
  return from_bits(bits(abs(magnitude)) | sign_bit(sign));
}

// a > b ? a : b, so b when either is NaN or both are zeros: the same rule at every level, and that
// of x86's instructions.
#if defined(__AVX512F__)
FUSEGRAD_INLINE VF max(VF a, VF b) { return (VF)_mm512_max_ps((__m512)a, (__m512)b); }
FUSEGRAD_INLINE VD max(VD a, VD b) { return (VD)_mm512_max_pd((__m512d)a, (__m512d)b); }
FUSEGRAD_INLINE VF min(VF a, VF b) { return (VF)_mm512_min_ps((__m512)a, (__m512)b); }
FUSEGRAD_INLINE VD min(VD a, VD b) { return (VD)_mm512_min_pd((__m512d)a, (__m512d)b); }
#elif defined(__AVX2__)
FUSEGRAD_INLINE VF max(VF a, VF b) { return (VF)_mm256_max_ps((__m256)a, (__m256)b); }
FUSEGRAD_INLINE VD max(VD a, VD b) { return (VD)_mm256_max_pd((__m256d)a, (__m256d)b); }
FUSEGRAD_INLINE VF min(VF a, VF b) { return (VF)_mm256_min_ps((__m256)a, (__m256)b); }
FUSEGRAD_INLINE VD min(VD a, VD b) { return (VD)_mm256_min_pd((__m256d)a, (__m256d)b); }
#elif defined(__x86_64__)
FUSEGRAD_INLINE VF max(VF a, VF b) { return (VF)_mm_max_ps((__m128)a, (__m128)b); }
FUSEGRAD_INLINE VD max(VD a, VD b) { return (VD)_mm_max_pd((__m128d)a, (__m128d)b); }
FUSEGRAD_INLINE VF min(VF a, VF b) { return (VF)_mm_min_ps((__m128)a, (__m128)b); }
FUSEGRAD_INLINE VD min(VD a, VD b) { return (VD)_mm_min_pd((__m128d)a, (__m128d)b); }
#else
FUSEGRAD_INLINE VF max(VF a, VF b) { return select(a > b, a, b); }
FUSEGRAD_INLINE VD max(VD a, VD b) { return select(a > b, a, b); }
FUSEGRAD_INLINE VF min(VF a, VF b) { return select(a < b, a, b); }
FUSEGRAD_INLINE VD min(VD a, VD b) { return select(a < b, a, b); }
#endif

// NumPy's rule: NaN when either operand is NaN.
FUSEGRAD_INLINE VF max_nan(VF a, VF b) { return select((a > b) | (a != a), a, b); }
FUSEGRAD_INLINE VD max_nan(VD a, VD b) { return select((a > b) | (a != a), a, b); }
FUSEGRAD_INLINE VF min_nan(VF a, VF b) { return select((a < b) | (a != a), a, b); }
FUSEGRAD_INLINE VD min_nan(VD a, VD b) { return select((a < b) | (a != a), a, b); }

// The two activations that the matrix product's epilogue shares with the elementwise kernels.
FUSEGRAD_INLINE VF relu(VF x) { return select(x <= VF{}, VF{}, x); }
FUSEGRAD_INLINE VD relu(VD x) { return select(x <= VD{}, VD{}, x); }
FUSEGRAD_INLINE VF leaky_relu(VF x, VF slope) { return select(x > VF{}, x, slope * x); }
FUSEGRAD_INLINE VD leaky_relu(VD x, VD slope) { return select(x > VD{}, x, slope * x); }
FUSEGRAD_INLINE VF relu_grad(VF dy, VF y) { return select(y > VF{}, dy, VF{}); }
FUSEGRAD_INLINE VD relu_grad(VD dy, VD y) { return select(y > VD{}, dy, VD{}); }

// True when any lane of a comparison result is set.
#if defined(__AVX512F__)
FUSEGRAD_INLINE bool any(VI32 m) { return _mm512_movepi32_mask((__m512i)m) != 0; }
FUSEGRAD_INLINE bool any(VI64 m) { return _mm512_movepi64_mask((__m512i)m) != 0; }
#elif defined(__AVX2__)
FUSEGRAD_INLINE bool any(VI32 m) { return _mm256_movemask_epi8((__m256i)m) != 0; }
FUSEGRAD_INLINE bool any(VI64 m) { return _mm256_movemask_epi8((__m256i)m) != 0; }
#elif defined(__x86_64__)
FUSEGRAD_INLINE bool any(VI32 m) { return _mm_movemask_epi8((__m128i)m) != 0; }
FUSEGRAD_INLINE bool any(VI64 m) { return _mm_movemask_epi8((__m128i)m) != 0; }
#else
FUSEGRAD_INLINE bool any(VI32 m) { return vmaxvq_u32((uint32x4_t)m) != 0; }
FUSEGRAD_INLINE bool any(VI64 m) { return vmaxvq_u32((uint32x4_t)m) != 0; }
#endif

// ---- square root ---------------------------------------------------------------------------

#if defined(__AVX512F__)
FUSEGRAD_INLINE VF sqrt(VF x) { return (VF)_mm512_sqrt_ps((__m512)x); }
FUSEGRAD_INLINE VD sqrt(VD x) { return (VD)_mm512_sqrt_pd((__m512d)x); }
#elif defined(__AVX2__)
FUSEGRAD_INLINE VF sqrt(VF x) { return (VF)_mm256_sqrt_ps((__m256)x); }
FUSEGRAD_INLINE VD sqrt(VD x) { return (VD)_mm256_sqrt_pd((__m256d)x); }
#elif defined(__x86_64__)
FUSEGRAD_INLINE VF sqrt(VF x) { return (VF)_mm_sqrt_ps((__m128)x); }
FUSEGRAD_INLINE VD sqrt(VD x) { return (VD)_mm_sqrt_pd((__m128d)x); }
#else
FUSEGRAD_INLINE VF sqrt(VF x) { return (VF)vsqrtq_f32((float32x4_t)x); }
FUSEGRAD_INLINE VD sqrt(VD x) { return (VD)vsqrtq_f64((float64x2_t)x); }
#endif

// ---- integer products ---------------------------------------------------------------------------

// The products, of 64 bits, of the low halves of each lane.
#if defined(__AVX512F__)
FUSEGRAD_INLINE VU64 multiply_low_halves(VU64 a, VU64 b) {
  return (VU64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}
#elif defined(__AVX2__)
FUSEGRAD_INLINE VU64 multiply_low_halves(VU64 a, VU64 b) {
  return (VU64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
#elif defined(__x86_64__)
FUSEGRAD_INLINE VU64 multiply_low_halves(VU64 a, VU64 b) {
  return (VU64)_mm_mul_epu32((__m128i)a, (__m128i)b);
}
#else
FUSEGRAD_INLINE VU64 multiply_low_halves(VU64 a, VU64 b) {
  return (VU64)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
}
#endif

// ---- integer -> float ----------------------------------------------------------------------

FUSEGRAD_INLINE VF to_float(VI32 x) { return __builtin_convertvector(x, VF); }

// ---- float <-> double ----------------------------------------------------------------------
// A VF is two VD halves: lanes [0, kLanesD) and [kLanesD, kLanesF). Narrowing rounds to nearest.

#if defined(__AVX512F__)
FUSEGRAD_INLINE VD widen_lo(VF x) { return (VD)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)x)); }
FUSEGRAD_INLINE VD widen_hi(VF x) {
  return (VD)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)x, 1));
}
FUSEGRAD_INLINE VF narrow(VD lo, VD hi) {
  return (VF)_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps((__m512d)lo)),
                                _mm512_cvtpd_ps((__m512d)hi), 1);
}
// kLanesD floats of memory as one VD and back.
FUSEGRAD_INLINE VD load_widen(const float* p) { return (VD)_mm512_cvtps_pd(_mm256_loadu_ps(p)); }
FUSEGRAD_INLINE void store_narrow(float* p, VD v) {
  _mm256_storeu_ps(p, _mm512_cvtpd_ps((__m512d)v));
}
FUSEGRAD_INLINE VD load_widen_n(const float* p, int64_t n) {
  return (VD)_mm512_cvtps_pd(_mm256_maskz_loadu_ps(first_lanes_d(n), p));
}
FUSEGRAD_INLINE void store_narrow_n(float* p, VD v, int64_t n) {
  _mm256_mask_storeu_ps(p, first_lanes_d(n), _mm512_cvtpd_ps((__m512d)v));
}
#elif defined(__AVX2__)
FUSEGRAD_INLINE VD widen_lo(VF x) { return (VD)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x)); }
FUSEGRAD_INLINE VD widen_hi(VF x) {
  return (VD)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1));
}
FUSEGRAD_INLINE VF narrow(VD lo, VD hi) {
  return (VF)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps((__m256d)lo)),
                                  _mm256_cvtpd_ps((__m256d)hi), 1);
}
FUSEGRAD_INLINE VD load_widen(const float* p) { return (VD)_mm256_cvtps_pd(_mm_loadu_ps(p)); }
FUSEGRAD_INLINE void store_narrow(float* p, VD v) { _mm_storeu_ps(p, _mm256_cvtpd_ps((__m256d)v)); }
FUSEGRAD_INLINE VD load_widen_n(const float* p, int64_t n) {
  return (VD)_mm256_cvtps_pd(_mm_maskload_ps(p, _mm256_castsi256_si128(first_lanes_f(n))));
}
FUSEGRAD_INLINE void store_narrow_n(float* p, VD v, int64_t n) {
  _mm_maskstore_ps(p, _mm256_castsi256_si128(first_lanes_f(n)), _mm256_cvtpd_ps((__m256d)v));
}
#else
#if defined(__x86_64__)
FUSEGRAD_INLINE VD widen_lo(VF x) { return (VD)_mm_cvtps_pd((__m128)x); }
FUSEGRAD_INLINE VD widen_hi(VF x) { return (VD)_mm_cvtps_pd(_mm_movehl_ps((__m128)x, (__m128)x)); }
FUSEGRAD_INLINE VF narrow(VD lo, VD hi) {
  return (VF)_mm_movelh_ps(_mm_cvtpd_ps((__m128d)lo), _mm_cvtpd_ps((__m128d)hi));
}
#else
FUSEGRAD_INLINE VD widen_lo(VF x) { return (VD)vcvt_f64_f32(vget_low_f32((float32x4_t)x)); }
FUSEGRAD_INLINE VD widen_hi(VF x) { return (VD)vcvt_high_f64_f32((float32x4_t)x); }
FUSEGRAD_INLINE VF narrow(VD lo, VD hi) {
  return (VF)vcvt_high_f32_f64(vcvt_f32_f64((float64x2_t)lo), (float64x2_t)hi);
}
#endif
FUSEGRAD_INLINE VD load_widen(const float* p) {
  return VD{static_cast<double>(p[0]), static_cast<double>(p[1])};
}
FUSEGRAD_INLINE void store_narrow(float* p, VD v) {
  const VF f = narrow(v, v);
  p[0] = f[0];
  p[1] = f[1];
}
FUSEGRAD_INLINE VD load_widen_n(const float* p, int64_t n) {
  return VD{n > 0 ? static_cast<double>(p[0]) : 0.0, n > 1 ? static_cast<double>(p[1]) : 0.0};
}
FUSEGRAD_INLINE void store_narrow_n(float* p, VD v, int64_t n) {
  const VF f = narrow(v, v);
  if (n > 0) p[0] = f[0];
  if (n > 1) p[1] = f[1];
}
#endif

// The same names for double memory, so that one template serves both element types.
FUSEGRAD_INLINE VD load_widen(const double* p) { return load(p); }
FUSEGRAD_INLINE VD load_widen_n(const double* p, int64_t n) { return load_n(p, n); }
FUSEGRAD_INLINE void store_narrow(double* p, VD v) { store(p, v); }
FUSEGRAD_INLINE void store_narrow_n(double* p, VD v, int64_t n) { store_n(p, v, n); }

// ---- fused multiply-add: a * b + c with one rounding ---------------------------------------

#if defined(__AVX512F__)
FUSEGRAD_INLINE VF fma(VF a, VF b, VF c) {
  return (VF)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
FUSEGRAD_INLINE VD fma(VD a, VD b, VD c) {
  return (VD)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
#elif defined(__AVX2__)
FUSEGRAD_INLINE VF fma(VF a, VF b, VF c) {
  return (VF)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
FUSEGRAD_INLINE VD fma(VD a, VD b, VD c) {
  return (VD)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
#elif defined(__aarch64__)
FUSEGRAD_INLINE VF fma(VF a, VF b, VF c) {
  return (VF)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
FUSEGRAD_INLINE VD fma(VD a, VD b, VD c) {
  return (VD)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
#else
// a * b + c rounded to odd, for a, b, c that hold float values: the product of two floats is exact
// in double, TwoSum gives the rounding error of the sum, and a sum that is inexact and even moves
// one unit towards the exact value. Rounding that to float equals rounding the exact value, because
// 53 >= 24 + 2 (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008). All
// intermediate values stay inside double's normal range; infinities and NaN have a NaN error term,
// which fails both comparisons and leaves the sum alone.
FUSEGRAD_INLINE VD fma_to_odd(VD a, VD b, VD c) {
  const VD p = a * b;
  const VD s = p + c;
  const VD t = s - p;
  const VD e = (p - (s - t)) + (c - t);
  const VI64 below = e < VD{};
  const VI64 inexact = below | (e > VD{});
  const VI64 even = (bits(s) & 1) - 1;
  const VI64 step = (below ^ (s < VD{})) | 1;  // +1 away from zero, -1 towards it
  return from_bits(bits(s) + (step & inexact & even));
}
FUSEGRAD_INLINE VF fma(VF a, VF b, VF c) {
  return narrow(fma_to_odd(widen_lo(a), widen_lo(b), widen_lo(c)),
                fma_to_odd(widen_hi(a), widen_hi(b), widen_hi(c)));
}
FUSEGRAD_INLINE VD fma(VD a, VD b, VD c) {
  return VD{__builtin_fma(a[0], b[0], c[0]), __builtin_fma(a[1], b[1], c[1])};
}
#endif

// ---- sixteen virtual lanes -----------------------------------------------------------------
// Reductions accumulate in double over 16 lanes at every level (lane = index modulo 16), then add
// the lanes in one fixed tree. A lane starts at +0 and so never holds -0: adding the zero fill of
// a partial load leaves it unchanged.

constexpr int kLanes16Vectors = 16 / kLanesD;

struct Lanes16 {
  VD v[kLanes16Vectors];
};

FUSEGRAD_INLINE Lanes16 lanes16_zero() { return Lanes16{}; }
FUSEGRAD_INLINE Lanes16 lanes16_set1(double x) {
  Lanes16 r;
  for (int i = 0; i < kLanes16Vectors; ++i) r.v[i] = set1(x);
  return r;
}
template <class T>
FUSEGRAD_INLINE Lanes16 lanes16_load(const T* p) {
  Lanes16 r;
  for (int i = 0; i < kLanes16Vectors; ++i) r.v[i] = load_widen(p + i * kLanesD);
  return r;
}
// The first n of 16 elements (0 <= n <= 16), +0 after them.
template <class T>
FUSEGRAD_INLINE Lanes16 lanes16_load_n(const T* p, int64_t n) {
  Lanes16 r;
  for (int i = 0; i < kLanes16Vectors; ++i) {
    const int64_t left = n - i * kLanesD;
    const int64_t count = left < 0 ? 0 : (left > kLanesD ? kLanesD : left);
    r.v[i] = load_widen_n(p + (count > 0 ? i * kLanesD : 0), count);
  }
  return r;
}
template <class T>
FUSEGRAD_INLINE void lanes16_store_n(T* p, const Lanes16& a, int64_t n) {
  for (int i = 0; i < kLanes16Vectors; ++i) {
    const int64_t left = n - i * kLanesD;
    const int64_t count = left < 0 ? 0 : (left > kLanesD ? kLanesD : left);
    store_narrow_n(p + (count > 0 ? i * kLanesD : 0), a.v[i], count);
  }
}
FUSEGRAD_INLINE Lanes16 lanes16_add(const Lanes16& a, const Lanes16& b) {
  Lanes16 r;
  for (int i = 0; i < kLanes16Vectors; ++i) r.v[i] = a.v[i] + b.v[i];
  return r;
}
// lane[j] += lane[j + s] for s = 8, 4, 2, 1; returns lane[0].
FUSEGRAD_INLINE double lanes16_sum(Lanes16 a) {
  for (int s = kLanes16Vectors / 2; s > 0; s /= 2) {
    for (int i = 0; i < s; ++i) a.v[i] = a.v[i] + a.v[i + s];
  }
#if defined(__AVX512F__)
  const __m512d w = (__m512d)a.v[0];
  const __m256d q = _mm512_castpd512_pd256(w) + _mm512_extractf64x4_pd(w, 1);
  const __m128d h = _mm256_castpd256_pd128(q) + _mm256_extractf128_pd(q, 1);
  return h[0] + h[1];
#elif defined(__AVX2__)
  const __m256d q = (__m256d)a.v[0];
  const __m128d h = _mm256_castpd256_pd128(q) + _mm256_extractf128_pd(q, 1);
  return h[0] + h[1];
#else
  return a.v[0][0] + a.v[0][1];
#endif
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
