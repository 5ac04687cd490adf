// Merging of loop axes, and plain copies.
//
// Copies between different orders go through the transposing kernel.
#include "ops/iterate.h"

#include <cstring>
#include <utility>

#include "kernels/kernels.h"

namespace fusegrad {

void Loop::add(const View& view, const Strides& strides_of_axes) {
  for (int i = 0; i < strides_of_axes.rank(); ++i) full_[operands][i] = strides_of_axes[i];
  data[operands] = static_cast<char*>(view.data);
  item[operands] = itemsize(view.dtype);
  ++operands;
}

void Loop::finish(const Shape& shape, const bool* axes) {
  // Axes longer than 1, by descending stride of operand 0 (ties keep C order).
  int order[kMaxRank];
  int count = 0;
  size = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (axes != nullptr && !axes[i]) continue;
    size *= shape[i];
    if (shape[i] == 1) continue;
    const auto magnitude = [&](int axis) {
      const int64_t s = full_[0][axis];
      return s < 0 ? -s : s;
    };
    int place = count++;
    while (place > 0 && magnitude(order[place - 1]) < magnitude(i)) {
      order[place] = order[place - 1];
      --place;
    }
    order[place] = i;
  }
  rank = 0;
  if (size == 0) return;
  for (int i = 0; i < count; ++i) {
    const int axis = order[i];
    bool merge = rank > 0;
    for (int k = 0; merge && k < operands; ++k) {
      merge = strides[rank - 1][k] == full_[k][axis] * shape[axis];
    }
    const int d = merge ? rank - 1 : rank++;
    sizes[d] = merge ? sizes[d] * shape[axis] : shape[axis];
    for (int k = 0; k < operands; ++k) strides[d][k] = full_[k][axis];
  }
  if (rank == 0) {
    rank = 1;
    sizes[0] = 1;
    for (int k = 0; k < operands; ++k) strides[0][k] = 1;
  }
  // Long strided runs beat many short ones.
  const int last = rank - 1;
  if (axes == nullptr && rank > 1 && sizes[last] < 8 && sizes[last - 1] > sizes[last]) {
    std::swap(sizes[last], sizes[last - 1]);
    for (int k = 0; k < operands; ++k) std::swap(strides[last][k], strides[last - 1][k]);
  }
}

namespace {

template <typename T>
void copy_run(char* const* at, const int64_t* strides, int64_t n) {
  T* y = typed<T>(at[0]);
  const T* x = typed<T>(at[1]);
  const int64_t ys = strides[0];
  const int64_t xs = strides[1];
  if (ys == 1 && xs == 1) {
    std::memcpy(y, x, static_cast<size_t>(n) * sizeof(T));
  } else {
    for (int64_t i = 0; i < n; ++i) y[i * ys] = x[i * xs];
  }
}

// The axis along which operand 1 has stride 1 while the run of operand 0 has too; -1 if none.
int transposed_axis(const Loop& loop) {
  const int last = loop.rank - 1;
  if (loop.strides[last][0] != 1 || loop.strides[last][1] == 1) return -1;
  for (int d = last - 1; d >= 0; --d) {
    if (loop.strides[d][1] == 1 && loop.sizes[d] >= 4 && loop.sizes[last] >= 4) return d;
  }
  return -1;
}

void copy_transposed(const Loop& loop, int column, int64_t bytes) {
  const int last = loop.rank - 1;
  Loop outer = loop;  // without the two axes that the kernel covers
  outer.size /= loop.sizes[last] * loop.sizes[column];
  outer.rank = 0;
  for (int d = 0; d < last; ++d) {
    if (d == column) continue;
    outer.sizes[outer.rank] = loop.sizes[d];
    for (int k = 0; k < 2; ++k) outer.strides[outer.rank][k] = loop.strides[d][k];
    ++outer.rank;
  }
  if (outer.rank == 0) {
    outer.rank = 1;
    outer.sizes[0] = 1;
    outer.strides[0][0] = outer.strides[0][1] = 0;
  }
  const int64_t y_rs = loop.strides[column][0];
  const int64_t x_rs = loop.strides[last][1];
  const int64_t rows = loop.sizes[last];
  const int64_t cols = loop.sizes[column];
  for_each_run(outer, outer.size, [&](char* const* at, const int64_t* s, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      char* y = at[0] + i * s[0] * bytes;
      char* x = at[1] + i * s[1] * bytes;
      if (bytes == 4) {
        kernels().transpose_f32(typed<float>(y), y_rs, typed<float>(x), x_rs, rows, cols);
      } else {
        kernels().transpose_f64(typed<double>(y), y_rs, typed<double>(x), x_rs, rows, cols);
      }
    }
  });
}

}  // namespace

void copy_view(const View& dst, const View& src) {
  Loop loop;
  make_loop(&loop, dst.shape, &dst, &src, 1);
  if (loop.size == 0) return;
  const int64_t bytes = itemsize(dst.dtype);
  if (is_floating(dst.dtype)) {
    const int column = transposed_axis(loop);
    if (column >= 0) return copy_transposed(loop, column, bytes);
  }
  switch (bytes) {
    case 1: return for_each_run(loop, kCheapGrain * 4, copy_run<uint8_t>);
    case 4: return for_each_run(loop, kCheapGrain, copy_run<uint32_t>);
    default: return for_each_run(loop, kCheapGrain, copy_run<uint64_t>);
  }
}

void fill_zero(const View& dst) {
  Loop loop;
  make_loop(&loop, dst.shape, &dst, nullptr, 0);
  const int64_t bytes = itemsize(dst.dtype);
  for_each_run(loop, kCheapGrain, [&](char* const* at, const int64_t* s, int64_t n) {
    if (s[0] == 1 || n == 1) {
      std::memset(at[0], 0, static_cast<size_t>(n * bytes));
      return;
    }
    for (int64_t i = 0; i < n; ++i) {
      std::memset(at[0] + i * s[0] * bytes, 0, static_cast<size_t>(bytes));
    }
  });
}

}  // namespace fusegrad
