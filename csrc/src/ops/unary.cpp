// Elementwise ops of one operand.
//
// Each op is its kernel, its dtypes and its gradient; dy is the cotangent of y = op(x).
#include "fusegrad/emit.h"
#include "ops/elementwise.h"

namespace fusegrad {
namespace {

using namespace emit;

// dx = dy
void identity_vjp(VjpContext& c) { c.set(0, c.cotangent()); }
void identity_infer(InferContext& c) { c.outputs[0] = c.inputs[0]; }
void identity_eval(const EvalContext& c) { copy_view(c.outputs[0], c.inputs[0]); }
bool identity_view(const View& input, const Attrs&, View* output) {
  *output = input;
  return true;
}

// dx = -dy
void negative_vjp(VjpContext& c) { c.set(0, negative(c.builder(), c.cotangent())); }

// dx = dy * sign(x); 0 at 0
void abs_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, multiply(b, c.cotangent(), sign(b, c.input(0))));
}

// dx = dy * 2x
void square_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, multiply(b, c.cotangent(), multiply(b, c.input(0), 2.0)));
}

// dx = dy / (2y); 0 where y = 0, through an infinite divisor so that no order of it is NaN
void sqrt_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value y = c.output();
  const Value divisor = where(b, equal(b, y, 0.0), __builtin_inf(), multiply(b, y, 2.0));
  c.set(0, divide(b, c.cotangent(), divisor));
}

// dx = -dy * y^2
void reciprocal_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value y = c.output();
  c.set(0, negative(b, multiply(b, c.cotangent(), multiply(b, y, y))));
}

// dx = dy * y
void exp_vjp(VjpContext& c) { c.set(0, multiply(c.builder(), c.cotangent(), c.output())); }

// dx = dy * exp(x); not y + 1, which cancels for x << 0
void expm1_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, multiply(b, c.cotangent(), exp(b, c.input(0))));
}

// dx = dy / x
void log_vjp(VjpContext& c) { c.set(0, divide(c.builder(), c.cotangent(), c.input(0))); }

// dx = dy / (1 + x)
void log1p_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, divide(b, c.cotangent(), add(b, c.input(0), 1.0)));
}

// y to the base 2: dx = dy * y ln 2, dx = dy / (x ln 2); to the base 10: dx = dy / (x ln 10)
constexpr double kLn2 = 0x1.62e42fefa39efp-1;
constexpr double kLn10 = 0x1.26bb1bbb55516p+1;
void exp2_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, multiply(b, c.cotangent(), multiply(b, c.output(), kLn2)));
}
void log2_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, divide(b, c.cotangent(), multiply(b, c.input(0), kLn2)));
}
void log10_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, divide(b, c.cotangent(), multiply(b, c.input(0), kLn10)));
}

// dx = dy / (3 y^2)
void cbrt_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value y = c.output();
  c.set(0, divide(b, c.cotangent(), multiply(b, multiply(b, y, y), 3.0)));
}

// dx = dy * (1 - y^2)
void tanh_vjp(VjpContext& c) { c.set(0, tanh_grad(c.builder(), c.cotangent(), c.output())); }

// dx = dy * y * (1 - y)
void sigmoid_vjp(VjpContext& c) { c.set(0, sigmoid_grad(c.builder(), c.cotangent(), c.output())); }

// dx = dy * sigmoid(x)
void softplus_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, multiply(b, c.cotangent(), sigmoid(b, c.input(0))));
}

// log_sigmoid: y = -softplus(-x); with the flag log(1 - sigmoid(x)) = -softplus(x).
void log_sigmoid_eval(const EvalContext& c) {
  if (!c.attrs->flag) return eval_float_unary<UnaryOp::log_sigmoid>(c);
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, unary);
    map1<T>(c, kCostlyGrain, [kernel](T* y, int64_t ys, const T* x, int64_t xs, int64_t n) {
      kernel(UnaryOp::softplus, y, ys, x, xs, n);
      kernel(UnaryOp::negative, y, ys, y, ys, n);
    });
  });
}
// dx = dy * sigmoid(-x); with the flag -dy * sigmoid(x)
void log_sigmoid_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value x = c.input(0);
  c.set(0, c.attrs().flag ? negative(b, multiply(b, c.cotangent(), sigmoid(b, x)))
                          : multiply(b, c.cotangent(), sigmoid(b, negative(b, x))));
}

// dx = dy * 2/sqrt(pi) exp(-x^2), and minus that
void erf_vjp(VjpContext& c) { c.set(0, erf_grad(c.builder(), c.cotangent(), c.input(0))); }
void erfc_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, negative(b, erf_grad(b, c.cotangent(), c.input(0))));
}

// dx = dy * s * (1 + x sigmoid(-x)) with s = sigmoid(x)
void silu_vjp(VjpContext& c) { c.set(0, silu_grad(c.builder(), c.cotangent(), c.input(0))); }

// dx = dy * (Phi(x) + x phi(x))
void gelu_vjp(VjpContext& c) { c.set(0, gelu_grad(c.builder(), c.cotangent(), c.input(0))); }

// dx = y > 0 ? dy : 0
void relu_vjp(VjpContext& c) {
  c.set(0, c.builder().emit(relu_grad_op, {c.cotangent(), c.output()}));
}

// scalars[0] is not negative, so that y has the sign of x.
void require_not_negative(const InferContext& c, const char* argument) {
  if (!(c.attrs->scalars[0] >= 0.0)) {
    fail(c.op, argument, "a number >= 0", std::to_string(c.attrs->scalars[0]));
  }
}

// leaky_relu: scalars[0] is the slope for x <= 0.
void leaky_relu_infer(InferContext& c) {
  require_not_negative(c, "negative_slope");
  infer_float_unary(c);
}
void leaky_relu_eval(const EvalContext& c) {
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, leaky_relu);
    const double slope = c.attrs->scalars[0];
    map1<T>(c, kCheapGrain, [=](T* y, int64_t ys, const T* x, int64_t xs, int64_t n) {
      kernel(y, ys, x, xs, n, slope);
    });
  });
}
// dx = y > 0 ? dy : slope * dy
void leaky_relu_vjp(VjpContext& c) {
  c.set(0, c.builder().emit(leaky_relu_grad_op, {c.cotangent(), c.output()}, c.attrs()));
}

// elu: scalars[0] is alpha, the factor of e^x - 1 for x <= 0.
void elu_infer(InferContext& c) {
  require_not_negative(c, "alpha");
  infer_float_unary(c);
}
void elu_eval(const EvalContext& c) {
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, elu);
    const double alpha = c.attrs->scalars[0];
    map1<T>(c, kCostlyGrain, [=](T* y, int64_t ys, const T* x, int64_t xs, int64_t n) {
      kernel(y, ys, x, xs, n, alpha);
    });
  });
}
// dx = x > 0 ? dy : dy * alpha exp(x); not y + alpha, which cancels for x << 0. exp sees no x > 0,
// where it could overflow.
void elu_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value dy = c.cotangent();
  const Value positive = greater(b, c.input(0), 0.0);
  const Value slope =
      multiply(b, exp(b, where(b, positive, 0.0, c.input(0))), c.attrs().scalars[0]);
  c.set(0, where(b, positive, dy, multiply(b, dy, slope)));
}

// clip: scalars {low, high}, infinite where there is no bound.
void clip_infer(InferContext& c) {
  infer_float_unary(c);
  const double* bounds = c.attrs->scalars;
  if (!(bounds[0] <= bounds[1])) {
    fail(c.op, "x_max", "a bound >= x_min = " + std::to_string(bounds[0]),
         std::to_string(bounds[1]));
  }
}
void clip_eval(const EvalContext& c) {
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, clip);
    const double low = c.attrs->scalars[0];
    const double high = c.attrs->scalars[1];
    map1<T>(c, kCheapGrain, [=](T* y, int64_t ys, const T* x, int64_t xs, int64_t n) {
      kernel(y, ys, x, xs, n, low, high);
    });
  });
}
// dx = low <= x <= high ? dy : 0
void clip_vjp(VjpContext& c) {
  const double* bounds = c.attrs().scalars;
  c.set(0, clip_gradient(c.builder(), c.cotangent(), c.input(0), bounds[0], bounds[1]));
}

// ---- gradients written in the output: operands (dy, y)

// d/d(dy) = relu_grad(c, y); piecewise linear, so nothing flows to y
void relu_grad_vjp(VjpContext& c) {
  if (c.needs(0)) c.set(0, c.builder().emit(relu_grad_op, {c.cotangent(), c.input(1)}));
}

void leaky_relu_grad_infer(InferContext& c) {
  require_not_negative(c, "negative_slope");
  infer_float_binary(c);
}
void leaky_relu_grad_eval(const EvalContext& c) {
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, leaky_relu_grad);
    const double slope = c.attrs->scalars[0];
    map2<T, T>(c, kCheapGrain,
               [=](T* dx, int64_t dxs, const T* dy, int64_t dys, const T* y, int64_t ys,
                   int64_t n) { kernel(dx, dxs, dy, dys, y, ys, n, slope); });
  });
}
// d/d(dy) = leaky_relu_grad(c, y)
void leaky_relu_grad_vjp(VjpContext& c) {
  if (!c.needs(0)) return;
  c.set(0, c.builder().emit(leaky_relu_grad_op, {c.cotangent(), c.input(1)}, c.attrs()));
}

// d/d(dy) = c*y*(1-y); d/dy = c*dy*(1-2y)
void sigmoid_grad_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value ct = c.cotangent();
  if (c.needs(0)) c.set(0, sigmoid_grad(b, ct, c.input(1)));
  if (c.needs(1)) {
    const Value slope = subtract(b, 1.0, multiply(b, c.input(1), 2.0));
    c.set(1, multiply(b, multiply(b, ct, c.input(0)), slope));
  }
}

// d/d(dy) = c*(1-y^2); d/dy = -2*c*dy*y
void tanh_grad_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value ct = c.cotangent();
  if (c.needs(0)) c.set(0, tanh_grad(b, ct, c.input(1)));
  if (c.needs(1)) {
    c.set(1, multiply(b, multiply(b, ct, c.input(0)), multiply(b, c.input(1), -2.0)));
  }
}

// ---- gradients written in the input: operands (dy, x)

// d/d(dy) = erf_grad(c, x); d/dx = -2x erf_grad(c*dy, x)
void erf_grad_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value ct = c.cotangent();
  const Value x = c.input(1);
  if (c.needs(0)) c.set(0, erf_grad(b, ct, x));
  if (c.needs(1)) {
    // The slope is 0 long before |x| = 64, and -2x must not be infinite.
    const Value bend = multiply(b, clip(b, x, -64.0, 64.0), -2.0);
    c.set(1, multiply(b, erf_grad(b, multiply(b, ct, c.input(0)), x), bend));
  }
}

// d/d(dy) = silu_grad(c, x); d/dx = c*dy * s*t*(2 + x*(t-s)) with s = sigmoid(x), t = sigmoid(-x)
void silu_grad_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value ct = c.cotangent();
  const Value x = c.input(1);
  if (c.needs(0)) c.set(0, silu_grad(b, ct, x));
  if (c.needs(1)) {
    const Value s = sigmoid(b, x);
    const Value t = sigmoid(b, negative(b, x));
    // s*t is 0 long before |x| = 1000, and x must not be infinite.
    const Value near = clip(b, x, -1000.0, 1000.0);
    const Value bend = add(b, multiply(b, near, subtract(b, t, s)), 2.0);
    c.set(1, multiply(b, multiply(b, ct, c.input(0)), multiply(b, multiply(b, s, t), bend)));
  }
}

// d/d(dy) = gelu_grad(c, x); d/dx = c*dy * phi(x)*(2 - x^2), where phi is 0 long before |x| = 64
// and x^2 must not be infinite. phi(x) is erf_grad at x/sqrt(2), over sqrt(8).
void gelu_grad_vjp(VjpContext& c) {
  constexpr double kSqrtHalf = 0x1.6a09e667f3bcdp-1;
  Builder& b = c.builder();
  const Value ct = c.cotangent();
  if (c.needs(0)) c.set(0, gelu_grad(b, ct, c.input(1)));
  if (c.needs(1)) {
    const Value x = clip(b, c.input(1), -64.0, 64.0);
    const Value bend = multiply(b, subtract(b, 2.0, multiply(b, x, x)), 0.5 * kSqrtHalf);
    const Value density = erf_grad(b, multiply(b, ct, c.input(0)), multiply(b, x, kSqrtHalf));
    c.set(1, multiply(b, density, bend));
  }
}

}  // namespace

const OpDef identity_op = {"identity",
                           1,
                           1,
                           kView | kUnaryTraits | kNoAttrs,
                           identity_infer,
                           identity_eval,
                           identity_vjp,
                           identity_view,
                           batch_broadcasting};
const OpDef stop_gradient_op = {"stop_gradient",
                                1,
                                1,
                                kView | kUnaryTraits | kNoAttrs,
                                identity_infer,
                                identity_eval,
                                kNotDifferentiable,
                                identity_view,
                                batch_broadcasting};
const OpDef negative_op = number_unary<UnaryOp::negative>("negative", negative_vjp);
const OpDef abs_op = number_unary<UnaryOp::abs>("abs", abs_vjp);
// Piecewise constant: a zero cotangent.
const OpDef sign_op = number_unary<UnaryOp::sign>("sign", kNotDifferentiable);
const OpDef square_op = number_unary<UnaryOp::square>("square", square_vjp);
const OpDef sqrt_op = float_unary<UnaryOp::sqrt>("sqrt", sqrt_vjp);
const OpDef reciprocal_op = float_unary<UnaryOp::reciprocal>("reciprocal", reciprocal_vjp);
const OpDef exp_op = float_unary<UnaryOp::exp>("exp", exp_vjp);
const OpDef expm1_op = float_unary<UnaryOp::expm1>("expm1", expm1_vjp);
const OpDef log_op = float_unary<UnaryOp::log>("log", log_vjp);
const OpDef log1p_op = float_unary<UnaryOp::log1p>("log1p", log1p_vjp);
const OpDef exp2_op = float_unary<UnaryOp::exp2>("exp2", exp2_vjp);
const OpDef log2_op = float_unary<UnaryOp::log2>("log2", log2_vjp);
const OpDef log10_op = float_unary<UnaryOp::log10>("log10", log10_vjp);
const OpDef cbrt_op = float_unary<UnaryOp::cbrt>("cbrt", cbrt_vjp);
const OpDef tanh_op = float_unary<UnaryOp::tanh>("tanh", tanh_vjp);
const OpDef sigmoid_op = float_unary<UnaryOp::sigmoid>("sigmoid", sigmoid_vjp);
const OpDef softplus_op = float_unary<UnaryOp::softplus>("softplus", softplus_vjp);
const OpDef erf_op = float_unary<UnaryOp::erf>("erf", erf_vjp);
const OpDef erfc_op = float_unary<UnaryOp::erfc>("erfc", erfc_vjp);
const OpDef silu_op = float_unary<UnaryOp::silu>("silu", silu_vjp);
const OpDef gelu_op = float_unary<UnaryOp::gelu>("gelu", gelu_vjp);
const OpDef relu_op = float_unary<UnaryOp::relu>("relu", relu_vjp);
const OpDef log_sigmoid_op = {"log_sigmoid",
                              1,
                              1,
                              kUnaryTraits | kPromoteFloat,
                              infer_float_unary,
                              log_sigmoid_eval,
                              log_sigmoid_vjp,
                              nullptr,
                              batch_broadcasting};
const OpDef leaky_relu_op = {"leaky_relu",
                             1,
                             1,
                             kUnaryTraits | kPromoteFloat,
                             leaky_relu_infer,
                             leaky_relu_eval,
                             leaky_relu_vjp,
                             nullptr,
                             batch_broadcasting};
const OpDef elu_op = {"elu",
                      1,
                      1,
                      kUnaryTraits | kPromoteFloat,
                      elu_infer,
                      elu_eval,
                      elu_vjp,
                      nullptr,
                      batch_broadcasting};
const OpDef clip_op = {"clip",    1,        1,       kUnaryTraits | kPromote, clip_infer,
                       clip_eval, clip_vjp, nullptr, batch_broadcasting};

const OpDef relu_grad_op = float_binary<BinaryOp::relu_grad>("relu_grad", relu_grad_vjp, kGradient);
const OpDef sigmoid_grad_op =
    float_binary<BinaryOp::sigmoid_grad>("sigmoid_grad", sigmoid_grad_vjp, kGradient);
const OpDef tanh_grad_op = float_binary<BinaryOp::tanh_grad>("tanh_grad", tanh_grad_vjp, kGradient);
const OpDef silu_grad_op = float_binary<BinaryOp::silu_grad>("silu_grad", silu_grad_vjp, kGradient);
const OpDef gelu_grad_op = float_binary<BinaryOp::gelu_grad>("gelu_grad", gelu_grad_vjp, kGradient);
const OpDef erf_grad_op = float_binary<BinaryOp::erf_grad>("erf_grad", erf_grad_vjp, kGradient);
const OpDef leaky_relu_grad_op = {"leaky_relu_grad",
                                  2,
                                  1,
                                  kBinaryTraits | kGradient,
                                  leaky_relu_grad_infer,
                                  leaky_relu_grad_eval,
                                  leaky_relu_grad_vjp,
                                  nullptr,
                                  batch_broadcasting};

}  // namespace fusegrad
