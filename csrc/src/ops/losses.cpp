// Losses on probabilities and on values: categorical and binary cross-entropy, mean squared error.
//
// Probabilities are treated as Keras does: a row is divided by its sum, clipped to
// [kFloor, 1 - kFloor], and its logarithms are weighed by the targets. Rows are computed in double
// and rounded once. Gradients are compositions of other ops.
#include "fusegrad/batch.h"
#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/labels.h"
#include "ops/rows.h"

namespace fusegrad {
namespace {

using namespace emit;

constexpr double kFloor = 1e-7;

double clipped(double p) {
  // NaN passes through.
  return p < kFloor ? kFloor : (p > 1.0 - kFloor ? 1.0 - kFloor : p);
}

// Operands (x, y) of one float dtype and shape with a last axis that is not empty.
void check_pair(const InferContext& c, const char* x, const char* y) {
  require_float(c, 0, x);
  require_dtype(c, 1, y, c.inputs[0].dtype);
  require_same_shape(c, 1, y, c.inputs[0].shape);
}
void check_last(const InferContext& c, const char* x) {
  require_rank(c, 0, x, 1);
  if (c.inputs[0].shape.back() == 0) fail(c, 0, x, "a last axis that is not empty");
}
void row_result(InferContext& c) {
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = without_last(c.inputs[0].shape);
}

// row(out, x, x_stride, y, y_stride, n, scratch) for every row of the first two inputs.
template <typename T, typename Y, typename Row>
void eval_loss_rows(const EvalContext& c, const View& y, bool y_full, int64_t cost,
                    const Row& row) {
  const View& x = c.inputs[0];
  const Dims axes = last_axis(x.shape);
  Rows rows;
  rows.add_reduced(c.outputs[0], x.shape, axes);
  rows.add_full(x);
  if (y_full) {
    rows.add_full(y);
  } else {
    rows.add_reduced(y, x.shape, axes);
  }
  rows.finish(x.shape, axes);
  const int64_t inner = rows.inner;
  for_each_run(rows.loop, row_grain(inner, cost),
               [&](char* const* at, const int64_t* s, int64_t n) {
                 // A short row needs no workspace, which may hold labels.
                 double small[64];
                 Array large;
                 double* scratch = small;
                 if (inner > 64) {
                   large = Array(DType::float64, {inner});
                   scratch = large.view().template as<double>();
                 }
                 for (int64_t o = 0; o < n; ++o) {
                   row(typed<T>(at[0]) + o * s[0], typed<const T>(at[1]) + o * s[1], rows.rs[1],
                       typed<const Y>(at[2]) + o * s[2], rows.rs[2], inner, scratch);
                 }
               });
}

double row_sum(const double* values, int64_t n) {
  double total;
  kernels().sum_f64(&total, values, 1, n, n, 1);
  return total;
}

// ---- categorical: p (..., classes), targets of the same shape or integer labels (...,)

void categorical_infer(InferContext& c) {
  check_pair(c, "probabilities", "labels");
  check_last(c, "probabilities");
  row_result(c);
}
void categorical_eval(const EvalContext& c) {
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    eval_loss_rows<T, T>(
        c, c.inputs[1], true, 16,
        [](T* out, const T* p, int64_t ps, const T* t, int64_t ts, int64_t n, double* row) {
          for (int64_t j = 0; j < n; ++j) row[j] = static_cast<double>(p[j * ps]);
          const double total = row_sum(row, n);
          for (int64_t j = 0; j < n; ++j) row[j] = clipped(row[j] / total);
          kernels().unary_f64(UnaryOp::log, row, 1, row, 1, n);
          for (int64_t j = 0; j < n; ++j) row[j] = static_cast<double>(t[j * ts]) * -row[j];
          *out = static_cast<T>(row_sum(row, n));
        });
  });
}

// With q = p / sum(p) and r = clip(q): dq = -t / r * g inside the clip, else 0;
// dp = (dq - sum(dq * q)) / sum(p); dt = -log(r) * g
void categorical_gradient(VjpContext& c, Value t, bool t_needed) {
  Builder& b = c.builder();
  const Value p = c.input(0);
  const Dims axes = last_axis(b.meta(p).shape);
  const Value g = append_axis(b, c.cotangent());
  const Value total = sum(b, p, axes, true);
  const Value q = divide(b, p, total);
  const Value r = clip(b, q, kFloor, 1.0 - kFloor);
  if (c.needs(0)) {
    const Value dr = negative(b, multiply(b, g, divide(b, t, r)));
    const Value dq = clip_gradient(b, dr, q, kFloor, 1.0 - kFloor);
    const Value shared = sum(b, multiply(b, dq, q), axes, true);
    c.set(0, divide(b, subtract(b, dq, shared), total));
  }
  if (t_needed) c.set(1, negative(b, multiply(b, g, log(b, r))));
}
void categorical_vjp(VjpContext& c) { categorical_gradient(c, c.input(1), c.needs(1)); }

void sparse_categorical_infer(InferContext& c) {
  require_float(c, 0, "probabilities");
  check_last(c, "probabilities");
  require_index(c, 1, "labels");
  require_same_shape(c, 1, "labels", without_last(c.inputs[0].shape));
  row_result(c);
}
void sparse_categorical_eval(const EvalContext& c) {
  View labels = c.inputs[1];
  int64_t* const places = label_space(labels.size());
  copy_labels("sparse_categorical_cross_entropy", "labels", labels, c.inputs[0].shape.back(), false,
              places);
  labels.data = places;
  labels.dtype = DType::int64;
  labels.strides = c_strides(labels.shape);
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    eval_loss_rows<T, int64_t>(
        c, labels, false, 4,
        [](T* out, const T* p, int64_t ps, const int64_t* label, int64_t, int64_t n, double* row) {
          for (int64_t j = 0; j < n; ++j) row[j] = static_cast<double>(p[j * ps]);
          double chosen = clipped(row[*label] / row_sum(row, n));
          kernels().unary_f64(UnaryOp::log, &chosen, 1, &chosen, 1, 1);
          *out = static_cast<T>(-chosen);
        });
  });
}
// As categorical with t = one_hot(label); labels have no gradient
void sparse_categorical_vjp(VjpContext& c) {
  if (!c.needs(0)) return;
  Attrs attrs;
  attrs.shape = {c.input_meta(0).shape.back()};
  attrs.dtype = c.input_meta(0).dtype;
  categorical_gradient(c, c.builder().emit(one_hot_op, {c.input(1)}, attrs), false);
}

// ---- binary, elementwise: loss = -(t log r + (1-t) log(1-r)) with r = clip(p)

void binary_infer(InferContext& c) {
  check_pair(c, "probabilities", "labels");
  c.outputs[0] = c.inputs[0];
}
void binary_eval(const EvalContext& c) {
  Loop loop;
  make_loop(&loop, c.outputs[0].shape, &c.outputs[0], c.inputs, 2);
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_run(loop, kCostlyGrain, [](char* const* at, const int64_t* s, int64_t n) {
      constexpr int64_t kBlock = 128;
      double on[kBlock];
      double off[kBlock];
      T* y = typed<T>(at[0]);
      const T* p = typed<const T>(at[1]);
      const T* t = typed<const T>(at[2]);
      for (int64_t first = 0; first < n; first += kBlock) {
        const int64_t count = std::min(kBlock, n - first);
        for (int64_t i = 0; i < count; ++i) {
          on[i] = clipped(static_cast<double>(p[(first + i) * s[1]]));
          off[i] = -on[i];
        }
        kernels().unary_f64(UnaryOp::log, on, 1, on, 1, count);
        kernels().unary_f64(UnaryOp::log1p, off, 1, off, 1, count);
        for (int64_t i = 0; i < count; ++i) {
          const double target = static_cast<double>(t[(first + i) * s[2]]);
          y[(first + i) * s[0]] = static_cast<T>(-(target * on[i] + (1.0 - target) * off[i]));
        }
      }
    });
  });
}
// dr = (r - t) / (r (1-r)) * g inside the clip, else 0; dt = (log(1-r) - log r) * g
void binary_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value p = c.input(0);
  const Value t = c.input(1);
  const Value g = c.cotangent();
  const Value r = clip(b, p, kFloor, 1.0 - kFloor);
  if (c.needs(0)) {
    const Value spread = multiply(b, r, subtract(b, 1.0, r));
    const Value dr = multiply(b, g, divide(b, subtract(b, r, t), spread));
    c.set(0, clip_gradient(b, dr, p, kFloor, 1.0 - kFloor));
  }
  if (c.needs(1)) {
    // 1 - p has a clip of its own: float32 has no number near 1 - kFloor to subtract from 1.
    const Value off = clip(b, subtract(b, 1.0, p), 1.0 - (1.0 - kFloor), 1.0 - kFloor);
    c.set(1, multiply(b, g, subtract(b, log(b, off), log(b, r))));
  }
}

// ---- mean squared error over the last axis: (y_pred, y_true)

void squared_infer(InferContext& c) {
  check_pair(c, "y_pred", "y_true");
  check_last(c, "y_pred");
  row_result(c);
}
void squared_eval(const EvalContext& c) {
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    eval_loss_rows<T, T>(
        c, c.inputs[1], true, 2,
        [](T* out, const T* p, int64_t ps, const T* t, int64_t ts, int64_t n, double* row) {
          for (int64_t j = 0; j < n; ++j) {
            const double d = static_cast<double>(p[j * ps]) - static_cast<double>(t[j * ts]);
            row[j] = d * d;
          }
          *out = static_cast<T>(row_sum(row, n) / static_cast<double>(n));
        });
  });
}
// dp = 2 (p - t) / n * g, dt = -dp
void squared_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const double n = static_cast<double>(c.input_meta(0).shape.back());
  const Value scale = multiply(b, append_axis(b, c.cotangent()), 2.0 / n);
  const Value dp = multiply(b, subtract(b, c.input(0), c.input(1)), scale);
  if (c.needs(0)) c.set(0, dp);
  if (c.needs(1)) c.set(1, negative(b, dp));
}

}  // namespace

const OpDef categorical_cross_entropy_op = {"categorical_cross_entropy",
                                            2,
                                            1,
                                            kAnyOrder | kPromoteFloat,
                                            categorical_infer,
                                            categorical_eval,
                                            categorical_vjp,
                                            nullptr,
                                            batch_leading};
const OpDef sparse_categorical_cross_entropy_op = {"sparse_categorical_cross_entropy",
                                                   2,
                                                   1,
                                                   kAnyOrder | kPromoteFirst,
                                                   sparse_categorical_infer,
                                                   sparse_categorical_eval,
                                                   sparse_categorical_vjp,
                                                   nullptr,
                                                   batch_leading};
const OpDef binary_cross_entropy_op = {"binary_cross_entropy",
                                       2,
                                       1,
                                       kElementwise | kInPlace0 | kAnyOrder | kPromoteFloat,
                                       binary_infer,
                                       binary_eval,
                                       binary_vjp,
                                       nullptr,
                                       batch_leading};
const OpDef mean_squared_error_op = {"mean_squared_error",
                                     2,
                                     1,
                                     kAnyOrder | kPromoteFloat,
                                     squared_infer,
                                     squared_eval,
                                     squared_vjp,
                                     nullptr,
                                     batch_leading};

}  // namespace fusegrad
