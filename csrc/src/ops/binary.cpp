// Elementwise arithmetic of two operands, with broadcasting.
//
// Cotangents are emitted in the broadcast shape; the backward walker sums them down.
#include "fusegrad/emit.h"
#include "ops/elementwise.h"

namespace fusegrad {
namespace {

using namespace emit;

// da = dy, db = dy
void add_vjp(VjpContext& c) {
  if (c.needs(0)) c.set(0, c.cotangent());
  if (c.needs(1)) c.set(1, c.cotangent());
}

// da = dy, db = -dy
void subtract_vjp(VjpContext& c) {
  if (c.needs(0)) c.set(0, c.cotangent());
  if (c.needs(1)) c.set(1, negative(c.builder(), c.cotangent()));
}

// da = dy * b, db = dy * a
void multiply_vjp(VjpContext& c) {
  Builder& b = c.builder();
  if (c.needs(0)) c.set(0, multiply(b, c.cotangent(), c.input(1)));
  if (c.needs(1)) c.set(1, multiply(b, c.cotangent(), c.input(0)));
}

// da = dy / b, db = -(dy / b) * y
void divide_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value da = divide(b, c.cotangent(), c.input(1));
  if (c.needs(0)) c.set(0, da);
  if (c.needs(1)) c.set(1, negative(b, multiply(b, da, c.output())));
}

// The number that a 0-d constant holds; false for anything else.
bool constant_number(const Builder& b, Value x, double* number) {
  if (b.info(x).node < 0 || b.producer(x).kind != NodeKind::constant) return false;
  const Array& array = b.info(x).array;
  if (!array.defined() || array.size() != 1) return false;
  *number = array.dtype() == DType::float32 ? static_cast<double>(*array.view().as<float>())
                                            : *array.view().as<double>();
  return true;
}

// dx = dy * p * x^(p-1), which is 0 for p = 0 also at x = 0; dp = dy * y * log(x), 0 at x = 0.
void power_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value dy = c.cotangent();
  const Value x = c.input(0);
  const Value p = c.input(1);
  double exponent = 0.0;
  const bool constant = constant_number(b, p, &exponent);
  if (c.needs(0) && !(constant && exponent == 0.0)) {
    Value safe = p;
    if (!constant) {
      const Value origin = logical_and(b, equal(b, x, 0.0), equal(b, p, 0.0));
      safe = where(b, origin, 1.0, p);
    }
    const Value slope =
        constant && exponent == 2.0
            ? x
            : power(b, x, constant ? number(b, exponent - 1.0, x) : subtract(b, safe, 1.0));
    c.set(0, multiply(b, dy, multiply(b, p, slope)));
  }
  if (c.needs(1)) {
    const Value logarithm = log(b, where(b, equal(b, x, 0.0), 1.0, x));
    c.set(1, multiply(b, dy, multiply(b, c.output(), logarithm)));
  }
}

// da = dy * sigmoid(a - b), db = dy * sigmoid(b - a); half to each of equal infinities, whose
// difference is NaN
void logaddexp_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value x = c.input(0);
  const Value y = c.input(1);
  const Value endless = logical_and(b, equal(b, x, y), equal(b, abs(b, x), __builtin_inf()));
  const Value difference = where(b, endless, 0.0, subtract(b, x, y));
  if (c.needs(0)) c.set(0, multiply(b, c.cotangent(), sigmoid(b, difference)));
  if (c.needs(1)) c.set(1, multiply(b, c.cotangent(), sigmoid(b, negative(b, difference))));
}

// da = dy * sign(a) * (1 with the sign of b), 0 at a = 0; db = 0
void copysign_vjp(VjpContext& c) {
  if (!c.needs(0)) return;
  Builder& b = c.builder();
  const Value slope = multiply(b, sign(b, c.input(0)), copysign(b, 1.0, c.input(1)));
  c.set(0, multiply(b, c.cotangent(), slope));
}

// maximum: dy to the larger operand, half to each of equal ones; minimum to the smaller.
void extreme_vjp(VjpContext& c, bool largest) {
  Builder& b = c.builder();
  const Value dy = c.cotangent();
  const Value x = c.input(0);
  const Value y = c.input(1);
  const Value tie = equal(b, x, y);
  const Value half = multiply(b, dy, 0.5);
  if (c.needs(0)) {
    const Value wins = largest ? greater(b, x, y) : less(b, x, y);
    c.set(0, where(b, tie, half, where(b, wins, dy, 0.0)));
  }
  if (c.needs(1)) {
    const Value wins = largest ? less(b, x, y) : greater(b, x, y);
    c.set(1, where(b, tie, half, where(b, wins, dy, 0.0)));
  }
}
void maximum_vjp(VjpContext& c) { extreme_vjp(c, true); }
void minimum_vjp(VjpContext& c) { extreme_vjp(c, false); }

}  // namespace

const OpDef add_op = number_binary<BinaryOp::add>("add", add_vjp);
const OpDef subtract_op = number_binary<BinaryOp::subtract>("subtract", subtract_vjp);
const OpDef multiply_op = number_binary<BinaryOp::multiply>("multiply", multiply_vjp);
const OpDef divide_op = float_binary<BinaryOp::divide>("divide", divide_vjp, kPromoteFloat);
const OpDef power_op = float_binary<BinaryOp::power>("power", power_vjp, kPromote);
const OpDef logaddexp_op =
    float_binary<BinaryOp::logaddexp>("logaddexp", logaddexp_vjp, kPromoteFloat);
const OpDef copysign_op = float_binary<BinaryOp::copysign>("copysign", copysign_vjp, kPromoteFloat);
const OpDef maximum_op = number_binary<BinaryOp::maximum>("maximum", maximum_vjp);
const OpDef minimum_op = number_binary<BinaryOp::minimum>("minimum", minimum_vjp);

}  // namespace fusegrad
