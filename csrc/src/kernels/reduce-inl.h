// Reductions over rows: sum, mean, sum of squares about a mean, extremes and their indices. Sums
// accumulate in double over 16 virtual lanes and a fixed tree, and are rounded once.
#pragma once

#include "kernels/rows-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// The sums of term(x[o + r*rs], o) over r for the leading whole blocks of adjacent rows o; returns
// how many rows that was. A block is wide enough to use a cache line fully each time it is touched,
// because lines of a large power-of-two stride evict each other; its 16 lanes live in memory.
template <class T, class Term, class Finish>
FUSEGRAD_INLINE int64_t sum_adjacent_rows(const T* x, int64_t outer, int64_t inner, int64_t rs,
                                          const Term& term, const Finish& finish) {
  constexpr int kVectors = 64 / FUSEGRAD_VECTOR_BYTES * 4;
  constexpr int64_t kWidth = kVectors * kLanesD;
  int64_t o = 0;
  for (; o + kWidth <= outer; o += kWidth) {
    VD lane[16][kVectors] = {};
    for (int64_t r = 0; r < inner; ++r) {
      VD* const lanes = lane[r & 15];
      const T* const p = x + r * rs + o;
      for (int i = 0; i < kVectors; ++i) {
        lanes[i] = lanes[i] + term(load_widen(p + i * kLanesD), o + i * kLanesD);
      }
    }
    for (int i = 0; i < kVectors; ++i) {
      for (int s = 8; s > 0; s /= 2) {
        for (int j = 0; j < s; ++j) lane[j][i] = lane[j][i] + lane[j + s][i];
      }
      finish(o + i * kLanesD, lane[0][i]);
    }
  }
  return o;
}

template <bool kMean, class Out, class T>
FUSEGRAD_INLINE void sum_rows(Out* out, const T* x, int64_t outer, int64_t os, int64_t inner,
                              int64_t rs) {
  if (inner == 1) {  // the sum of one element: no -0
    for (int64_t o = 0; o < outer; ++o) out[o] = static_cast<Out>(x[o * os]) + Out{0};
    return;
  }
  const double count = static_cast<double>(inner);
  const auto result = [count](VD total)
                          FUSEGRAD_INLINE_LAMBDA { return kMean ? total / count : total; };
  int64_t done = 0;
  if (os == 1) {
    done = sum_adjacent_rows(
        x, outer, inner, rs, [](VD v, int64_t) { return v; },
        [&](int64_t o, VD total) { store_narrow(out + o, result(total)); });
  }
  const Rows<const T> rows = {x + done * os, os, rs};
  for_rows(outer - done, os, inner, rs, [&](const auto& walk) {
    const VD total = walk.sum([&](int64_t slot) { return walk.load(rows, slot); });
    walk.store_row(out + done, result(total));
  });
}

template <class T>
FUSEGRAD_INLINE void sum_squares_rows(double* out, const T* x, const double* mean, int64_t outer,
                                      int64_t os, int64_t inner, int64_t rs) {
  int64_t done = 0;
  if (os == 1) {
    done = sum_adjacent_rows(
        x, outer, inner, rs,
        [&](VD v, int64_t o) {
          const VD d = v - load(mean + o);
          return d * d;
        },
        [&](int64_t o, VD total) { store(out + o, total); });
  }
  const Rows<const T> rows = {x + done * os, os, rs};
  for_rows(outer - done, os, inner, rs, [&](const auto& walk) {
    const VD centre = walk.load_row(mean + done, 1);
    walk.store_row(out + done, walk.sum([&](int64_t slot) {
      const VD d = walk.load(rows, slot) - centre;
      return d * d;
    }));
  });
}

// sign is 1 for the largest element, -1 for the smallest. Either output may be null.
template <class T>
FUSEGRAD_INLINE void extreme_rows(T* out, int64_t* index, const T* x, double sign, int64_t outer,
                                  int64_t os, int64_t inner, int64_t rs) {
  const Rows<const T> rows = {x, os, rs};
  for_rows(outer, os, inner, rs, [&](const auto& walk) {
    const Extreme e = walk.extreme([&](int64_t slot) { return walk.load(rows, slot) * sign; });
    if (out != nullptr) walk.store_row(out, e.value * sign);
    if (index != nullptr) walk.store_indices(index, e.index);
  });
}

#define FUSEGRAD_REDUCTIONS(T, suffix)                                                           \
  void sum_##suffix(T* out, const T* x, int64_t outer, int64_t os, int64_t inner, int64_t rs) {  \
    sum_rows<false>(out, x, outer, os, inner, rs);                                               \
  }                                                                                              \
  void mean_##suffix(T* out, const T* x, int64_t outer, int64_t os, int64_t inner, int64_t rs) { \
    sum_rows<true>(out, x, outer, os, inner, rs);                                                \
  }                                                                                              \
  void sum_f64acc_##suffix(double* out, const T* x, int64_t outer, int64_t os, int64_t inner,    \
                           int64_t rs) {                                                         \
    sum_rows<false>(out, x, outer, os, inner, rs);                                               \
  }                                                                                              \
  void sum_squares_about_##suffix(double* out, const T* x, const double* mean, int64_t outer,    \
                                  int64_t os, int64_t inner, int64_t rs) {                       \
    sum_squares_rows(out, x, mean, outer, os, inner, rs);                                        \
  }                                                                                              \
  void max_##suffix(T* out, const T* x, int64_t outer, int64_t os, int64_t inner, int64_t rs) {  \
    extreme_rows<T>(out, nullptr, x, 1.0, outer, os, inner, rs);                                 \
  }                                                                                              \
  void min_##suffix(T* out, const T* x, int64_t outer, int64_t os, int64_t inner, int64_t rs) {  \
    extreme_rows<T>(out, nullptr, x, -1.0, outer, os, inner, rs);                                \
  }                                                                                              \
  void argmax_##suffix(int64_t* out, const T* x, int64_t outer, int64_t os, int64_t inner,       \
                       int64_t rs) {                                                             \
    extreme_rows<T>(nullptr, out, x, 1.0, outer, os, inner, rs);                                 \
  }                                                                                              \
  void argmin_##suffix(int64_t* out, const T* x, int64_t outer, int64_t os, int64_t inner,       \
                       int64_t rs) {                                                             \
    extreme_rows<T>(nullptr, out, x, -1.0, outer, os, inner, rs);                                \
  }
FUSEGRAD_REDUCTIONS(float, f32)
FUSEGRAD_REDUCTIONS(double, f64)
#undef FUSEGRAD_REDUCTIONS

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
