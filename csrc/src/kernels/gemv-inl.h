// Vector times matrix: the products with one row, where nothing is reused and the matrix streams
// through once. Same chains and epilogue as the tiles of gemm-tile-inl.h.
#pragma once

#include "kernels/gemm-pack-inl.h"
#include "kernels/gemm-tile-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// Finishes `count` columns from j on of the single output row.
template <class T>
inline void finish_columns(const T* acc, int64_t j, int64_t count, const GemmArgs<T>& g,
                           TileOut<T>& out) {
  out.c = g.c + j * g.c_cs;
  out.bias = g.bias == nullptr ? nullptr : g.bias + j * g.bias_stride_n;
  out.cols = count;
  finish_tile(acc, 1, count, out);
}

// Rows of b are contiguous: the outputs of many columns accumulate in a buffer that stays in cache
// while several rows at a time pass by.
template <class T>
void gemv_by_rows(const GemmArgs<T>& g) {
  typedef typename Vec<T>::V V;
  constexpr int kLanes = Vec<T>::kLanes;
  constexpr int64_t kColumns = 8192 / sizeof(T);
  constexpr int kRowsAtOnce = 4;
  TileOut<T> out = start_output(g);
  alignas(64) T acc[kColumns];
  for (int64_t j0 = 0; j0 < g.n; j0 += kColumns) {
    const int64_t columns = at_most(kColumns, g.n - j0);
    const int64_t whole = columns / kLanes * kLanes;
    const int64_t rest = columns - whole;
    for (int64_t k0 = 0; k0 == 0 || k0 < g.k; k0 += kGemmBlockK) {
      const int64_t k1 = at_most(k0 + kGemmBlockK, g.k);
      for (int64_t j = 0; j < columns; j += kLanes) store(acc + j, V{});
      int64_t k = k0;
      for (; k + kRowsAtOnce <= k1; k += kRowsAtOnce) {
        const T* const b = g.b + k * g.b_rs + j0;
        V a[kRowsAtOnce];
        for (int r = 0; r < kRowsAtOnce; ++r) a[r] = set1(g.a[(k + r) * g.a_cs]);
        for (int64_t j = 0; j < whole; j += kLanes) {
          V x = load(acc + j);
          for (int r = 0; r < kRowsAtOnce; ++r) x = fma(a[r], load(b + r * g.b_rs + j), x);
          store(acc + j, x);
        }
        if (rest > 0) {
          V x = load(acc + whole);
          for (int r = 0; r < kRowsAtOnce; ++r) {
            x = fma(a[r], load_n(b + r * g.b_rs + whole, rest), x);
          }
          store(acc + whole, x);
        }
      }
      for (; k < k1; ++k) {
        const T* const b = g.b + k * g.b_rs + j0;
        const V a = set1(g.a[k * g.a_cs]);
        for (int64_t j = 0; j < whole; j += kLanes) {
          store(acc + j, fma(a, load(b + j), load(acc + j)));
        }
        if (rest > 0) store(acc + whole, fma(a, load_n(b + whole, rest), load(acc + whole)));
      }
      out.first = k0 == 0;
      out.last = k0 + kGemmBlockK >= g.k;
      finish_columns(acc, j0, columns, g, out);
    }
  }
}

// Columns of b are contiguous (a weight matrix stored [out][in]): vectors of outputs, transposed in
// registers on the way in. How much of each column is read at a time:
// - 16 bytes, into narrow vectors, of as many columns as hide the latency of the multiply-add
template <class T>
struct Chunks {
  using Lanes = Narrow<T>;
  static constexpr int kGroups = 4;
  static constexpr int kDepth = kPart<T>;     // elements of a column at a time
  static constexpr int kTransposed = kDepth;  // of them, by one transpose()
  static FUSEGRAD_INLINE void transpose(typename Lanes::V* out, const T* p, const int64_t* offset) {
    transpose_narrow(out, p, offset);
  }
};
// - whole cache lines of few columns, where columns share sets of the first cache
template <class T>
struct Lines {
  using Lanes = Vec<T>;
  static constexpr int kGroups = 2;
  static constexpr int kDepth = kLine<T>;
  static constexpr int kTransposed = kStep<T>;
  static FUSEGRAD_INLINE void transpose(typename Lanes::V* out, const T* p, const int64_t* offset) {
    transpose_step(out, p, offset);
  }
};

// kGroups vectors of columns from j0 on.
template <class T, class Read, int kGroups>
inline void gemv_groups(const GemmArgs<T>& g, int64_t j0, int64_t columns, TileOut<T>& out) {
  typedef typename Read::Lanes::V V;
  constexpr int kLanes = Read::Lanes::kLanes;
  constexpr int kWide = Vec<T>::kLanes;  // what finishing reads at a time
  constexpr int kRow = kGroups * kLanes < kWide ? kWide : kGroups * kLanes;
  int64_t offset[kGroups * kLanes];
  for (int64_t i = 0; i < kGroups * kLanes; ++i) offset[i] = at_most(i, columns - 1) * g.b_cs;
  const T* const b = g.b + j0 * g.b_cs;
  for (int64_t k0 = 0; k0 == 0 || k0 < g.k; k0 += kGemmBlockK) {
    const int64_t k1 = at_most(k0 + kGemmBlockK, g.k);
    V acc[kGroups] = {};
    int64_t k = k0;
    for (; k + Read::kDepth <= k1; k += Read::kDepth) {
#pragma GCC unroll 4
      for (int v = 0; v < kGroups; ++v) {
#pragma GCC unroll 8
        for (int q = 0; q < Read::kDepth; q += Read::kTransposed) {
          V column[Read::kTransposed];
          Read::transpose(column, b + k + q, offset + v * kLanes);
#pragma GCC unroll 16
          for (int c = 0; c < Read::kTransposed; ++c) {
            acc[v] = fma(g.a[(k + q + c) * g.a_cs] - V{}, column[c], acc[v]);
          }
        }
      }
    }
    for (; k < k1; ++k) {
      const V a = g.a[k * g.a_cs] - V{};
      for (int v = 0; v < kGroups; ++v) {
        V column = {};
        for (int i = 0; i < kLanes; ++i) column[i] = b[offset[v * kLanes + i] + k];
        acc[v] = fma(a, column, acc[v]);
      }
    }
    alignas(64) T row[kRow] = {};
    __builtin_memcpy(row, acc, sizeof(acc));
    out.first = k0 == 0;
    out.last = k0 + kGemmBlockK >= g.k;
    finish_columns(row, j0, columns, g, out);
  }
}

template <class T, class Read>
void gemv_by_columns(const GemmArgs<T>& g) {
  constexpr int64_t kLanes = Read::Lanes::kLanes;
  constexpr int64_t kColumns = Read::kGroups * kLanes;
  TileOut<T> out = start_output(g);
  for (int64_t j = 0; j < g.n; j += kColumns) {
    const int64_t columns = at_most(kColumns, g.n - j);
    if (columns > 2 * kLanes) {
      gemv_groups<T, Read, Read::kGroups>(g, j, columns, out);
    } else if (columns > kLanes) {
      gemv_groups<T, Read, 2>(g, j, columns, out);
    } else {
      gemv_groups<T, Read, 1>(g, j, columns, out);
    }
  }
}

// m is 1, and b has a unit stride.
template <class T>
void gemv(const GemmArgs<T>& g) {
  constexpr int64_t kSharesSets = 2048;
  if (g.b_cs == 1) {
    gemv_by_rows(g);
  } else if (g.b_cs * static_cast<int64_t>(sizeof(T)) % kSharesSets == 0) {
    gemv_by_columns<T, Lines<T>>(g);
  } else {
    gemv_by_columns<T, Chunks<T>>(g);
  }
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
