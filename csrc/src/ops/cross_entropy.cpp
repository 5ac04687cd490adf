// Cross-entropies from logits: softmax with distributions or integer labels, and sigmoid.
//
// Softmax forms reduce the last axis: logits (..., classes), loss and g (...,). Operands are
// (logits, targets) and, for the gradients with respect to the logits, (logits, targets, g). The
// *_with_grad ops give both, (gradient, loss), from one visit of the logits, with the bits of the
// two ops that the fuse pass replaces by them.
#include "fusegrad/batch.h"
#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/labels.h"
#include "ops/rows.h"

namespace fusegrad {
namespace {

using namespace emit;

void check_logits(const InferContext& c) {
  require_float(c, 0, "logits");
  require_rank(c, 0, "logits", 1);
  if (c.inputs[0].shape.back() == 0) fail(c, 0, "logits", "at least one class");
}
void check_distribution(const InferContext& c) {
  check_logits(c);
  require_dtype(c, 1, "labels", c.inputs[0].dtype);
  require_same_shape(c, 1, "labels", c.inputs[0].shape);
}
void check_labels(const InferContext& c) {
  check_logits(c);
  require_index(c, 1, "labels");
  require_same_shape(c, 1, "labels", without_last(c.inputs[0].shape));
}
void loss_result(InferContext& c) {
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = without_last(c.inputs[0].shape);
}
void grad_result(InferContext& c, const Shape& g) {
  require_dtype(c, 2, "g", c.inputs[0].dtype);
  require_same_shape(c, 2, "g", g);
  c.outputs[0] = c.inputs[0];
  if (c.num_outputs == 2) c.outputs[1] = c.inputs[2];
}

// The outputs of a value op, of a gradient op and of one that gives both.
const View* loss_of(const EvalContext& c) {
  if (c.num_inputs == 2) return &c.outputs[0];
  return c.num_outputs == 2 ? &c.outputs[1] : nullptr;
}
const View* grad_of(const EvalContext& c) { return c.num_inputs == 3 ? &c.outputs[0] : nullptr; }

// The rows of a softmax form: operands that are absent have no place.
struct LossRows {
  Rows rows;
  int loss = -1, dx = -1, g = -1, x = -1, targets = -1;

  LossRows(const EvalContext& c, const View& given, bool labels) {
    const View& logits = c.inputs[0];
    const Dims axes = last_axis(logits.shape);
    const auto full = [&](const View& view) {
      rows.add_full(view);
      return rows.loop.operands - 1;
    };
    const auto reduced = [&](const View& view) {
      rows.add_reduced(view, logits.shape, axes);
      return rows.loop.operands - 1;
    };
    if (grad_of(c) != nullptr) dx = full(*grad_of(c));
    if (loss_of(c) != nullptr) loss = reduced(*loss_of(c));
    x = full(logits);
    targets = labels ? reduced(given) : full(given);
    if (c.num_inputs == 3) g = reduced(c.inputs[2]);
    rows.finish(logits.shape, axes);
  }
  // run(o, n) for the rows of a run, one by one where the loss or the labels are strided.
  template <typename Run>
  void visit(const int64_t* s, bool labels, int64_t n, const Run& run) const {
    const bool adjacent = (loss < 0 || s[loss] == 1) && (!labels || s[targets] == 1);
    if (adjacent) return run(0, n);
    for (int64_t o = 0; o < n; ++o) run(o, 1);
  }
};

template <typename T>
T* row_of(char* const* at, const int64_t* s, int operand, int64_t o) {
  return operand < 0 ? nullptr : typed<T>(at[operand]) + o * s[operand];
}
int64_t stride_of(const int64_t* strides, int operand) {
  return operand < 0 ? 0 : strides[operand];
}

// ---- shared gradients

// Ones for the g of a gradient op.
Value ones(Builder& b, Value like) {
  return broadcast_to(b, number(b, 1.0, like), b.meta(like).shape);
}
// The product of the softmax's Jacobian and v: p * (v - sum(v p)).
Value softmax_product(Builder& b, Value logits, Value v) {
  const int64_t axis = last_axis(b.meta(logits).shape)[0];
  return along(b, softmax_grad_op, v, along(b, softmax_op, logits, axis), axis);
}

// ---- distributions: loss = -sum_j t_j log softmax(x)_j

void softmax_ce_infer(InferContext& c) {
  check_distribution(c);
  loss_result(c);
}
void softmax_ce_eval(const EvalContext& c) {
  const LossRows r(c, c.inputs[1], false);
  const int64_t* const rs = r.rows.rs;
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, softmax_ce_dist);
    for_each_run(r.rows.loop, softmax_row_grain(r.rows.inner),
                 [&](char* const* at, const int64_t* s, int64_t n) {
                   const RowScratch scratch(r.rows.inner);
                   r.visit(s, false, n, [&](int64_t o, int64_t count) {
                     kernel(row_of<T>(at, s, r.loss, o), row_of<T>(at, s, r.dx, o),
                            stride_of(s, r.dx), stride_of(rs, r.dx), row_of<T>(at, s, r.x, o),
                            s[r.x], rs[r.x], row_of<T>(at, s, r.targets, o), s[r.targets],
                            rs[r.targets], row_of<T>(at, s, r.g, o), stride_of(s, r.g), count,
                            r.rows.inner, scratch.data, scratch.size);
                   });
                 });
  });
}
// dx = (softmax(x) * sum(t) - t) * g, dt = -log_softmax(x) * g
void softmax_ce_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value x = c.input(0);
  if (c.needs(0)) {
    c.set(0, b.emit(softmax_cross_entropy_grad_op, {x, c.input(1), c.cotangent()}));
  }
  if (c.needs(1)) {
    const Value logs = along(b, log_softmax_op, x, last_axis(b.meta(x).shape)[0]);
    c.set(1, negative(b, multiply(b, logs, append_axis(b, c.cotangent()))));
  }
}

void softmax_ce_grad_infer(InferContext& c) {
  check_distribution(c);
  grad_result(c, without_last(c.inputs[0].shape));
}
// For cotangent c: d/dx = g sum(t) p (c - sum(c p)); d/dt = g (sum(c p) - c);
// d/dg = sum(c * (p sum(t) - t))
void softmax_ce_grad_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value ct = c.cotangent();
  const Value x = c.input(0);
  const Value t = c.input(1);
  const Value g = append_axis(b, c.input(2));
  const Dims axes = last_axis(b.meta(x).shape);
  if (c.needs(0)) {
    const Value scale = multiply(b, g, sum(b, t, axes, true));
    c.set(0, softmax_product(b, x, multiply(b, ct, scale)));
  }
  if (c.needs(1)) {
    const Value p = along(b, softmax_op, x, axes[0]);
    c.set(1, multiply(b, g, subtract(b, sum(b, multiply(b, ct, p), axes, true), ct)));
  }
  if (c.needs(2)) {
    const Value unit = b.emit(softmax_cross_entropy_grad_op, {x, t, ones(b, c.input(2))});
    c.set(2, sum(b, multiply(b, ct, unit), axes, false));
  }
}

// ---- integer labels: loss = -log softmax(x)_label

// The labels as int64 in C order, checked against the number of classes.
View checked_labels(const EvalContext& c, const char* op) {
  View labels = c.inputs[1];
  const int64_t size = labels.size();
  int64_t* const at = label_space(size);
  copy_labels(op, "labels", labels, c.inputs[0].shape.back(), false, at);
  labels.data = at;
  labels.dtype = DType::int64;
  labels.strides = c_strides(labels.shape);
  return labels;
}

void sparse_ce_infer(InferContext& c) {
  check_labels(c);
  loss_result(c);
}
void sparse_ce_eval(const EvalContext& c) {
  const View labels = checked_labels(c, "sparse_softmax_cross_entropy");
  const LossRows r(c, labels, true);
  const int64_t* const rs = r.rows.rs;
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, softmax_ce_i64);
    for_each_run(r.rows.loop, softmax_row_grain(r.rows.inner),
                 [&](char* const* at, const int64_t* s, int64_t n) {
                   const RowScratch scratch(r.rows.inner);
                   r.visit(s, true, n, [&](int64_t o, int64_t count) {
                     kernel(row_of<T>(at, s, r.loss, o), row_of<T>(at, s, r.dx, o),
                            stride_of(s, r.dx), stride_of(rs, r.dx), row_of<T>(at, s, r.x, o),
                            s[r.x], rs[r.x], row_of<const int64_t>(at, s, r.targets, o),
                            row_of<T>(at, s, r.g, o), stride_of(s, r.g), count, r.rows.inner,
                            scratch.data, scratch.size);
                   });
                 });
  });
}
// dx = (softmax(x) - one_hot(label)) * g
void sparse_ce_vjp(VjpContext& c) {
  if (!c.needs(0)) return;
  c.set(0, c.builder().emit(sparse_softmax_cross_entropy_grad_op,
                            {c.input(0), c.input(1), c.cotangent()}));
}

void sparse_ce_grad_infer(InferContext& c) {
  check_labels(c);
  grad_result(c, without_last(c.inputs[0].shape));
}
// For cotangent c: d/dx = g p (c - sum(c p)); d/dg = sum(c * (p - one_hot))
void sparse_ce_grad_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value ct = c.cotangent();
  const Value x = c.input(0);
  if (c.needs(0)) {
    c.set(0, softmax_product(b, x, multiply(b, ct, append_axis(b, c.input(2)))));
  }
  if (c.needs(2)) {
    const Value unit =
        b.emit(sparse_softmax_cross_entropy_grad_op, {x, c.input(1), ones(b, c.input(2))});
    c.set(2, sum(b, multiply(b, ct, unit), last_axis(b.meta(x).shape), false));
  }
}

// ---- sigmoid, elementwise: loss = (1-t) softplus(x) + t softplus(-x)

void check_sigmoid(const InferContext& c) {
  require_float(c, 0, "logits");
  require_dtype(c, 1, "labels", c.inputs[0].dtype);
  require_same_shape(c, 1, "labels", c.inputs[0].shape);
}
void sigmoid_ce_infer(InferContext& c) {
  check_sigmoid(c);
  c.outputs[0] = c.inputs[0];
}
void sigmoid_ce_eval(const EvalContext& c) {
  const View* const outputs[] = {loss_of(c), grad_of(c)};
  Loop loop;
  int place[] = {-1, -1};
  for (int k = 0; k < 2; ++k) {
    if (outputs[k] == nullptr) continue;
    place[k] = loop.operands;
    loop.add(*outputs[k], outputs[k]->strides);
  }
  const int x = loop.operands;
  for (int i = 0; i < c.num_inputs; ++i) loop.add(c.inputs[i], c.inputs[i].strides);
  loop.finish(c.inputs[0].shape);
  const int g = place[1] < 0 ? -1 : x + 2;
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, sigmoid_ce);
    for_each_run(loop, kCostlyGrain, [&](char* const* at, const int64_t* s, int64_t n) {
      kernel(row_of<T>(at, s, place[0], 0), stride_of(s, place[0]), row_of<T>(at, s, place[1], 0),
             stride_of(s, place[1]), typed<T>(at[x]), s[x], typed<T>(at[x + 1]), s[x + 1],
             row_of<T>(at, s, g, 0), stride_of(s, g), n);
    });
  });
}
// dx = (sigmoid(x) - t) * g, dt = -x * g
void sigmoid_ce_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value g = c.cotangent();
  const Value x = c.input(0);
  if (c.needs(0)) c.set(0, b.emit(sigmoid_cross_entropy_grad_op, {x, c.input(1), g}));
  if (c.needs(1)) c.set(1, negative(b, multiply(b, g, x)));
}

void sigmoid_ce_grad_infer(InferContext& c) {
  check_sigmoid(c);
  grad_result(c, c.inputs[0].shape);
}
// For cotangent c: d/dx = c g sigmoid'(x); d/dt = -c g; d/dg = c (sigmoid(x) - t)
void sigmoid_ce_grad_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value ct = c.cotangent();
  const Value x = c.input(0);
  const Value t = c.input(1);
  const Value g = c.input(2);
  if (c.needs(0)) c.set(0, sigmoid_grad(b, multiply(b, ct, g), sigmoid(b, x)));
  if (c.needs(1)) c.set(1, negative(b, multiply(b, ct, g)));
  if (c.needs(2)) {
    const Value unit = b.emit(sigmoid_cross_entropy_grad_op, {x, t, ones(b, g)});
    c.set(2, multiply(b, ct, unit));
  }
}

}  // namespace

const OpDef softmax_cross_entropy_op = {"softmax_cross_entropy",
                                        2,
                                        1,
                                        kAnyOrder | kPromoteFloat,
                                        softmax_ce_infer,
                                        softmax_ce_eval,
                                        softmax_ce_vjp,
                                        nullptr,
                                        batch_leading};
const OpDef softmax_cross_entropy_grad_op = {"softmax_cross_entropy_grad",
                                             3,
                                             1,
                                             kAnyOrder | kGradient,
                                             softmax_ce_grad_infer,
                                             softmax_ce_eval,
                                             softmax_ce_grad_vjp,
                                             nullptr,
                                             batch_leading};
const OpDef sparse_softmax_cross_entropy_op = {"sparse_softmax_cross_entropy",
                                               2,
                                               1,
                                               kAnyOrder | kPromoteFirst,
                                               sparse_ce_infer,
                                               sparse_ce_eval,
                                               sparse_ce_vjp,
                                               nullptr,
                                               batch_leading};
const OpDef sparse_softmax_cross_entropy_grad_op = {"sparse_softmax_cross_entropy_grad",
                                                    3,
                                                    1,
                                                    kAnyOrder | kGradient,
                                                    sparse_ce_grad_infer,
                                                    sparse_ce_eval,
                                                    sparse_ce_grad_vjp,
                                                    nullptr,
                                                    batch_leading};
const OpDef sigmoid_cross_entropy_op = {"sigmoid_cross_entropy",
                                        2,
                                        1,
                                        kElementwise | kInPlace0 | kAnyOrder | kPromoteFloat,
                                        sigmoid_ce_infer,
                                        sigmoid_ce_eval,
                                        sigmoid_ce_vjp,
                                        nullptr,
                                        batch_leading};
const OpDef sigmoid_cross_entropy_grad_op = {"sigmoid_cross_entropy_grad",
                                             3,
                                             1,
                                             kElementwise | kInPlace0 | kAnyOrder | kGradient,
                                             sigmoid_ce_grad_infer,
                                             sigmoid_ce_eval,
                                             sigmoid_ce_grad_vjp,
                                             nullptr,
                                             batch_leading};

const OpDef softmax_cross_entropy_with_grad_op = {"softmax_cross_entropy_with_grad",
                                                  3,
                                                  2,
                                                  kAnyOrder | kGradient,
                                                  softmax_ce_grad_infer,
                                                  softmax_ce_eval,
                                                  kNotDifferentiable,
                                                  nullptr,
                                                  batch_leading};
const OpDef sparse_softmax_cross_entropy_with_grad_op = {"sparse_softmax_cross_entropy_with_grad",
                                                         3,
                                                         2,
                                                         kAnyOrder | kGradient,
                                                         sparse_ce_grad_infer,
                                                         sparse_ce_eval,
                                                         kNotDifferentiable,
                                                         nullptr,
                                                         batch_leading};
const OpDef sigmoid_cross_entropy_with_grad_op = {"sigmoid_cross_entropy_with_grad",
                                                  3,
                                                  2,
                                                  kElementwise | kInPlace0 | kAnyOrder | kGradient,
                                                  sigmoid_ce_grad_infer,
                                                  sigmoid_ce_eval,
                                                  kNotDifferentiable,
                                                  nullptr,
                                                  batch_leading};

}  // namespace fusegrad
