// Products with few rows whose other operand has its unit stride along k: all rows fit one tile, so
// that each column is used once, where it is read. Lanes run along the columns, which are
// transposed in registers on the way in; nothing is packed. Same chains and epilogue as the tiles
// of gemm-tile-inl.h.
#pragma once

#include "kernels/gemm-pack-inl.h"
#include "kernels/gemm-tile-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// Sums of this many rows, one vector each, leave registers for transposing.
#if defined(__AVX512F__)
constexpr int kFewRows = 28;
#elif defined(__AVX2__)
constexpr int kFewRows = 8;
#elif defined(__aarch64__)
constexpr int kFewRows = 20;
#else
constexpr int kFewRows = 2;
#endif

// transpose_chunks() reads 16 bytes each of one vector's worth of rows, row i at p + offset[i]:
// out[c] lane i = row i, column c. Loads that merge leave the shuffles to the transposing.
#if defined(__AVX512F__)
FUSEGRAD_INLINE VF chunks_of_rows(const float* p, const int64_t* offset) {
  const __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(p + offset[0]));
  const __m512 y = _mm512_mask_broadcast_f32x4(x, 0x00f0, _mm_loadu_ps(p + offset[4]));
  const __m512 z = _mm512_mask_broadcast_f32x4(y, 0x0f00, _mm_loadu_ps(p + offset[8]));
  return (VF)_mm512_mask_broadcast_f32x4(z, 0xf000, _mm_loadu_ps(p + offset[12]));
}
FUSEGRAD_INLINE VD chunks_of_rows(const double* p, const int64_t* offset) {
  const __m512d x = _mm512_castpd128_pd512(_mm_loadu_pd(p + offset[0]));
  const __m512d y = _mm512_mask_broadcast_f64x2(x, 0x0c, _mm_loadu_pd(p + offset[2]));
  const __m512d z = _mm512_mask_broadcast_f64x2(y, 0x30, _mm_loadu_pd(p + offset[4]));
  return (VD)_mm512_mask_broadcast_f64x2(z, 0xc0, _mm_loadu_pd(p + offset[6]));
}
FUSEGRAD_INLINE void transpose_chunks(VF* out, const float* p, const int64_t* offset) {
  transpose_parts(out, chunks_of_rows(p, offset), chunks_of_rows(p, offset + 1),
                  chunks_of_rows(p, offset + 2), chunks_of_rows(p, offset + 3));
}
FUSEGRAD_INLINE void transpose_chunks(VD* out, const double* p, const int64_t* offset) {
  transpose_parts(out, chunks_of_rows(p, offset), chunks_of_rows(p, offset + 1));
}
FUSEGRAD_INLINE void transpose_parts_of(VF* out, const VF* x) {
  transpose_parts(out, x[0], x[1], x[2], x[3]);
}
FUSEGRAD_INLINE void transpose_parts_of(VD* out, const VD* x) { transpose_parts(out, x[0], x[1]); }
#else
template <class T>
FUSEGRAD_INLINE void transpose_chunks(typename Vec<T>::V* out, const T* p, const int64_t* offset) {
  transpose_narrow(out, p, offset);
}
#endif

// Lane i of x[j] goes to c[i*c_cs + j], i < columns: rows that lie as columns do.
template <class T, int kRows>
FUSEGRAD_INLINE void store_turned(T* c, int64_t c_cs, int64_t columns,
                                  const typename Vec<T>::V (&x)[kRows][1]) {
  constexpr int kLanes = Vec<T>::kLanes;
#if defined(__AVX512F__)
  // From registers: what was stored would be read back before it has reached the cache.
  typedef typename Vec<T>::V V;
#pragma GCC unroll 4
  for (int j = 0; j < kRows; j += kLanes) {
    V row[kLanes], part[kLanes], out[kLanes];
#pragma GCC unroll 16
    for (int q = 0; q < kLanes; ++q) row[q] = j + q < kRows ? x[at_most(j + q, kRows - 1)][0] : V{};
#pragma GCC unroll 4
    for (int q = 0; q < kLanes; q += kPart<T>) transpose_parts_of(part + q, row + q);
    join_parts<T>(out, part);
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if (i == columns) break;
      kRows - j >= kLanes ? store(c + i * c_cs + j, out[i])
                          : store_n(c + i * c_cs + j, out[i], kRows - j);
    }
  }
#else
  alignas(64) T rows[kRows * kLanes];
  for (int j = 0; j < kRows; ++j) store(rows + j * kLanes, x[j][0]);
  store_transposed(c, c_cs, rows, kLanes, columns, kRows);
#endif
}

// acc[i] = fma(a[i], b, acc[i])
template <class T, int kRows>
FUSEGRAD_INLINE void multiply_add(typename Vec<T>::V (&acc)[kRows][1], const T* a,
                                  typename Vec<T>::V b) {
#pragma GCC unroll 32
  for (int i = 0; i < kRows; ++i) acc[i][0] = fma(set1(a[i]), b, acc[i][0]);
}

// kRows rows and `columns` columns from j on, of at most one vector.
template <class T, int kRows>
void few_rows(const GemmArgs<T>& g, int64_t j, int64_t columns, TileOut<T>& out) {
  typedef typename Vec<T>::V V;
  constexpr int kLanes = Vec<T>::kLanes;
  int64_t offset[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) offset[i] = at_most(i, columns - 1) * g.b_cs;
  const T* a = g.a;
  const T* const b = g.b + j * g.b_cs;
  out.c = g.c + j * g.c_cs;
  out.bias = g.bias == nullptr ? nullptr : g.bias + j * g.bias_stride_n;
  out.relu_of = g.relu_of == nullptr ? nullptr : g.relu_of + j * g.c_cs;
  out.cols = columns;
  V sum[kRows];  // of the blocks of k before this one
  for (int64_t k0 = 0;; k0 += kGemmBlockK) {
    const int64_t k1 = at_most(k0 + kGemmBlockK, g.k);
    V acc[kRows][1] = {};
    int64_t k = k0;
    for (; k + kPart<T> <= k1; k += kPart<T>) {
      V column[kPart<T>];
      transpose_chunks(column, b + k, offset);
#pragma GCC unroll 4
      for (int c = 0; c < kPart<T>; ++c) {
        multiply_add<T>(acc, a, column[c]);
        a += g.a_cs;
      }
    }
    for (; k < k1; ++k) {
      V column = {};
      for (int i = 0; i < kLanes; ++i) column[i] = b[offset[i] + k];
      multiply_add<T>(acc, a, column);
      a += g.a_cs;
    }
    if (k0 > 0) {
#pragma GCC unroll 32
      for (int i = 0; i < kRows; ++i) acc[i][0] = sum[i] + acc[i][0];
    }
    if (k1 == g.k) {
      if (g.c_cs == 1) return finish_registers<T>(acc, out);
      finish_values<T>(acc, out);
      return store_turned<T>(out.c, g.c_cs, columns, acc);
    }
#pragma GCC unroll 32
    for (int i = 0; i < kRows; ++i) sum[i] = acc[i][0];
  }
}

// few_rows for 1 .. kRows rows.
template <class T, int kRows = kFewRows>
auto find_few_rows(int64_t rows) {
  if constexpr (kRows == 1) {
    return few_rows<T, 1>;
  } else {
    return rows == kRows ? few_rows<T, kRows> : find_few_rows<T, kRows - 1>(rows);
  }
}

// Whether multiply_few_rows serves for a product, lanes along its columns.
template <class T>
inline bool has_few_rows(const GemmArgs<T>& g) {
  return g.m <= kFewRows && g.a_rs == 1 && g.b_rs == 1 && g.b_cs != 1 &&
         (g.c_cs == 1 || (g.c_rs == 1 && g.relu_of == nullptr)) && has_simple_bias(g) &&
         !g.bfloat16;
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
