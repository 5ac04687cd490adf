// Loops over the elements of several operands of one shape, with any strides.
//
// A Loop drops axes of size 1, orders the axes as they lie in operand 0's memory and merges those
// that are contiguous in every operand; a body then gets one-dimensional runs. Operands of the same
// dense order, C or F, become a single run.
#pragma once

#include <algorithm>
#include <cstdint>

#include "fusegrad/array.h"
#include "fusegrad/parallel.h"
#include "runtime/cost.h"

namespace fusegrad {

constexpr int kMaxOperands = 10;

struct Loop {
  int operands = 0;
  int rank = 0;      // of what is left after merging; axis rank-1 is the run
  int64_t size = 0;  // elements in all
  int64_t sizes[kMaxRank];
  int64_t strides[kMaxRank][kMaxOperands];  // in elements
  char* data[kMaxOperands];
  int64_t item[kMaxOperands];  // bytes per element

  // Adds an operand by its strides along every axis of the loop's shape.
  void add(const View& view, const Strides& strides_of_axes);
  // Merges axes. `axes` limits the loop to some axes of `shape` (null: all).
  void finish(const Shape& shape, const bool* axes = nullptr);

 private:
  int64_t full_[kMaxOperands][kMaxRank];
};

// The loop over `shape` with operands that broadcast to it; operand 0 has exactly that shape.
inline void make_loop(Loop* loop, const Shape& shape, const View* first, const View* rest,
                      int count);

// Whether y and the operands lie in one dense order, C or F, so that a loop over them is one run;
// operands of one element may broadcast.
inline bool in_one_run(const View& y, const View* operands, int count) {
  bool c = y.c_contiguous();
  bool f = y.f_contiguous();
  for (int i = 0; i < count && (c || f); ++i) {
    const View& x = operands[i];
    if (x.size() == 1) continue;
    if (x.shape != y.shape) return false;
    c = c && x.c_contiguous();
    f = f && x.f_contiguous();
  }
  return c || f;
}

namespace detail {

// Visits elements [begin, end) of the loop, counted in its own order.
template <typename Body>
void walk(const Loop& loop, int64_t begin, int64_t end, const Body& body) {
  const int last = loop.rank - 1;
  char* at[kMaxOperands];
  for (int k = 0; k < loop.operands; ++k) at[k] = loop.data[k];
  if (last == 0) {
    for (int k = 0; k < loop.operands; ++k) at[k] += begin * loop.strides[0][k] * loop.item[k];
    body(at, loop.strides[0], end - begin);
    return;
  }
  int64_t index[kMaxRank];
  int64_t rest = begin;
  for (int d = last; d >= 0; --d) {
    index[d] = rest % loop.sizes[d];
    rest /= loop.sizes[d];
    for (int k = 0; k < loop.operands; ++k) at[k] += index[d] * loop.strides[d][k] * loop.item[k];
  }
  while (begin < end) {
    const int64_t run = std::min(loop.sizes[last] - index[last], end - begin);
    body(at, loop.strides[last], run);
    begin += run;
    if (begin >= end) return;
    for (int k = 0; k < loop.operands; ++k) {
      at[k] -= index[last] * loop.strides[last][k] * loop.item[k];
    }
    index[last] = 0;
    for (int d = last - 1; d >= 0; --d) {
      ++index[d];
      for (int k = 0; k < loop.operands; ++k) at[k] += loop.strides[d][k] * loop.item[k];
      if (index[d] < loop.sizes[d]) break;
      for (int k = 0; k < loop.operands; ++k) {
        at[k] -= index[d] * loop.strides[d][k] * loop.item[k];
      }
      index[d] = 0;
    }
  }
}

}  // namespace detail

// Calls body(char* const* at, const int64_t* strides, int64_t n) for runs that cover the loop, in
// several threads where that is worth it: `grain` as in parallel_for.
template <typename Body>
void for_each_run(const Loop& loop, int64_t grain, const Body& body) {
  if (loop.size == 0) return;
  if (!worth_threads(loop.size, grain)) {
    detail::walk(loop, 0, loop.size, body);
  } else {
    parallel_for(loop.size, grain,
                 [&](int64_t begin, int64_t end) { detail::walk(loop, begin, end, body); });
  }
}

inline void make_loop(Loop* loop, const Shape& shape, const View* first, const View* rest,
                      int count) {
  loop->add(*first, first->strides);
  for (int i = 0; i < count; ++i) {
    loop->add(rest[i], rest[i].shape == shape
                           ? rest[i].strides
                           : broadcast_strides(rest[i].shape, rest[i].strides, shape));
  }
  loop->finish(shape);
}

// dst[...] = src[...] for equal shapes and types, without overlap.
void copy_view(const View& dst, const View& src);
void fill_zero(const View& dst);

// Typed pointer of a run.
template <typename T>
T* typed(char* at) {
  return reinterpret_cast<T*>(at);
}

}  // namespace fusegrad
