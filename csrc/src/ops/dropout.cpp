// dropout: elements set to 0 with probability `rate`, the others scaled by 1/(1 - rate).
//
// The mask is a function of place: Philox keyed by (seed, stream), with counter
// {column / 4, row, epoch}, so that the gradient draws the same mask and no thread or batch size
// changes it.
#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/iterate.h"

#include "fusegrad/batch.h"
#include "fusegrad/random.h"
#include "runtime/philox.h"

namespace fusegrad {
namespace {

// dropout(x, position): position is int64[2] = {epoch, first row}; scalars[0] = rate, seed, stream.
void dropout_infer(InferContext& c) {
  require_float(c, 0, "x");
  require_dtype(c, 1, "position", DType::int64);
  require_same_shape(c, 1, "position", {2});
  const double rate = c.attrs->scalars[0];
  if (!(rate >= 0.0 && rate <= 1.0)) {
    fail(c.op, "rate", "a number in [0, 1]", std::to_string(rate));
  }
  c.outputs[0] = c.inputs[0];
}

struct Mask {
  std::array<uint32_t, 2> key;
  uint32_t epoch;
  uint32_t threshold;  // of 2^24: an element is kept where its 24 bits reach it
};

// One row: elements in C order of the axes after the first.
template <typename T>
void mask_row(const Mask& mask, T scale, uint64_t row, const View& y, const View& x, T* to,
              const T* from, int64_t columns) {
  const int last = y.rank() - 1;
  const int64_t length = last > 0 ? y.shape[last] : 1;
  const int64_t ys = last > 0 ? y.strides[last] : 0;
  const int64_t xs = last > 0 ? x.strides[last] : 0;
  int64_t index[kMaxRank] = {};
  std::array<uint32_t, 4> words = {};
  for (int64_t column = 0; column < columns;) {
    for (int64_t j = 0; j < length; ++j, ++column) {
      if ((column & 3) == 0) {
        words = philox_rounds({static_cast<uint32_t>(column >> 2), static_cast<uint32_t>(row),
                               static_cast<uint32_t>(row >> 32), mask.epoch},
                              mask.key);
      }
      const bool keep = (words[static_cast<size_t>(column & 3)] >> 8) >= mask.threshold;
      const T choice[2] = {T(0), from[j * xs] * scale};  // a table, not a branch on noise
      to[j * ys] = choice[keep];
    }
    for (int d = last - 1; d >= 1; --d) {
      to += y.strides[d];
      from += x.strides[d];
      if (++index[d] < y.shape[d]) break;
      to -= y.strides[d] * y.shape[d];
      from -= x.strides[d] * y.shape[d];
      index[d] = 0;
    }
  }
}

void dropout_eval(const EvalContext& c) {
  const View& y = c.outputs[0];
  const View& x = c.inputs[0];
  const double rate = c.attrs->scalars[0];
  if (rate == 0.0) {
    if (y.data != x.data) copy_view(y, x);
    return;
  }
  if (rate == 1.0) return fill_zero(y);
  if (y.size() == 0) return;
  const View& position = c.inputs[1];
  const int64_t* at = position.as<const int64_t>();
  const double bits = rate * 16777216.0;
  Mask mask;
  mask.key = philox_key(c.attrs->seed, c.attrs->stream);
  mask.epoch = static_cast<uint32_t>(at[0]);
  mask.threshold = static_cast<uint32_t>(bits);
  if (static_cast<double>(mask.threshold) < bits) ++mask.threshold;
  const uint64_t first_row = static_cast<uint64_t>(at[position.strides[0]]);
  const int64_t rows = y.rank() == 0 ? 1 : y.shape[0];
  const int64_t columns = y.size() / rows;
  const int64_t y_rs = y.rank() == 0 ? 0 : y.strides[0];
  const int64_t x_rs = y.rank() == 0 ? 0 : x.strides[0];
  by_float(y.dtype, [&](auto tag) {
    using T = decltype(tag);
    const T scale = static_cast<T>(1.0 / (1.0 - rate));
    parallel_for(rows, std::max<int64_t>(1, kCostlyGrain / columns),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t row = begin; row < end; ++row) {
                     mask_row<T>(mask, scale, first_row + static_cast<uint64_t>(row), y, x,
                                 y.as<T>() + row * y_rs, x.as<const T>() + row * x_rs, columns);
                   }
                 });
  });
}

// dx = dropout(dy) with the same mask
void dropout_vjp(VjpContext& c) {
  c.set(0, c.builder().emit(dropout_op, {c.cotangent(), c.input(1)}, c.attrs()));
}

// One mask for all examples: that of ones of an example's shape.
void dropout_batch(BatchContext& c) {
  if (c.batched(1)) fail("vmap", "fun", "dropout at one position for all examples", "several");
  Builder& b = c.builder();
  const Meta& example = c.example(0);
  const Value ones = emit::broadcast_to(b, b.constant(1.0, example.dtype), example.shape);
  const Value mask = b.emit(dropout_op, {ones, c.input(1)}, c.attrs());
  const Value scaled = b.emit(multiply_op, {c.input(0), mask});
  c.set(0, emit::where(b, emit::greater(b, mask, 0.0), scaled, 0.0));
}

}  // namespace

const OpDef dropout_op = {"dropout",
                          2,
                          1,
                          kInPlace0 | kAnyOrder | kRandom | kPromoteFirst,
                          dropout_infer,
                          dropout_eval,
                          dropout_vjp,
                          nullptr,
                          dropout_batch};

}  // namespace fusegrad
