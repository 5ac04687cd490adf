// How elementwise ops are put together: shape rules and evaluations shared by unary, binary and
// comparison ops.
//
// An op states its kernel and its gradient; the templates here do the rest.
#pragma once

#include "fusegrad/batch.h"
#include "fusegrad/builder.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/iterate.h"

namespace fusegrad {

constexpr uint32_t kUnaryTraits = kElementwise | kInPlace0 | kAnyOrder;
constexpr uint32_t kBinaryTraits = kElementwise | kInPlace0 | kAnyOrder;

// ---- one operand

inline void infer_float_unary(InferContext& c) {
  require_float(c, 0, "x");
  c.outputs[0] = c.inputs[0];
}
inline void infer_number_unary(InferContext& c) {
  require_number(c, 0, "x");
  c.outputs[0] = c.inputs[0];
}

// body(y, ys, x, xs, n) over runs, with float or double pointers.
template <typename T, typename Body>
void map1(const EvalContext& c, int64_t grain, const Body& body) {
  const View& y = c.outputs[0];
  const View& x = c.inputs[0];
  const int64_t size = y.size();
  if (!worth_threads(size, grain) && in_one_run(y, &x, 1)) {
    body(y.as<T>(), int64_t{1}, x.as<const T>(), int64_t{1}, size);
    return;
  }
  Loop loop;
  make_loop(&loop, y.shape, &y, &x, 1);
  for_each_run(loop, grain, [&](char* const* at, const int64_t* s, int64_t n) {
    body(typed<T>(at[0]), s[0], typed<const T>(at[1]), s[1], n);
  });
}

constexpr bool is_cheap(UnaryOp op) {
  return op == UnaryOp::negative || op == UnaryOp::abs || op == UnaryOp::sign ||
         op == UnaryOp::square || op == UnaryOp::relu || op == UnaryOp::rint ||
         op == UnaryOp::floor || op == UnaryOp::ceil || op == UnaryOp::trunc;
}

template <UnaryOp op>
void eval_float_unary(const EvalContext& c) {
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, unary);
    map1<T>(c, is_cheap(op) ? kCheapGrain : kCostlyGrain,
            [kernel](T* y, int64_t ys, const T* x, int64_t xs, int64_t n) {
              kernel(op, y, ys, x, xs, n);
            });
  });
}

// Integer forms of the ops that have them.
template <UnaryOp op, typename T>
constexpr T integer_unary(T x) {
  if constexpr (op == UnaryOp::negative) return wrap_subtract(T(0), x);
  if constexpr (op == UnaryOp::abs) return x < 0 ? wrap_subtract(T(0), x) : x;
  if constexpr (op == UnaryOp::sign) return static_cast<T>((x > 0) - (x < 0));
  if constexpr (op == UnaryOp::square) return wrap_multiply(x, x);
  if constexpr (op == UnaryOp::floor || op == UnaryOp::ceil || op == UnaryOp::trunc) return x;
}

template <UnaryOp op>
void eval_number_unary(const EvalContext& c) {
  if (is_floating(c.outputs[0].dtype)) return eval_float_unary<op>(c);
  const auto run = [&](auto tag) {
    using T = decltype(tag);
    map1<T>(c, kCheapGrain, [](T* y, int64_t ys, const T* x, int64_t xs, int64_t n) {
      for (int64_t i = 0; i < n; ++i) y[i * ys] = integer_unary<op, T>(x[i * xs]);
    });
  };
  if (c.outputs[0].dtype == DType::int32) {
    run(int32_t());
  } else {
    run(int64_t());
  }
}

using VjpRule = void (*)(VjpContext&);

template <UnaryOp op>
constexpr OpDef float_unary(const char* name, VjpRule vjp) {
  return {name,
          1,
          1,
          kUnaryTraits | kPromoteFloat | kNoAttrs,
          infer_float_unary,
          eval_float_unary<op>,
          vjp,
          nullptr,
          batch_broadcasting};
}
template <UnaryOp op>
constexpr OpDef number_unary(const char* name, VjpRule vjp) {
  return {name,
          1,
          1,
          kUnaryTraits | kPromote | kNoAttrs,
          infer_number_unary,
          eval_number_unary<op>,
          vjp,
          nullptr,
          batch_broadcasting};
}

// ---- two operands

// Equal dtypes that `ok` accepts, broadcast; the dtype of the result is the operands'.
inline void infer_pair(InferContext& c) {
  if (c.inputs[0].dtype != c.inputs[1].dtype) require_dtype(c, 1, "x2", c.inputs[0].dtype);
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = broadcast(c, c.inputs[0].shape, c.inputs[1].shape);
}
inline void infer_float_binary(InferContext& c) {
  require_float(c, 0, "x1");
  infer_pair(c);
}
inline void infer_number_binary(InferContext& c) {
  require_number(c, 0, "x1");
  infer_pair(c);
}

// body(y, ys, a, as, b, bs, n) over runs.
template <typename Y, typename T, typename Body>
void map2(const EvalContext& c, int64_t grain, const Body& body) {
  const View& y = c.outputs[0];
  const View& a = c.inputs[0];
  const View& b = c.inputs[1];
  const int64_t size = y.size();
  if (!worth_threads(size, grain) && in_one_run(y, c.inputs, 2)) {
    const auto step = [size](const View& x) { return int64_t{x.size() == size}; };
    body(y.as<Y>(), int64_t{1}, a.as<const T>(), step(a), b.as<const T>(), step(b), size);
    return;
  }
  Loop loop;
  make_loop(&loop, y.shape, &y, c.inputs, 2);
  for_each_run(loop, grain, [&](char* const* at, const int64_t* s, int64_t n) {
    body(typed<Y>(at[0]), s[0], typed<const T>(at[1]), s[1], typed<const T>(at[2]), s[2], n);
  });
}

constexpr bool is_cheap(BinaryOp op) {
  return op == BinaryOp::add || op == BinaryOp::subtract || op == BinaryOp::multiply ||
         op == BinaryOp::divide || op == BinaryOp::maximum || op == BinaryOp::minimum ||
         op == BinaryOp::copysign || op == BinaryOp::relu_grad || op == BinaryOp::sigmoid_grad ||
         op == BinaryOp::tanh_grad;
}

template <BinaryOp op>
void eval_float_binary(const EvalContext& c) {
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, binary);
    map2<T, T>(c, is_cheap(op) ? kCheapGrain : kCostlyGrain,
               [kernel](T* y, int64_t ys, const T* a, int64_t as, const T* b, int64_t bs,
                        int64_t n) { kernel(op, y, ys, a, as, b, bs, n); });
  });
}

// NumPy's: 0 for a division by 0, and the most negative integer over -1 wraps around.
template <typename T>
constexpr T floor_divide(T a, T b) {
  if (b == 0) return 0;
  if (b == -1) return wrap_subtract(T(0), a);
  return static_cast<T>(a / b - (a % b != 0 && (a < 0) != (b < 0)));
}

template <BinaryOp op, typename T>
constexpr T integer_binary(T a, T b) {
  if constexpr (op == BinaryOp::add) return wrap_add(a, b);
  if constexpr (op == BinaryOp::subtract) return wrap_subtract(a, b);
  if constexpr (op == BinaryOp::multiply) return wrap_multiply(a, b);
  if constexpr (op == BinaryOp::maximum) return a > b ? a : b;
  if constexpr (op == BinaryOp::minimum) return a < b ? a : b;
  if constexpr (op == BinaryOp::floor_divide) return floor_divide(a, b);
  if constexpr (op == BinaryOp::remainder) {
    return wrap_subtract(a, wrap_multiply(floor_divide(a, b), b)) * T(b != 0);
  }
}

template <BinaryOp op>
void eval_number_binary(const EvalContext& c) {
  if (is_floating(c.outputs[0].dtype)) return eval_float_binary<op>(c);
  const auto run = [&](auto tag) {
    using T = decltype(tag);
    map2<T, T>(c, kCheapGrain,
               [](T* y, int64_t ys, const T* a, int64_t as, const T* b, int64_t bs, int64_t n) {
                 for (int64_t i = 0; i < n; ++i) {
                   y[i * ys] = integer_binary<op, T>(a[i * as], b[i * bs]);
                 }
               });
  };
  if (c.outputs[0].dtype == DType::int32) {
    run(int32_t());
  } else {
    run(int64_t());
  }
}

template <BinaryOp op>
constexpr OpDef float_binary(const char* name, VjpRule vjp, uint32_t more_traits = 0) {
  return {name,
          2,
          1,
          kBinaryTraits | kNoAttrs | more_traits,
          infer_float_binary,
          eval_float_binary<op>,
          vjp,
          nullptr,
          batch_broadcasting};
}
template <BinaryOp op>
constexpr OpDef number_binary(const char* name, VjpRule vjp) {
  return {name,
          2,
          1,
          kBinaryTraits | kPromote | kNoAttrs,
          infer_number_binary,
          eval_number_binary<op>,
          vjp,
          nullptr,
          batch_broadcasting};
}

}  // namespace fusegrad
