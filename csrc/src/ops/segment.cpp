// Segments: rows of data reduced by the number of the segment that each belongs to.
//
// attrs.shape = {num_segments}. Rows are taken in their order; floats are added in double and
// rounded once. Threads split the columns, never a segment.
#include <algorithm>
#include <limits>

#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/iterate.h"
#include "ops/labels.h"

namespace fusegrad {
namespace {

using namespace emit;

void segment_infer(InferContext& c) {
  require_number(c, 0, "data");
  require_rank(c, 0, "data", 1);
  require_index(c, 1, "segment_ids");
  const Shape& data = c.inputs[0].shape;
  require_same_shape(c, 1, "segment_ids", {data[0]});
  if (c.attrs->shape.rank() != 1 || c.attrs->shape[0] < 0) {
    fail(c.op, "num_segments", "an integer >= 0", to_string(c.attrs->shape));
  }
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = data;
  c.outputs[0].shape[0] = c.attrs->shape[0];
}

// Starts every element of a segment with `start` and gives it step(carried, x) for each of its rows
// in turn.
template <typename C, typename T, typename Step>
void by_segment(const char* op, const EvalContext& c, C start, const Step& step) {
  const View& y = c.outputs[0];
  const View& x = c.inputs[0];
  const int64_t rows = x.shape[0];
  int64_t* const segment = label_space(rows);
  copy_labels(op, "segment_ids", c.inputs[1], y.shape[0], false, segment, "integers");
  if (y.size() == 0) return;
  Array packed;  // in C order
  View data = x;
  if (!x.c_contiguous()) {
    packed = Array(x.dtype, x.shape);
    copy_view(packed.view(), x);
    data = packed.view();
  }
  const Array carried(DTypeOf<C>::value, y.shape);
  C* const total = carried.view().template as<C>();
  const T* const from = data.as<const T>();
  const int64_t columns = y.size() / y.shape[0];
  std::fill_n(total, y.size(), start);
  parallel_for(columns, std::max<int64_t>(1, kCheapGrain / std::max<int64_t>(rows, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = 0; i < rows; ++i) {
                   C* const to = total + segment[i] * columns;
                   const T* const row = from + i * columns;
                   for (int64_t k = begin; k < end; ++k) to[k] = step(to[k], C(row[k]));
                 }
               });
  copy_elements(y, carried.view());
}

// The row of `x`, which has one for each segment, that each row of data belongs to.
Value of_segments(Builder& b, Value x, Value ids) {
  Attrs attrs;
  attrs.axes = {0};
  attrs.flag = true;
  return b.emit(take_op, {x, ids}, attrs);
}

// ---- segment_sum

void segment_sum_eval(const EvalContext& c) {
  by_number(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = Carried<T>;
    by_segment<C, T>("segment_sum", c, C(0), plus<C>);
  });
}
// dx = dy of its segment
void segment_sum_vjp(VjpContext& c) {
  if (!c.needs(0)) return;
  c.set(0, of_segments(c.builder(), c.cotangent(), c.input(1)));
}

// ---- segment_max: -infinity, or the least integer, for no rows; NaN where one is

void segment_max_eval(const EvalContext& c) {
  by_number(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    using Limits = std::numeric_limits<T>;
    const T least = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    by_segment<T, T>("segment_max", c, least,
                     [](T most, T x) { return x > most || x != x ? x : most; });
  });
}
// dx = dy / ties where x is the largest of its segment, else 0
void segment_max_vjp(VjpContext& c) {
  if (!c.needs(0)) return;
  Builder& b = c.builder();
  const Value x = c.input(0);
  const Value ids = c.input(1);
  const Value hit = equal(b, x, of_segments(b, c.output(), ids));
  const Value hits = b.emit(segment_sum_op, {cast(b, hit, b.meta(x).dtype), ids}, c.attrs());
  const Value ties = b.emit(maximum_op, {hits, number(b, 1.0, hits)});  // of no rows: not 0 / 0
  const Value share = divide(b, c.cotangent(), ties);
  c.set(0, where(b, hit, of_segments(b, share, ids), 0.0));
}

// Segments that are the same for all examples are of rows of all of them; others are laid end to
// end, those of one example after those of another.
void segment_batch(BatchContext& c) {
  Builder& b = c.builder();
  if (!c.batched(1)) {
    const Value rows = move_axis(b, c.input(0), 0, 1);
    return c.set(0, move_axis(b, b.emit(c.op(), {rows, c.input(1)}, c.attrs()), 1, 0));
  }
  const int64_t count = c.attrs().shape[0];
  const Value ids = flat_indices(c, count, false);
  const Shape& data = c.example(0).shape;
  Shape rows = data;
  rows[0] = c.size() * data[0];
  Attrs attrs;
  attrs.shape = {c.size() * count};
  const Value flat =
      b.emit(c.op(), {reshape(b, c.full(0), rows), reshape(b, ids, {rows[0]})}, attrs);
  c.set(0, reshape(b, flat, c.with_batch(c.example_output().shape)));
}

}  // namespace

const OpDef segment_sum_op = {
    "segment_sum", 2, 1, 0, segment_infer, segment_sum_eval, segment_sum_vjp, nullptr,
    segment_batch};
const OpDef segment_max_op = {
    "segment_max", 2, 1, 0, segment_infer, segment_max_eval, segment_max_vjp, nullptr,
    segment_batch};

}  // namespace fusegrad
