// Rows: operands seen as (kept axes) x (reduced axes), for reductions, softmax and the losses.
//
// Kernels take x[o*os + r*rs]. The reduced axes must merge to one stride in C order, because their
// order is the order of summation; the kept axes are free and follow operand 0's memory.
#pragma once

#include "kernels/kernels.h"
#include "ops/iterate.h"

namespace fusegrad {

struct Rows {
  Loop loop;                 // over the kept axes; its runs are (outer, os)
  int64_t inner = 1;         // elements of a row
  int64_t rs[kMaxOperands];  // stride within a row; 0 for operands with one element a row

  // An operand with every axis of the shape.
  void add_full(const View& view);
  // An operand without the reduced axes (or with them at size 1).
  void add_reduced(const View& view, const Shape& shape, const Dims& axes);
  // False where the reduced axes of some operand do not merge: the caller packs it.
  bool finish(const Shape& shape, const Dims& axes);

 private:
  const View* full_[kMaxOperands] = {};
};

// The shape of one value a row, and the axis along which a row runs.
inline Shape without_last(const Shape& shape) {
  Shape result = shape;
  result.resize(shape.rank() - 1);
  return result;
}
inline Dims last_axis(const Shape& shape) { return {shape.rank() - 1}; }

// `x` with the kept axes in front, as a view.
View kept_first(const View& x, const Dims& axes);

// Memory for the exponentials of long rows, one for each part of rows; label_space may be in use.
struct RowScratch {
  explicit RowScratch(int64_t inner) : size(kept_doubles(inner)) {
    if (size == 0) return;
    memory = Array(DType::float64, {size});
    data = memory.view().as<double>();
  }
  int64_t size;
  Array memory;
  double* data = nullptr;
};

// Rows worth a thread when a row costs about `cost` cheap element operations.
inline int64_t row_grain(int64_t inner, int64_t cost) {
  return std::max<int64_t>(1, kCheapGrain / (std::max<int64_t>(inner, 1) * cost));
}

// Rows worth a thread of softmax, log_softmax and the softmax cross-entropies.
inline int64_t softmax_row_grain(int64_t inner) {
  return grain_of(kSoftmaxRowPicoseconds + inner * kSoftmaxElementPicoseconds);
}

}  // namespace fusegrad
