// Factorizations of stacks of square or rectangular float64 matrices. The host computes them;
// gradients are products, and further solutions. Matrices are the last two axes.
#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "fusegrad/batch.h"
#include "fusegrad/callback.h"
#include "fusegrad/emit.h"
#include "ops/check.h"

namespace fusegrad {
namespace {

using namespace emit;

std::atomic<LinearAlgebraHost> host{nullptr};

template <LinearAlgebra function>
void hosted(const EvalContext& c) {
  const LinearAlgebraHost call = host.load(std::memory_order_acquire);
  if (call == nullptr) throw std::logic_error("no host has lent its linear algebra");
  call(function, c);
}

int64_t rows_of(const Shape& shape) { return shape[shape.rank() - 2]; }
int64_t columns_of(const Shape& shape) { return shape[shape.rank() - 1]; }

// The shape of a stack like that of `shape`, of other matrices, vectors or numbers.
Shape stacked(const Shape& shape, std::initializer_list<int64_t> sizes) {
  Shape result;
  for (int i = 0; i + 2 < shape.rank(); ++i) result.push_back(shape[i]);
  for (const int64_t size : sizes) result.push_back(size);
  return result;
}

void require_matrix(const InferContext& c, int input, const char* argument) {
  require_dtype(c, input, argument, DType::float64);
  require_rank(c, input, argument, 2);
}

void require_square(const InferContext& c) {
  require_matrix(c, 0, "a");
  const Shape& shape = c.inputs[0].shape;
  if (rows_of(shape) != columns_of(shape)) fail(c, 0, "a", "square matrices");
}

void set_output(InferContext& c, int i, const Shape& shape) {
  c.outputs[i].dtype = DType::float64;
  c.outputs[i].shape = shape;
}

// ---- what the rules are made of

Value product(Builder& b, Value x, Value y, bool transpose_x = false, bool transpose_y = false) {
  return matmul(b, x, y, transpose_x, transpose_y, Attrs());
}

Value solved(Builder& b, Value a, Value y, bool transposed) {
  Attrs attrs;
  attrs.transpose_a = transposed;
  return b.emit(solve_op, {a, y}, attrs);
}

// One matrix: `below` under the diagonal, `on` on it, `above` over it.
Value pattern(Builder& b, int64_t size, double below, double on, double above) {
  Array matrix(DType::float64, {size, size});
  double* element = matrix.view().as<double>();
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j < size; ++j) *element++ = i > j ? below : i == j ? on : above;
  }
  return b.constant(matrix);
}

Value unit_matrix(Builder& b, int64_t size) { return pattern(b, size, 0.0, 1.0, 0.0); }

// (..., n) to (..., 1, n): a factor of each column.
Value as_row(Builder& b, Value x) {
  Shape shape = b.meta(x).shape;
  shape.insert(shape.rank() - 1, 1);
  return reshape(b, x, shape);
}

// A number of each matrix as a factor of it.
Value as_factor(Builder& b, Value x) { return append_axis(b, append_axis(b, x)); }

Value symmetric(Builder& b, Value x) { return multiply(b, add(b, x, matrix_transpose(b, x)), 0.5); }

// 1/x, and 0 where x is 0.
Value safe_reciprocal(Builder& b, Value x) {
  const Value zero = equal(b, x, 0.0);
  return where(b, zero, 0.0, divide(b, 1.0, where(b, zero, 1.0, x)));
}

// 1 / (x_j - x_i), and 0 where the two are equal.
Value gaps(Builder& b, Value x) {
  return safe_reciprocal(b, subtract(b, as_row(b, x), append_axis(b, x)));
}

Value plus(Builder& b, Value total, Value part) {
  return total.valid() ? add(b, total, part) : part;
}

// ---- solve(a, b): attrs.transpose_a solves with a transposed

void solve_infer(InferContext& c) {
  require_square(c);
  require_matrix(c, 1, "b");
  const Shape& a = c.inputs[0].shape;
  const Shape& b = c.inputs[1].shape;
  if (rows_of(b) != rows_of(a)) {
    fail(c, 1, "b", std::to_string(rows_of(a)) + " rows, as a has, a " + describe(c.inputs[0]));
  }
  Shape shape = broadcast(c, stacked(a, {}), stacked(b, {}));
  shape.push_back(rows_of(b));
  shape.push_back(columns_of(b));
  set_output(c, 0, shape);
}

// x = a^-1 b: db = a^-T dx, da = -db x^T
void solve_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const bool transposed = c.attrs().transpose_a;
  const Value db = solved(b, c.input(0), c.cotangent(), !transposed);
  if (c.needs(1)) c.set(1, db);
  if (!c.needs(0)) return;
  const Value x = c.output();
  c.set(0,
        negative(b, transposed ? product(b, x, db, false, true) : product(b, db, x, false, true)));
}

void solve_batch(BatchContext& c) {
  const int rank = std::max(c.example(0).shape.rank(), c.example(1).shape.rank());
  c.emit({c.aligned(0, rank), c.aligned(1, rank)}, c.attrs());
}

// ---- cholesky(a): the lower factor; a is symmetric, and its lower triangle is read

void square_infer(InferContext& c) {
  require_square(c);
  set_output(c, 0, c.inputs[0].shape);
}

// da = L^-T F(L^T dL) L^-1, made symmetric, with F the lower triangle, the diagonal halved
void cholesky_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value l = c.output();
  const Value lower = pattern(b, columns_of(b.meta(l).shape), 1.0, 0.5, 0.0);
  const Value inner = multiply(b, product(b, l, c.cotangent(), true), lower);
  const Value left = solved(b, l, inner, true);
  c.set(0, symmetric(b, solved(b, l, matrix_transpose(b, left), true)));
}

// ---- det(a), cofactor(a) = det(a) a^-T, which singular matrices have too

void det_infer(InferContext& c) {
  require_square(c);
  set_output(c, 0, stacked(c.inputs[0].shape, {}));
}

// da = dy cofactor(a)
void det_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value cofactor = b.emit(cofactor_op, {c.input(0)});
  c.set(0, multiply(b, as_factor(b, c.cotangent()), cofactor));
}

// With C the cofactors: da = (sum(dC C) C - C dC^T C) / det(a)
void cofactor_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value cofactor = c.output();
  const int rank = b.meta(cofactor).shape.rank();
  const Value total = sum(b, multiply(b, c.cotangent(), cofactor), {rank - 2, rank - 1}, true);
  const Value turned = product(b, product(b, cofactor, c.cotangent(), false, true), cofactor);
  const Value det = as_factor(b, b.emit(det_op, {c.input(0)}));
  c.set(0, divide(b, subtract(b, multiply(b, total, cofactor), turned), det));
}

// ---- slogdet(a): sign, log|det(a)|

void slogdet_infer(InferContext& c) {
  require_square(c);
  set_output(c, 0, stacked(c.inputs[0].shape, {}));
  set_output(c, 1, stacked(c.inputs[0].shape, {}));
}

// da = dy a^-T; the sign is flat
void slogdet_vjp(VjpContext& c) {
  if (!c.cotangent(1).valid()) return;
  Builder& b = c.builder();
  const Value unit = unit_matrix(b, columns_of(c.input_meta(0).shape));
  const Value inverse = solved(b, c.input(0), unit, true);
  c.set(0, multiply(b, as_factor(b, c.cotangent(1)), inverse));
}

// ---- eigh(a): eigenvalues in ascending order, eigenvectors as columns; of the lower triangle

void eigh_infer(InferContext& c) {
  require_square(c);
  const Shape& shape = c.inputs[0].shape;
  set_output(c, 0, stacked(shape, {rows_of(shape)}));
  set_output(c, 1, shape);
}

// da = V (diag(dw) + F * V^T dV) V^T, made symmetric, with F_ij = 1 / (w_j - w_i)
void eigh_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value w = c.output(0);
  const Value v = c.output(1);
  Value inner;
  if (c.cotangent(0).valid()) {
    const Value unit = unit_matrix(b, columns_of(b.meta(v).shape));
    inner = multiply(b, as_row(b, c.cotangent(0)), unit);
  }
  if (c.cotangent(1).valid()) {
    inner = plus(b, inner, multiply(b, gaps(b, w), product(b, v, c.cotangent(1), true)));
  }
  c.set(0, symmetric(b, product(b, product(b, v, inner), v, false, true)));
}

// ---- svd(a): u, s, v^T with k = min(m, n) singular values; attrs.flag: u and v^T are square

void svd_infer(InferContext& c) {
  require_matrix(c, 0, "a");
  const Shape& shape = c.inputs[0].shape;
  const int64_t m = rows_of(shape);
  const int64_t n = columns_of(shape);
  const int64_t k = m < n ? m : n;
  c.attrs->flag = c.attrs->flag && m != n;
  set_output(c, 0, stacked(shape, {m, c.attrs->flag ? m : k}));
  set_output(c, 1, stacked(shape, {k}));
  set_output(c, 2, stacked(shape, {c.attrs->flag ? n : k, n}));
}

// The first rows and columns of each matrix.
Value leading(Builder& b, Value x, int64_t rows, int64_t columns) {
  const Shape& shape = b.meta(x).shape;
  Attrs attrs;
  attrs.shape = stacked(shape, {rows, columns});
  if (attrs.shape == shape) return x;
  attrs.start.resize(shape.rank(), 0);
  attrs.step.resize(shape.rank(), 1);
  return b.emit(slice_op, {x}, attrs);
}

// With F_ij = 1 / (s_j^2 - s_i^2), J = F * U^T dU, K = F * V^T dV:
// da = U (diag(ds) + (J + J^T) S + S (K + K^T)) V^T
//    + (I - U U^T) dU S^-1 V^T + U S^-1 dV^T (I - V V^T)
void svd_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Shape& shape = c.input_meta(0).shape;
  const int64_t m = rows_of(shape);
  const int64_t n = columns_of(shape);
  const int64_t k = m < n ? m : n;
  if (c.attrs().flag && (c.cotangent(0).valid() || c.cotangent(2).valid())) {
    fail("svd", "full_matrices", "False where u or vh is differentiated", "True");
  }
  const Value u = leading(b, c.output(0), m, k);
  const Value s = c.output(1);
  const Value vh = leading(b, c.output(2), k, n);
  const Value by_row = append_axis(b, s);
  const Value by_column = as_row(b, s);
  const auto turned = [&](Value inner) {  // F * x + (F * x)^T
    const Value x = multiply(b, gaps(b, multiply(b, s, s)), inner);
    return add(b, x, matrix_transpose(b, x));
  };
  Value inner;
  Value outer;
  if (c.cotangent(1).valid()) {
    inner = multiply(b, as_row(b, c.cotangent(1)), unit_matrix(b, k));
  }
  if (c.cotangent(0).valid()) {
    const Value within = product(b, u, c.cotangent(0), true);
    inner = plus(b, inner, multiply(b, turned(within), by_column));
    if (m > k) {
      const Value beyond = subtract(b, c.cotangent(0), product(b, u, within));
      outer = product(b, multiply(b, beyond, safe_reciprocal(b, by_column)), vh);
    }
  }
  if (c.cotangent(2).valid()) {
    const Value within = product(b, vh, c.cotangent(2), false, true);
    inner = plus(b, inner, multiply(b, turned(within), by_row));
    if (n > k) {
      const Value beyond = subtract(b, c.cotangent(2), product(b, within, vh, true));
      outer = product(b, u, multiply(b, beyond, safe_reciprocal(b, by_row)));
    }
  }
  const Value da = product(b, product(b, u, inner), vh);
  c.set(0, outer.valid() ? add(b, da, outer) : da);
}

// ---- qr(a): q, r of matrices with at least as many rows as columns

void qr_infer(InferContext& c) {
  require_matrix(c, 0, "a");
  const Shape& shape = c.inputs[0].shape;
  if (rows_of(shape) < columns_of(shape)) fail(c, 0, "a", "at least as many rows as columns");
  set_output(c, 0, shape);
  set_output(c, 1, stacked(shape, {columns_of(shape), columns_of(shape)}));
}

// da = (dQ + Q G) R^-T, with G the lower triangle of R dR^T - dQ^T Q, mirrored
void qr_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value q = c.output(0);
  const Value r = c.output(1);
  Value inner;
  if (c.cotangent(1).valid()) inner = product(b, r, c.cotangent(1), false, true);
  if (c.cotangent(0).valid()) {
    inner = plus(b, inner, negative(b, product(b, c.cotangent(0), q, true)));
  }
  inner = multiply(b, inner, pattern(b, columns_of(b.meta(r).shape), 1.0, 0.5, 0.0));
  Value y = product(b, q, add(b, inner, matrix_transpose(b, inner)));
  if (c.cotangent(0).valid()) y = add(b, c.cotangent(0), y);
  c.set(0, matrix_transpose(b, solved(b, r, matrix_transpose(b, y), false)));
}

// ---- pinv(a): scalars[0] = rcond, the least share of the largest singular value that counts

void pinv_infer(InferContext& c) {
  require_matrix(c, 0, "a");
  const Shape& shape = c.inputs[0].shape;
  set_output(c, 0, stacked(shape, {columns_of(shape), rows_of(shape)}));
}

// With P the result, where the rank stays what it is:
// da = (I - a P) dP^T P P^T + P^T P dP^T (I - P a) - P^T dP P^T
void pinv_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value a = c.input(0);
  const Value p = c.output();
  const Value dp = c.cotangent();
  const Value left = product(b, product(b, dp, p, true), p, false, true);    // dP^T P P^T
  const Value right = product(b, product(b, p, p, true), dp, false, true);   // P^T P dP^T
  const Value within = product(b, product(b, p, dp, true), p, false, true);  // P^T dP P^T
  const Value columns = subtract(b, left, product(b, a, product(b, p, left)));
  const Value rows = subtract(b, right, product(b, product(b, right, p), a));
  c.set(0, subtract(b, add(b, columns, rows), within));
}

}  // namespace

void set_linear_algebra(LinearAlgebraHost functions) {
  host.store(functions, std::memory_order_release);
}

// Operands are stacks; an axis that counts examples is one more in front.
#define FUSEGRAD_LINEAR_ALGEBRA(name, outputs, traits, infer)                \
  const OpDef name##_op = {#name,      1,       outputs,                     \
                           traits,     infer,   hosted<LinearAlgebra::name>, \
                           name##_vjp, nullptr, batch_leading};
FUSEGRAD_LINEAR_ALGEBRA(cholesky, 1, 0, square_infer)
FUSEGRAD_LINEAR_ALGEBRA(det, 1, 0, det_infer)
FUSEGRAD_LINEAR_ALGEBRA(cofactor, 1, kGradient, square_infer)
FUSEGRAD_LINEAR_ALGEBRA(slogdet, 2, 0, slogdet_infer)
FUSEGRAD_LINEAR_ALGEBRA(eigh, 2, 0, eigh_infer)
FUSEGRAD_LINEAR_ALGEBRA(svd, 3, 0, svd_infer)
FUSEGRAD_LINEAR_ALGEBRA(qr, 2, 0, qr_infer)
FUSEGRAD_LINEAR_ALGEBRA(pinv, 1, 0, pinv_infer)
#undef FUSEGRAD_LINEAR_ALGEBRA

const OpDef solve_op = {"solve",   2,           1,
                        kPromote,  solve_infer, hosted<LinearAlgebra::solve>,
                        solve_vjp, nullptr,     solve_batch};

}  // namespace fusegrad
