// Elementwise kernels. Each operation is one functor on vectors and one loop over contiguous data;
// strided and broadcast operands go through small buffers on the stack, so every path runs the same
// loop and gives the same bits.
#pragma once

#include "kernels/copy-inl.h"
#include "kernels/kernels.h"
#include "kernels/math-inl.h"
#include "kernels/math-round-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// ---- drivers ---------------------------------------------------------------------------------

constexpr int64_t kBufferLength = 256;
constexpr int kMaxOperands = 3;

// y[i] = op(in[0][i], in[1][i], in[2][i]) for contiguous data; p and q are the op's scalars.
template <class T>
using Loop = void (*)(T* y, const T* const* in, int64_t n, double p, double q);

template <class T, class Op>
void loop(T* y, const T* const* in, int64_t n, double p, double q) {
  typedef typename Vec<T>::V V;
  constexpr int kLanes = Vec<T>::kLanes;
  const V vp = set1(static_cast<T>(p));
  const V vq = set1(static_cast<T>(q));
  const T* const a = in[0];
  const T* const b = in[Op::kOperands > 1 ? 1 : 0];
  const T* const c = in[Op::kOperands > 2 ? 2 : 0];
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    store(y + i, Op::run(load(a + i), load(b + i), load(c + i), vp, vq));
  }
  if (i < n) {
    const int64_t left = n - i;
    store_n(y + i, Op::run(load_n(a + i, left), load_n(b + i, left), load_n(c + i, left), vp, vq),
            left);
  }
}

template <class T>
struct Operand {
  const T* p;
  int64_t stride;
};

template <class T>
void run_strided(Loop<T> op, T* y, int64_t ys, const Operand<T>* operands, int count, int64_t n,
                 double p, double q) {
  alignas(64) T buffers[kMaxOperands + 1][kBufferLength];
  const T* in[kMaxOperands];
  for (int k = 0; k < count; ++k) {
    in[k] = operands[k].p;
    if (operands[k].stride != 1) {
      in[k] = buffers[k];
      const int64_t filled = operands[k].stride == 0 ? (n < kBufferLength ? n : kBufferLength) : 0;
      for (int64_t i = 0; i < filled; ++i) buffers[k][i] = operands[k].p[0];
    }
  }
  for (int64_t start = 0; start < n; start += kBufferLength) {
    const int64_t left = n - start < kBufferLength ? n - start : kBufferLength;
    for (int k = 0; k < count; ++k) {
      const int64_t s = operands[k].stride;
      if (s == 1) {
        in[k] = operands[k].p + start;
      } else if (s != 0) {
        for (int64_t i = 0; i < left; ++i) buffers[k][i] = operands[k].p[(start + i) * s];
      }
    }
    if (ys == 1) {
      op(y + start, in, left, p, q);
    } else {
      op(buffers[kMaxOperands], in, left, p, q);
      for (int64_t i = 0; i < left; ++i) y[(start + i) * ys] = buffers[kMaxOperands][i];
    }
  }
}

template <class T, int kCount>
FUSEGRAD_INLINE void run(Loop<T> op, T* y, int64_t ys, const Operand<T> (&operands)[kCount],
                         int64_t n, double p = 0.0, double q = 0.0) {
  bool contiguous = ys == 1;
  const T* in[kCount];
  for (int k = 0; k < kCount; ++k) {
    in[k] = operands[k].p;
    contiguous = contiguous && operands[k].stride == 1;
  }
  if (contiguous || n == 1) {
    op(y, in, n, p, q);
  } else {
    run_strided(op, y, ys, operands, kCount, n, p, q);
  }
}

// ---- operations ------------------------------------------------------------------------------

// Evaluates body(a, b, c, type) in double with the accuracy of type, and rounds once.
template <class F>
FUSEGRAD_INLINE VF in_double(VF a, VF b, VF c, const F& body) {
  return narrow(body(widen_lo(a), widen_lo(b), widen_lo(c), float{}),
                body(widen_hi(a), widen_hi(b), widen_hi(c), float{}));
}
template <class F>
FUSEGRAD_INLINE VD in_double(VD a, VD b, VD c, const F& body) {
  return body(a, b, c, double{});
}

// p and q are the scalars of the operation.
#define FUSEGRAD_OPERATION(Name, operands, ...)                                                    \
  struct Name {                                                                                    \
    static constexpr int kOperands = operands;                                                     \
    template <class V>                                                                             \
    static FUSEGRAD_INLINE V run([[maybe_unused]] V a, [[maybe_unused]] V b, [[maybe_unused]] V c, \
                                 [[maybe_unused]] V p, [[maybe_unused]] V q) {                     \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  };

FUSEGRAD_OPERATION(Negative, 1, return -a;)
FUSEGRAD_OPERATION(Abs, 1, return abs(a);)
// NaN stays NaN, either zero gives +0.
FUSEGRAD_OPERATION(Sign, 1, {
  const V one = V{} + 1;
  return select(a > V{}, one, select(a < V{}, -one, select(a == V{}, V{}, a)));
})
FUSEGRAD_OPERATION(Square, 1, return a * a;)
FUSEGRAD_OPERATION(Sqrt, 1, return sqrt(a);)
FUSEGRAD_OPERATION(Reciprocal, 1, return 1 / a;)
FUSEGRAD_OPERATION(Exp, 1, return exp(a);)
FUSEGRAD_OPERATION(Expm1, 1, return expm1(a);)
FUSEGRAD_OPERATION(Log, 1, return log(a);)
FUSEGRAD_OPERATION(Log1p, 1, return log1p(a);)
FUSEGRAD_OPERATION(Tanh, 1, return tanh(a);)
FUSEGRAD_OPERATION(Sigmoid, 1, return sigmoid(a);)
FUSEGRAD_OPERATION(Relu, 1, return relu(a);)
FUSEGRAD_OPERATION(Softplus, 1, return softplus(a);)
FUSEGRAD_OPERATION(LogSigmoid, 1, return log_sigmoid(a);)
FUSEGRAD_OPERATION(Erf, 1, return erf(a);)
FUSEGRAD_OPERATION(Erfc, 1, return erfc(a);)
FUSEGRAD_OPERATION(Silu, 1, return silu(a);)
FUSEGRAD_OPERATION(Gelu, 1, return gelu(a);)
FUSEGRAD_OPERATION(Exp2, 1, return exp2(a);)
FUSEGRAD_OPERATION(Log2, 1, return log2(a);)
FUSEGRAD_OPERATION(Log10, 1, return log10(a);)
FUSEGRAD_OPERATION(Cbrt, 1, return cbrt(a);)
FUSEGRAD_OPERATION(Sin, 1, return sin(a);)
FUSEGRAD_OPERATION(Cos, 1, return cos(a);)
FUSEGRAD_OPERATION(Tan, 1, return tan(a);)
FUSEGRAD_OPERATION(Arcsin, 1, return arcsin(a);)
FUSEGRAD_OPERATION(Arccos, 1, return arccos(a);)
FUSEGRAD_OPERATION(Arctan, 1, return arctan(a);)
FUSEGRAD_OPERATION(Sinh, 1, return sinh(a);)
FUSEGRAD_OPERATION(Cosh, 1, return cosh(a);)
FUSEGRAD_OPERATION(Arcsinh, 1, return arcsinh(a);)
FUSEGRAD_OPERATION(Arccosh, 1, return arccosh(a);)
FUSEGRAD_OPERATION(Arctanh, 1, return arctanh(a);)
FUSEGRAD_OPERATION(Rint, 1, return rint(a);)
FUSEGRAD_OPERATION(Floor, 1, return floor(a);)
FUSEGRAD_OPERATION(Ceil, 1, return ceil(a);)
FUSEGRAD_OPERATION(Trunc, 1, return trunc(a);)
FUSEGRAD_OPERATION(Elu, 1, {
  return in_double(a, p, c,
                   [](VD x, VD alpha, VD, auto type) { return elu_for<decltype(type)>(x, alpha); });
})
FUSEGRAD_OPERATION(LeakyRelu, 1, return leaky_relu(a, p);)
FUSEGRAD_OPERATION(Clip, 1, return min_nan(max_nan(a, p), q);)
FUSEGRAD_OPERATION(Affine, 1, return a * p + q;)

FUSEGRAD_OPERATION(Add, 2, return a + b;)
FUSEGRAD_OPERATION(Subtract, 2, return a - b;)
FUSEGRAD_OPERATION(Multiply, 2, return a * b;)
FUSEGRAD_OPERATION(Divide, 2, return a / b;)
FUSEGRAD_OPERATION(Maximum, 2, return max_nan(a, b);)
FUSEGRAD_OPERATION(Minimum, 2, return min_nan(a, b);)
FUSEGRAD_OPERATION(Power, 2, return power(a, b);)
FUSEGRAD_OPERATION(Arctan2, 2, return arctan2(a, b);)
FUSEGRAD_OPERATION(Hypot, 2, return hypot(a, b);)
FUSEGRAD_OPERATION(Logaddexp, 2, return logaddexp(a, b);)
FUSEGRAD_OPERATION(FloorDivide, 2, return floor_divide(a, b);)
FUSEGRAD_OPERATION(Remainder, 2, return remainder(a, b);)
FUSEGRAD_OPERATION(Copysign, 2, return copysign(a, b);)
FUSEGRAD_OPERATION(ReluGrad, 2, return relu_grad(a, b);)
FUSEGRAD_OPERATION(LeakyReluGrad, 2, const V scaled = a * p; return select(b > V{}, a, scaled);)
FUSEGRAD_OPERATION(SigmoidGrad, 2, {
  return in_double(a, b, c, [](VD dy, VD y, VD, auto) { return (dy * y) * (1.0 - y); });
})
FUSEGRAD_OPERATION(TanhGrad, 2, {
  return in_double(a, b, c, [](VD dy, VD y, VD, auto) { return dy * ((1.0 - y) * (1.0 + y)); });
})
FUSEGRAD_OPERATION(SiluGrad, 2, {
  return in_double(a, b, c,
                   [](VD dy, VD x, VD, auto type) { return silu_grad_for<decltype(type)>(dy, x); });
})
FUSEGRAD_OPERATION(GeluGrad, 2, {
  return in_double(a, b, c,
                   [](VD dy, VD x, VD, auto type) { return gelu_grad_for<decltype(type)>(dy, x); });
})
FUSEGRAD_OPERATION(ErfGrad, 2, {
  return in_double(a, b, c,
                   [](VD dy, VD x, VD, auto type) { return erf_grad_for<decltype(type)>(dy, x); });
})
#undef FUSEGRAD_OPERATION

template <class T>
Loop<T> unary_loop(UnaryOp op) {
  switch (op) {
    case UnaryOp::negative: return loop<T, Negative>;
    case UnaryOp::abs: return loop<T, Abs>;
    case UnaryOp::sign: return loop<T, Sign>;
    case UnaryOp::square: return loop<T, Square>;
    case UnaryOp::sqrt: return loop<T, Sqrt>;
    case UnaryOp::reciprocal: return loop<T, Reciprocal>;
    case UnaryOp::exp: return loop<T, Exp>;
    case UnaryOp::expm1: return loop<T, Expm1>;
    case UnaryOp::log: return loop<T, Log>;
    case UnaryOp::log1p: return loop<T, Log1p>;
    case UnaryOp::tanh: return loop<T, Tanh>;
    case UnaryOp::sigmoid: return loop<T, Sigmoid>;
    case UnaryOp::relu: return loop<T, Relu>;
    case UnaryOp::softplus: return loop<T, Softplus>;
    case UnaryOp::log_sigmoid: return loop<T, LogSigmoid>;
    case UnaryOp::erf: return loop<T, Erf>;
    case UnaryOp::erfc: return loop<T, Erfc>;
    case UnaryOp::silu: return loop<T, Silu>;
    case UnaryOp::gelu: return loop<T, Gelu>;
    case UnaryOp::exp2: return loop<T, Exp2>;
    case UnaryOp::log2: return loop<T, Log2>;
    case UnaryOp::log10: return loop<T, Log10>;
    case UnaryOp::cbrt: return loop<T, Cbrt>;
    case UnaryOp::sin: return loop<T, Sin>;
    case UnaryOp::cos: return loop<T, Cos>;
    case UnaryOp::tan: return loop<T, Tan>;
    case UnaryOp::arcsin: return loop<T, Arcsin>;
    case UnaryOp::arccos: return loop<T, Arccos>;
    case UnaryOp::arctan: return loop<T, Arctan>;
    case UnaryOp::sinh: return loop<T, Sinh>;
    case UnaryOp::cosh: return loop<T, Cosh>;
    case UnaryOp::arcsinh: return loop<T, Arcsinh>;
    case UnaryOp::arccosh: return loop<T, Arccosh>;
    case UnaryOp::arctanh: return loop<T, Arctanh>;
    case UnaryOp::rint: return loop<T, Rint>;
    case UnaryOp::floor: return loop<T, Floor>;
    case UnaryOp::ceil: return loop<T, Ceil>;
    case UnaryOp::trunc: return loop<T, Trunc>;
  }
  __builtin_unreachable();
}

template <class T>
Loop<T> binary_loop(BinaryOp op) {
  switch (op) {
    case BinaryOp::add: return loop<T, Add>;
    case BinaryOp::subtract: return loop<T, Subtract>;
    case BinaryOp::multiply: return loop<T, Multiply>;
    case BinaryOp::divide: return loop<T, Divide>;
    case BinaryOp::maximum: return loop<T, Maximum>;
    case BinaryOp::minimum: return loop<T, Minimum>;
    case BinaryOp::power: return loop<T, Power>;
    case BinaryOp::arctan2: return loop<T, Arctan2>;
    case BinaryOp::hypot: return loop<T, Hypot>;
    case BinaryOp::logaddexp: return loop<T, Logaddexp>;
    case BinaryOp::floor_divide: return loop<T, FloorDivide>;
    case BinaryOp::remainder: return loop<T, Remainder>;
    case BinaryOp::copysign: return loop<T, Copysign>;
    case BinaryOp::relu_grad: return loop<T, ReluGrad>;
    case BinaryOp::sigmoid_grad: return loop<T, SigmoidGrad>;
    case BinaryOp::tanh_grad: return loop<T, TanhGrad>;
    case BinaryOp::silu_grad: return loop<T, SiluGrad>;
    case BinaryOp::gelu_grad: return loop<T, GeluGrad>;
    case BinaryOp::erf_grad: return loop<T, ErfGrad>;
  }
  __builtin_unreachable();
}

#define FUSEGRAD_ELEMENTWISE(T, suffix)                                                           \
  void unary_##suffix(UnaryOp op, T* y, int64_t ys, const T* x, int64_t xs, int64_t n) {          \
    run<T, 1>(unary_loop<T>(op), y, ys, {{x, xs}}, n);                                            \
  }                                                                                               \
  void leaky_relu_##suffix(T* y, int64_t ys, const T* x, int64_t xs, int64_t n, double slope) {   \
    run<T, 1>(loop<T, LeakyRelu>, y, ys, {{x, xs}}, n, slope);                                    \
  }                                                                                               \
  void elu_##suffix(T* y, int64_t ys, const T* x, int64_t xs, int64_t n, double alpha) {          \
    run<T, 1>(loop<T, Elu>, y, ys, {{x, xs}}, n, alpha);                                          \
  }                                                                                               \
  void clip_##suffix(T* y, int64_t ys, const T* x, int64_t xs, int64_t n, double lo, double hi) { \
    run<T, 1>(loop<T, Clip>, y, ys, {{x, xs}}, n, lo, hi);                                        \
  }                                                                                               \
  void affine_##suffix(T* y, const T* x, int64_t n, double scale, double offset) {                \
    run<T, 1>(loop<T, Affine>, y, 1, {{x, 1}}, n, scale, offset);                                 \
  }                                                                                               \
  void binary_##suffix(BinaryOp op, T* y, int64_t ys, const T* a, int64_t as, const T* b,         \
                       int64_t bs, int64_t n) {                                                   \
    run<T, 2>(binary_loop<T>(op), y, ys, {{a, as}, {b, bs}}, n);                                  \
  }                                                                                               \
  void leaky_relu_grad_##suffix(T* dx, int64_t dxs, const T* dy, int64_t dys, const T* y,         \
                                int64_t ys, int64_t n, double slope) {                            \
    run<T, 2>(loop<T, LeakyReluGrad>, dx, dxs, {{dy, dys}, {y, ys}}, n, slope);                   \
  }
FUSEGRAD_ELEMENTWISE(float, f32)
FUSEGRAD_ELEMENTWISE(double, f64)
#undef FUSEGRAD_ELEMENTWISE

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
