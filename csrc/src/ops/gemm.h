// Matrix products on views: vectors, batches and transposed operands become strides, and large
// products are cut into blocks of rows or columns for the threads.
//
// Shared by matmul and dense.
#pragma once

#include "fusegrad/workspace.h"
#include "ops/dispatch.h"
#include "ops/iterate.h"
#include "runtime/prefetch.h"

namespace fusegrad {

struct Epilogue {
  const View* bias = nullptr;  // one value for each column, or null
  Activation activation = Activation::linear;
  double slope = 0.0;
  // Null, or a matrix with the strides of the result: that is 0 where not relu_of > 0.
  const View* relu_of = nullptr;
};

namespace detail {

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <typename T>
void run_block(GemmArgs<T> args) {
  args.workspace = thread_workspace(
      gemm_workspace_bytes(args.m, args.n, args.k, static_cast<int64_t>(sizeof(T))));
  args.prefetch = thread_prefetch();
  if constexpr (std::is_same_v<T, float>) {
    if (args.bfloat16) return kernels().gemm_bf16(args);
  }
  FUSEGRAD_TYPED(T, gemm)(args);
}

// One product, split over threads by output elements; the choice depends on shapes and strides.
template <typename T>
void run_product(const GemmArgs<T>& args) {
  const int64_t depth = std::max<int64_t>(args.k, 1);
  if (!worth_threads(args.m * args.n * depth, kProductGrain)) return run_block(args);
  // Lanes run along the unit stride of c. Cutting there needs whole vectors; cutting the other way
  // makes every thread pack all lanes, so it is for products with few of them, and for long thin
  // ones that need no packing: a weight gradient is then cut as the update of its weights is, and
  // each core finds in its own cache what it wrote before.
  const bool lanes_are_columns = args.c_cs == 1 || args.c_rs != 1;
  const int64_t lanes = lanes_are_columns ? args.n : args.m;
  const int64_t others = lanes_are_columns ? args.m : args.n;
  constexpr int64_t kLaneUnit = 64 / static_cast<int64_t>(sizeof(T));
  const bool unpacked = (lanes_are_columns ? args.b_cs : args.a_rs) == 1;
  const bool long_thin = unpacked && lanes >= 4 * others && others >= 8;
  const bool cut_lanes = lanes >= 2 * kLaneUnit && 2 * lanes >= others && !long_thin;
  const bool cut_columns = cut_lanes == lanes_are_columns;
  const int64_t unit = cut_lanes ? kLaneUnit : (others < 64 ? 1 : 8);
  const int64_t extent = cut_lanes ? lanes : others;
  const int64_t unit_cost = unit * depth * (cut_lanes ? others : lanes);
  const int64_t units = ceil_div(extent, unit);
  parallel_for(units, ceil_div(kProductGrain, unit_cost), [&](int64_t begin, int64_t end) {
    const int64_t first = begin * unit;
    const int64_t count = std::min(end * unit, extent) - first;
    GemmArgs<T> block = args;
    if (cut_columns) {
      block.n = count;
      block.b += first * args.b_cs;
      block.c += first * args.c_cs;
      if (block.bias != nullptr) block.bias += first * args.bias_stride_n;
      if (block.relu_of != nullptr) block.relu_of += first * args.c_cs;
    } else {
      block.m = count;
      block.a += first * args.a_rs;
      block.c += first * args.c_rs;
      if (block.bias != nullptr) block.bias += first * args.bias_stride_m;
      if (block.relu_of != nullptr) block.relu_of += first * args.c_rs;
    }
    run_block(block);
  });
}

// The batch axes of a matrix operand of `full` rank: all but the last `used`, with their strides.
inline Strides batch_strides(const View& view, int used, const Shape& batch) {
  Shape shape;
  Strides strides;
  for (int i = 0; i < view.rank() - used; ++i) {
    shape.push_back(view.shape[i]);
    strides.push_back(view.strides[i]);
  }
  return broadcast_strides(shape, strides, batch);
}

}  // namespace detail

// c = act(op(a) op(b) + bias) by matmul's rules, which attrs say transposes and arithmetic of;
// shapes have been checked.
template <typename T>
void multiply_views(const View& c, const View& a, const View& b, const Attrs& attrs,
                    const Epilogue& epilogue) {
  if (c.size() == 0) return;
  const bool row = a.rank() == 1;     // a is one row
  const bool column = b.rank() == 1;  // b is one column
  const int ra = a.rank();
  const int rb = b.rank();
  GemmArgs<T> args = {};
  args.a = a.as<const T>();
  args.b = b.as<const T>();
  args.c = c.as<T>();
  if (row) {
    args.m = 1;
    args.k = a.shape[0];
    args.a_rs = args.k;
    args.a_cs = a.strides[0];
  } else {
    const int rows = attrs.transpose_a ? ra - 1 : ra - 2;
    const int cols = attrs.transpose_a ? ra - 2 : ra - 1;
    args.m = a.shape[rows];
    args.k = a.shape[cols];
    args.a_rs = a.strides[rows];
    args.a_cs = a.strides[cols];
  }
  if (column) {
    args.n = 1;
    args.b_rs = b.strides[0];
    args.b_cs = 1;
  } else {
    const int rows = attrs.transpose_b ? rb - 1 : rb - 2;
    const int cols = attrs.transpose_b ? rb - 2 : rb - 1;
    args.n = b.shape[cols];
    args.b_rs = b.strides[rows];
    args.b_cs = b.strides[cols];
  }
  const int used = (row ? 0 : 1) + (column ? 0 : 1);
  const int batch_rank = c.rank() - used;
  args.c_cs = column ? 1 : c.strides[c.rank() - 1];
  args.c_rs = row ? args.n : c.strides[batch_rank];
  if (epilogue.bias != nullptr) {
    args.bias = epilogue.bias->as<const T>();
    args.bias_stride_n = epilogue.bias->strides[0];
  }
  if (epilogue.relu_of != nullptr) args.relu_of = epilogue.relu_of->as<const T>();
  args.act = epilogue.activation;
  args.act_param = epilogue.slope;
  args.bfloat16 = attrs.bfloat16;
  if (batch_rank == 0) return detail::run_product(args);

  Shape batch;
  for (int i = 0; i < batch_rank; ++i) batch.push_back(c.shape[i]);
  Loop loop;
  loop.add(c, detail::batch_strides(c, used, batch));
  loop.add(a, detail::batch_strides(a, row ? 1 : 2, batch));
  loop.add(b, detail::batch_strides(b, column ? 1 : 2, batch));
  loop.finish(batch);
  const int64_t* strides = loop.strides[0];
  if (loop.rank == 1 && strides[2] == 0 &&
      (args.m == 1 || (strides[0] == args.m * args.c_rs && strides[1] == args.m * args.a_rs))) {
    // One matrix b for a stack of rows: a single product.
    if (args.m == 1) {
      args.c_rs = strides[0];
      args.a_rs = strides[1];
    }
    args.m *= loop.size;
    return detail::run_product(args);
  }
  if (loop.size == 1) return detail::run_product(args);
  const int64_t cost = std::max<int64_t>(1, args.m * args.n * std::max<int64_t>(args.k, 1));
  for_each_run(loop, std::max<int64_t>(1, kProductGrain / cost),
               [&](char* const* at, const int64_t* s, int64_t n) {
                 GemmArgs<T> one = args;
                 for (int64_t i = 0; i < n; ++i) {
                   one.c = typed<T>(at[0]) + i * s[0];
                   one.a = typed<const T>(at[1]) + i * s[1];
                   one.b = typed<const T>(at[2]) + i * s[2];
                   detail::run_block(one);
                 }
               });
}

}  // namespace fusegrad
