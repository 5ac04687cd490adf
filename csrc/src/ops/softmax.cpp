// softmax and log_softmax over one axis, attrs.axes = {axis}, and their gradients.
//
// Rows are evaluated in double and rounded once.
#include "fusegrad/batch.h"
#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/rows.h"

namespace fusegrad {
namespace {

using namespace emit;

void rows_infer(InferContext& c) {
  require_float(c, 0, "x");
  normalize_single_axis(c, c.inputs[0].shape.rank());
  c.outputs[0] = c.inputs[0];
}

// (dy, y) of one shape and dtype.
void rows_grad_infer(InferContext& c) {
  require_float(c, 0, "dy");
  require_dtype(c, 1, "y", c.inputs[0].dtype);
  require_same_shape(c, 1, "y", c.inputs[0].shape);
  normalize_single_axis(c, c.inputs[0].shape.rank());
  c.outputs[0] = c.inputs[0];
}

template <typename T, typename Kernel>
void eval_rows(const EvalContext& c, const Kernel kernel) {
  const View& y = c.outputs[0];
  const View& x = c.inputs[0];
  if (y.size() == 0) return;
  Rows rows;
  rows.add_full(y);
  rows.add_full(x);
  rows.finish(y.shape, c.attrs->axes);
  for_each_run(rows.loop, softmax_row_grain(rows.inner),
               [&](char* const* at, const int64_t* s, int64_t n) {
                 kernel(typed<T>(at[0]), s[0], rows.rs[0], typed<const T>(at[1]), s[1], rows.rs[1],
                        n, rows.inner);
               });
}

template <typename T, typename Kernel>
void eval_rows_grad(const EvalContext& c, const Kernel kernel) {
  const View& dx = c.outputs[0];
  if (dx.size() == 0) return;
  Rows rows;
  rows.add_full(dx);
  rows.add_full(c.inputs[0]);
  rows.add_full(c.inputs[1]);
  rows.finish(dx.shape, c.attrs->axes);
  for_each_run(rows.loop, row_grain(rows.inner, 4),
               [&](char* const* at, const int64_t* s, int64_t n) {
                 kernel(typed<T>(at[0]), s[0], rows.rs[0], typed<const T>(at[1]), s[1], rows.rs[1],
                        typed<const T>(at[2]), s[2], rows.rs[2], n, rows.inner);
               });
}

// ---- softmax: y = exp(x) / sum exp(x)

void softmax_eval(const EvalContext& c) {
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    eval_rows<T>(c, [](T* y, int64_t y_os, int64_t y_rs, const T* x, int64_t x_os, int64_t x_rs,
                       int64_t outer, int64_t inner) {
      const RowScratch scratch(inner);
      FUSEGRAD_TYPED(T, softmax)
      (y, y_os, y_rs, x, x_os, x_rs, outer, inner, scratch.data, scratch.size);
    });
  });
}
// dx = y * (dy - sum(dy * y))
void softmax_vjp(VjpContext& c) {
  c.set(0, along(c.builder(), softmax_grad_op, c.cotangent(), c.output(), c.attrs().axes[0]));
}

void softmax_grad_eval(const EvalContext& c) {
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    eval_rows_grad<T>(c, FUSEGRAD_TYPED(T, softmax_grad));
  });
}
// For cotangent c: d/d(dy) = y * (c - sum(c*y)); d/dy = c * (dy - sum(dy*y)) - dy * sum(c*y)
void softmax_grad_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value ct = c.cotangent();
  const Value dy = c.input(0);
  const Value y = c.input(1);
  const Dims& axes = c.attrs().axes;
  if (c.needs(0)) c.set(0, along(b, softmax_grad_op, ct, y, axes[0]));
  if (c.needs(1)) {
    const Value own = multiply(b, ct, subtract(b, dy, sum(b, multiply(b, dy, y), axes, true)));
    const Value shared = multiply(b, dy, sum(b, multiply(b, ct, y), axes, true));
    c.set(1, subtract(b, own, shared));
  }
}

// ---- log_softmax: y = x - log sum exp(x)

void log_softmax_eval(const EvalContext& c) {
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    eval_rows<T>(c, FUSEGRAD_TYPED(T, log_softmax));
  });
}
// dx = dy - exp(y) * sum(dy)
void log_softmax_vjp(VjpContext& c) {
  c.set(0, along(c.builder(), log_softmax_grad_op, c.cotangent(), c.output(), c.attrs().axes[0]));
}

void log_softmax_grad_eval(const EvalContext& c) {
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    eval_rows_grad<T>(c, FUSEGRAD_TYPED(T, log_softmax_grad));
  });
}
// For cotangent c: d/d(dy) = c - sum(c * exp(y)); d/dy = -c * exp(y) * sum(dy)
void log_softmax_grad_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Dims& axes = c.attrs().axes;
  const Value weighted = multiply(b, c.cotangent(), exp(b, c.input(1)));
  if (c.needs(0)) c.set(0, subtract(b, c.cotangent(), sum(b, weighted, axes, true)));
  if (c.needs(1)) {
    c.set(1, negative(b, multiply(b, weighted, sum(b, c.input(0), axes, true))));
  }
}

}  // namespace

const OpDef softmax_op = {
    "softmax",   1,       1,         kAnyOrder | kPromoteFloat, rows_infer, softmax_eval,
    softmax_vjp, nullptr, batch_axes};
const OpDef softmax_grad_op = {
    "softmax_grad",   2,       1,         kAnyOrder | kGradient, rows_grad_infer, softmax_grad_eval,
    softmax_grad_vjp, nullptr, batch_axes};
const OpDef log_softmax_op = {
    "log_softmax",   1,       1,         kAnyOrder | kPromoteFloat, rows_infer, log_softmax_eval,
    log_softmax_vjp, nullptr, batch_axes};
const OpDef log_softmax_grad_op = {"log_softmax_grad",
                                   2,
                                   1,
                                   kAnyOrder | kGradient,
                                   rows_grad_infer,
                                   log_softmax_grad_eval,
                                   log_softmax_grad_vjp,
                                   nullptr,
                                   batch_axes};

}  // namespace fusegrad
