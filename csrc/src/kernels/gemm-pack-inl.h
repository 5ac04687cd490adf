// Packing for the matrix product: panels of `width` lanes by depth rows, dst[k*width + i], read
// from src[i*lane_stride + k*depth_stride]. One routine serves both operands and all strides.
#pragma once

#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

constexpr int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }

// ---- transposing ---------------------------------------------------------------------------
// transpose_step() reads kStep columns of one vector's worth of rows, row i at p + offset[i], and
// returns them as vectors: out[c] lane i = row i, column c. Narrow vectors take 16 bytes a row, so
// that no more registers are needed than the rows fill; 64-byte vectors take whole cache lines.
// zip_* interleave two vectors within each 128-bit part. Narrow vectors have at most 32 bytes.

#if defined(__AVX2__)
typedef float NarrowF __attribute__((vector_size(32)));
typedef double NarrowD __attribute__((vector_size(32)));
#else
typedef VF NarrowF;
typedef VD NarrowD;
#endif
template <class T>
struct Narrow;
template <>
struct Narrow<float> {
  typedef NarrowF V;
  static constexpr int kLanes = sizeof(V) / sizeof(float);
};
template <>
struct Narrow<double> {
  typedef NarrowD V;
  static constexpr int kLanes = sizeof(V) / sizeof(double);
};

#if defined(__AVX512F__)
FUSEGRAD_INLINE VF zip_lo(VF a, VF b) { return (VF)_mm512_unpacklo_ps((__m512)a, (__m512)b); }
FUSEGRAD_INLINE VF zip_hi(VF a, VF b) { return (VF)_mm512_unpackhi_ps((__m512)a, (__m512)b); }
FUSEGRAD_INLINE VD zip_lo(VD a, VD b) { return (VD)_mm512_unpacklo_pd((__m512d)a, (__m512d)b); }
FUSEGRAD_INLINE VD zip_hi(VD a, VD b) { return (VD)_mm512_unpackhi_pd((__m512d)a, (__m512d)b); }
// The 128-bit parts of a chosen by the low half of kParts, then those of b by the high half.
template <int kParts>
FUSEGRAD_INLINE VF parts(VF a, VF b) {
  return (VF)_mm512_shuffle_f32x4((__m512)a, (__m512)b, kParts);
}
template <int kParts>
FUSEGRAD_INLINE VD parts(VD a, VD b) {
  return (VD)_mm512_shuffle_f64x2((__m512d)a, (__m512d)b, kParts);
}
FUSEGRAD_INLINE NarrowF fma(NarrowF a, NarrowF b, NarrowF c) {
  return (NarrowF)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
FUSEGRAD_INLINE NarrowD fma(NarrowD a, NarrowD b, NarrowD c) {
  return (NarrowD)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
#endif
#if defined(__AVX2__)
FUSEGRAD_INLINE NarrowF chunks(const float* p, const float* q) {
  return (NarrowF)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(q), 1);
}
FUSEGRAD_INLINE NarrowD chunks(const double* p, const double* q) {
  return (NarrowD)_mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p)), _mm_loadu_pd(q), 1);
}
FUSEGRAD_INLINE NarrowF zip_lo(NarrowF a, NarrowF b) {
  return (NarrowF)_mm256_unpacklo_ps((__m256)a, (__m256)b);
}
FUSEGRAD_INLINE NarrowF zip_hi(NarrowF a, NarrowF b) {
  return (NarrowF)_mm256_unpackhi_ps((__m256)a, (__m256)b);
}
FUSEGRAD_INLINE NarrowD zip_lo(NarrowD a, NarrowD b) {
  return (NarrowD)_mm256_unpacklo_pd((__m256d)a, (__m256d)b);
}
FUSEGRAD_INLINE NarrowD zip_hi(NarrowD a, NarrowD b) {
  return (NarrowD)_mm256_unpackhi_pd((__m256d)a, (__m256d)b);
}
#else
FUSEGRAD_INLINE VF chunks(const float* p, const float*) { return load(p); }
FUSEGRAD_INLINE VD chunks(const double* p, const double*) { return load(p); }
#if defined(__x86_64__)
FUSEGRAD_INLINE VF zip_lo(VF a, VF b) { return (VF)_mm_unpacklo_ps((__m128)a, (__m128)b); }
FUSEGRAD_INLINE VF zip_hi(VF a, VF b) { return (VF)_mm_unpackhi_ps((__m128)a, (__m128)b); }
FUSEGRAD_INLINE VD zip_lo(VD a, VD b) { return (VD)_mm_unpacklo_pd((__m128d)a, (__m128d)b); }
FUSEGRAD_INLINE VD zip_hi(VD a, VD b) { return (VD)_mm_unpackhi_pd((__m128d)a, (__m128d)b); }
#else
FUSEGRAD_INLINE VF zip_lo(VF a, VF b) { return (VF)vzip1q_f32((float32x4_t)a, (float32x4_t)b); }
FUSEGRAD_INLINE VF zip_hi(VF a, VF b) { return (VF)vzip2q_f32((float32x4_t)a, (float32x4_t)b); }
FUSEGRAD_INLINE VD zip_lo(VD a, VD b) { return (VD)vzip1q_f64((float64x2_t)a, (float64x2_t)b); }
FUSEGRAD_INLINE VD zip_hi(VD a, VD b) { return (VD)vzip2q_f64((float64x2_t)a, (float64x2_t)b); }
#endif
#endif

// Transposes inside each 128-bit part: part q of out[c] is column c of part q of the inputs.
template <class V>
FUSEGRAD_INLINE void transpose_parts(V* out, V r0, V r1, V r2, V r3) {
  const V even_lo = zip_lo(r0, r2);  // r0[0] r2[0] r0[1] r2[1]
  const V even_hi = zip_hi(r0, r2);
  const V odd_lo = zip_lo(r1, r3);
  const V odd_hi = zip_hi(r1, r3);
  out[0] = zip_lo(even_lo, odd_lo);  // r0[0] r1[0] r2[0] r3[0]
  out[1] = zip_hi(even_lo, odd_lo);
  out[2] = zip_lo(even_hi, odd_hi);
  out[3] = zip_hi(even_hi, odd_hi);
}
template <class V>
FUSEGRAD_INLINE void transpose_parts(V* out, V r0, V r1) {
  out[0] = zip_lo(r0, r1);
  out[1] = zip_hi(r0, r1);
}

// Elements of one 128-bit part, and of one cache line.
template <class T>
constexpr int kPart = 16 / static_cast<int>(sizeof(T));
template <class T>
constexpr int kLine = 64 / static_cast<int>(sizeof(T));

// 16 bytes each of as many rows as a narrow vector has lanes. The parts come together on the way
// in: half of the shuffles that joining them afterwards takes.
FUSEGRAD_INLINE void transpose_narrow(NarrowF* out, const float* p, const int64_t* offset) {
  constexpr int kHigh = Narrow<float>::kLanes - 4;
  transpose_parts(
      out, chunks(p + offset[0], p + offset[kHigh]), chunks(p + offset[1], p + offset[kHigh + 1]),
      chunks(p + offset[2], p + offset[kHigh + 2]), chunks(p + offset[3], p + offset[kHigh + 3]));
}
FUSEGRAD_INLINE void transpose_narrow(NarrowD* out, const double* p, const int64_t* offset) {
  constexpr int kHigh = Narrow<double>::kLanes - 2;
  transpose_parts(out, chunks(p + offset[0], p + offset[kHigh]),
                  chunks(p + offset[1], p + offset[kHigh + 1]));
}

#if defined(__AVX512F__)
template <class T>
constexpr int kStep = Vec<T>::kLanes;

FUSEGRAD_INLINE void transpose_rows(VF* out, const float* p, const int64_t* offset) {
  transpose_parts(out, load(p + offset[0]), load(p + offset[1]), load(p + offset[2]),
                  load(p + offset[3]));
}
FUSEGRAD_INLINE void transpose_rows(VD* out, const double* p, const int64_t* offset) {
  transpose_parts(out, load(p + offset[0]), load(p + offset[1]));
}
// From rows transposed inside each 128-bit part to columns: part q of s[i*kRows + c] holds rows
// i*kRows .., column q*kRows + c.
template <class T>
FUSEGRAD_INLINE void join_parts(typename Vec<T>::V* out, const typename Vec<T>::V* s) {
  typedef typename Vec<T>::V V;
  constexpr int kRows = kPart<T>;
#pragma GCC unroll 4
  for (int c = 0; c < kRows; ++c) {
    const V lo01 = parts<0x44>(s[c], s[kRows + c]);
    const V hi01 = parts<0xee>(s[c], s[kRows + c]);
    const V lo23 = parts<0x44>(s[2 * kRows + c], s[3 * kRows + c]);
    const V hi23 = parts<0xee>(s[2 * kRows + c], s[3 * kRows + c]);
    out[c] = parts<0x88>(lo01, lo23);
    out[kRows + c] = parts<0xdd>(lo01, lo23);
    out[2 * kRows + c] = parts<0x88>(hi01, hi23);
    out[3 * kRows + c] = parts<0xdd>(hi01, hi23);
  }
}
template <class T>
FUSEGRAD_INLINE void transpose_step(typename Vec<T>::V* out, const T* p, const int64_t* offset) {
  constexpr int kRows = kPart<T>;
  typename Vec<T>::V s[4 * kRows];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) transpose_rows(s + i * kRows, p, offset + i * kRows);
  join_parts<T>(out, s);
}
#else
template <class T>
constexpr int kStep = kPart<T>;

template <class T>
FUSEGRAD_INLINE void transpose_step(typename Vec<T>::V* out, const T* p, const int64_t* offset) {
  transpose_narrow(out, p, offset);
}
#endif

// ---- panels --------------------------------------------------------------------------------

constexpr int64_t kWidestPanel = 64;

// The rows are cut into panels whose heights differ by at most one.
struct RowPanels {
  int64_t count, height, taller;  // the first `taller` panels have height + 1 rows
  int64_t start(int64_t p) const { return p * height + at_most(p, taller); }
  int64_t rows(int64_t p) const { return height + (p < taller ? 1 : 0); }
};

inline RowPanels split_rows(int64_t m, int64_t tallest) {
  const int64_t count = (m + tallest - 1) / tallest;
  return RowPanels{count, m / count, m % count};
}

// A panel whose source has unit depth stride. Lanes past `valid` repeat the last one. Whole vectors
// are stored, lane groups from the last to the first and rows upwards, so that what spills past
// `width` into the next row is overwritten.
template <class T>
inline void pack_transposed(T* dst, int64_t width, const T* src, int64_t lane_stride, int64_t valid,
                            int64_t depth) {
  typedef typename Vec<T>::V V;
  constexpr int kLanes = Vec<T>::kLanes;
  int64_t offset[kWidestPanel];
  const int64_t last = (valid - 1) / kLanes * kLanes;
  for (int64_t i = 0; i < last + kLanes; ++i) offset[i] = at_most(i, valid - 1) * lane_stride;
  int64_t k = 0;
  for (; k + kStep<T> <= depth; k += kStep<T>) {
    for (int64_t i = last; i >= 0; i -= kLanes) {
      V out[kStep<T>];
      if (k % kLine<T> == 0) {
        for (int c = 0; c < kLanes; ++c) __builtin_prefetch(src + k + 2 * kLine<T> + offset[i + c]);
      }
      transpose_step(out, src + k, offset + i);
      for (int c = 0; c < kStep<T>; ++c) store(dst + (k + c) * width + i, out[c]);
    }
  }
  for (; k < depth; ++k) {
    for (int64_t i = 0; i < valid; ++i) dst[k * width + i] = src[offset[i] + k];
  }
}

// The way back: dst[i*dst_rs + j] = src[j*src_rs + i] for i < rows, j < columns. Rows of src have
// whole vectors.
template <class T>
inline void store_transposed(T* dst, int64_t dst_rs, const T* src, int64_t src_rs, int64_t rows,
                             int64_t columns) {
  typedef typename Vec<T>::V V;
  constexpr int kLanes = Vec<T>::kLanes;
  for (int64_t j = 0; j < columns; j += kLanes) {
    const int64_t count = at_most(kLanes, columns - j);
    int64_t offset[kLanes];
    for (int64_t q = 0; q < kLanes; ++q) offset[q] = at_most(j + q, columns - 1) * src_rs;
    for (int64_t i = 0; i < rows; i += kStep<T>) {
      V out[kStep<T>];
      transpose_step(out, src + i, offset);
      for (int c = 0; c < kStep<T> && i + c < rows; ++c) {
        store_n(dst + (i + c) * dst_rs + j, out[c], count);
      }
    }
  }
}

// Packs `valid` <= width lanes; those past `valid` only feed outputs that are never stored.
// dst needs kLanes elements of slack after width*depth.
template <class T>
inline void pack_panel(T* dst, int64_t width, const T* src, int64_t lane_stride,
                       int64_t depth_stride, int64_t valid, int64_t depth) {
  constexpr int kLanes = Vec<T>::kLanes;
  if (lane_stride == 1) {
    const int64_t full = valid / kLanes * kLanes;
    const int64_t rest = valid - full;
    for (int64_t k = 0; k < depth; ++k) {
      const T* s = src + k * depth_stride;
      T* d = dst + k * width;
      for (int64_t i = 0; i < full; i += kLanes) store(d + i, load(s + i));
      if (rest > 0) store(d + full, load_n(s + full, rest));
    }
  } else if (depth_stride == 1) {
    pack_transposed(dst, width, src, lane_stride, valid, depth);
  } else {
    for (int64_t k = 0; k < depth; ++k) {
      const T* s = src + k * depth_stride;
      T* d = dst + k * width;
      for (int64_t i = 0; i < width; ++i) d[i] = s[at_most(i, valid - 1) * lane_stride];
    }
  }
}

// Rounds a packed panel to bfloat16, the nearest or of two the even one, kept in float32. dst needs
// the slack that packing needs.
FUSEGRAD_INLINE VF to_bfloat16(VF x) {
  const VI32 odd = (VI32)((VU32)bits(x) >> 16) & 1;
  const VI32 rounded = (bits(x) + (odd + 0x7fff)) & static_cast<int32_t>(0xffff0000);
  return select(x != x, x, from_bits(rounded));
}
inline void round_to_bfloat16(float* panel, int64_t count) {
  for (int64_t i = 0; i < count; i += kLanesF) store(panel + i, to_bfloat16(load(panel + i)));
}
inline void round_to_bfloat16(double*, int64_t) {}  // products of doubles are never rounded

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
