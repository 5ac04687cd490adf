// Batch gather: rows from anywhere in memory, side by side and, where a product reads them so,
// transposed as well.
#pragma once

#include "kernels/copy-inl.h"
#include "kernels/gemm-pack-inl.h"
#include "kernels/kernels.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

template <class T>
FUSEGRAD_INLINE void copy_row(T* y, const T* x, int64_t n) {
  constexpr int kLanes = Vec<T>::kLanes;
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) store(y + j, load(x + j));
  if (j < n) store_n(y + j, load_n(x + j, n - j), n - j);
}

// put(y, x, n) converts n elements. Columns are taken in blocks that stay in the nearest cache
// until they have been transposed.
template <class T, class From, class Put>
FUSEGRAD_INLINE void gather(T* y, T* yt, const From* x, const GatherRows& batch, const Put& put) {
  constexpr int64_t kBlock = 128;
  const int64_t n = batch.n;
  const auto row = [&](int64_t i) {
    return x + (batch.rows != nullptr ? batch.rows[i] : i) * batch.stride;
  };
  if (yt == nullptr) {
    for (int64_t i = batch.begin; i < batch.end; ++i) put(y + i * n, row(i), n);
    return;
  }
  constexpr int64_t kRows = 16;
  for (int64_t i0 = batch.begin; i0 < batch.end; i0 += kRows) {
    for (int64_t j = 0; j < n; j += kBlock) {
      const int64_t width = at_most(kBlock, n - j);
      for (int64_t i = i0; i < i0 + kRows; ++i) put(y + i * n + j, row(i) + j, width);
      pack_transposed(yt + j * batch.count + i0, batch.count, y + i0 * n + j, n, kRows, width);
    }
  }
}

void gather_f32(float* y, float* yt, const float* x, const GatherRows& batch) {
  gather(y, yt, x, batch, copy_row<float>);
}
void gather_f64(double* y, double* yt, const double* x, const GatherRows& batch) {
  gather(y, yt, x, batch, copy_row<double>);
}
void gather_f32_u8(float* y, float* yt, const uint8_t* x, const GatherRows& batch, double scale,
                   double offset) {
  const float a = static_cast<float>(scale), b = static_cast<float>(offset);
  gather(y, yt, x, batch,
         [=](float* to, const uint8_t* from, int64_t n)
             __attribute__((always_inline)) { from_u8_op(to, from, n, a, b); });
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
