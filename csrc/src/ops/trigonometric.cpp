// Trigonometric and hyperbolic functions, their inverses, and hypot.
//
// Each op is its kernel and its gradient; dy is the cotangent of y = op(x). Slopes are written so
// that they neither overflow nor cancel.
#include "fusegrad/emit.h"
#include "ops/elementwise.h"

namespace fusegrad {
namespace {

using namespace emit;

// dx = dy * cos(x)
void sin_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, multiply(b, c.cotangent(), cos(b, c.input(0))));
}

// dx = -dy * sin(x)
void cos_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, negative(b, multiply(b, c.cotangent(), sin(b, c.input(0)))));
}

// dx = dy * (1 + y^2)
void tan_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value y = c.output();
  c.set(0, multiply(b, c.cotangent(), add(b, multiply(b, y, y), 1.0)));
}

// (1 - x) (1 + x)
Value one_minus_square(Builder& b, Value x) {
  return multiply(b, subtract(b, 1.0, x), add(b, x, 1.0));
}

// dx = dy / sqrt((1 - x) (1 + x)), and minus that
void arcsin_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, divide(b, c.cotangent(), sqrt(b, one_minus_square(b, c.input(0)))));
}
void arccos_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, negative(b, divide(b, c.cotangent(), sqrt(b, one_minus_square(b, c.input(0))))));
}

// dx = dy / (1 + x^2); an infinite square gives 0
void arctan_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value x = c.input(0);
  c.set(0, divide(b, c.cotangent(), add(b, multiply(b, x, x), 1.0)));
}

// dx = dy * cosh(x), dx = dy * sinh(x)
void sinh_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, multiply(b, c.cotangent(), cosh(b, c.input(0))));
}
void cosh_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, multiply(b, c.cotangent(), sinh(b, c.input(0))));
}

// dx = dy / sqrt(1 + x^2)
void arcsinh_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, divide(b, c.cotangent(), hypot(b, c.input(0), 1.0)));
}

// dx = dy / (sqrt(x - 1) sqrt(x + 1))
void arccosh_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value x = c.input(0);
  const Value roots = multiply(b, sqrt(b, subtract(b, x, 1.0)), sqrt(b, add(b, x, 1.0)));
  c.set(0, divide(b, c.cotangent(), roots));
}

// dx = dy / ((1 - x) (1 + x))
void arctanh_vjp(VjpContext& c) {
  Builder& b = c.builder();
  c.set(0, divide(b, c.cotangent(), one_minus_square(b, c.input(0))));
}

// The length of (x1, x2) as a divisor: infinite at the origin, so that no order of the gradient is
// NaN there.
Value length(Builder& b, Value h) { return where(b, equal(b, h, 0.0), __builtin_inf(), h); }

// With h = hypot(x1, x2): dx1 = dy * x1 / h, dx2 = dy * x2 / h; 0 at the origin
void hypot_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value h = length(b, c.output());
  for (int i = 0; i < 2; ++i) {
    if (c.needs(i)) c.set(i, multiply(b, c.cotangent(), divide(b, c.input(i), h)));
  }
}

// With h = hypot(x1, x2): dx1 = dy * x2 / h^2, dx2 = -dy * x1 / h^2; 0 at the origin
void arctan2_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value dy = c.cotangent();
  const Value h = length(b, hypot(b, c.input(0), c.input(1)));
  if (c.needs(0)) c.set(0, multiply(b, dy, divide(b, divide(b, c.input(1), h), h)));
  if (c.needs(1)) {
    c.set(1, negative(b, multiply(b, dy, divide(b, divide(b, c.input(0), h), h))));
  }
}

}  // namespace

const OpDef sin_op = float_unary<UnaryOp::sin>("sin", sin_vjp);
const OpDef cos_op = float_unary<UnaryOp::cos>("cos", cos_vjp);
const OpDef tan_op = float_unary<UnaryOp::tan>("tan", tan_vjp);
const OpDef arcsin_op = float_unary<UnaryOp::arcsin>("arcsin", arcsin_vjp);
const OpDef arccos_op = float_unary<UnaryOp::arccos>("arccos", arccos_vjp);
const OpDef arctan_op = float_unary<UnaryOp::arctan>("arctan", arctan_vjp);
const OpDef sinh_op = float_unary<UnaryOp::sinh>("sinh", sinh_vjp);
const OpDef cosh_op = float_unary<UnaryOp::cosh>("cosh", cosh_vjp);
const OpDef arcsinh_op = float_unary<UnaryOp::arcsinh>("arcsinh", arcsinh_vjp);
const OpDef arccosh_op = float_unary<UnaryOp::arccosh>("arccosh", arccosh_vjp);
const OpDef arctanh_op = float_unary<UnaryOp::arctanh>("arctanh", arctanh_vjp);
const OpDef arctan2_op = float_binary<BinaryOp::arctan2>("arctan2", arctan2_vjp, kPromoteFloat);
const OpDef hypot_op = float_binary<BinaryOp::hypot>("hypot", hypot_vjp, kPromoteFloat);

}  // namespace fusegrad
