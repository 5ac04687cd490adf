// Rounding to integers, and division with a remainder.
//
// Roundings and whole quotients are piecewise constant: a zero cotangent.
#include "fusegrad/emit.h"
#include "ops/elementwise.h"

namespace fusegrad {
namespace {

using namespace emit;

// y = x1 - floor(x1 / x2) x2: dx1 = dy, dx2 = -dy * floor(x1 / x2)
void remainder_vjp(VjpContext& c) {
  Builder& b = c.builder();
  if (c.needs(0)) c.set(0, c.cotangent());
  if (c.needs(1)) {
    const Value quotient = floor_divide(b, c.input(0), c.input(1));
    c.set(1, negative(b, multiply(b, c.cotangent(), quotient)));
  }
}

}  // namespace

const OpDef rint_op = float_unary<UnaryOp::rint>("rint", kNotDifferentiable);
const OpDef floor_op = number_unary<UnaryOp::floor>("floor", kNotDifferentiable);
const OpDef ceil_op = number_unary<UnaryOp::ceil>("ceil", kNotDifferentiable);
const OpDef trunc_op = number_unary<UnaryOp::trunc>("trunc", kNotDifferentiable);
const OpDef floor_divide_op =
    number_binary<BinaryOp::floor_divide>("floor_divide", kNotDifferentiable);
const OpDef remainder_op = number_binary<BinaryOp::remainder>("remainder", remainder_vjp);

}  // namespace fusegrad
