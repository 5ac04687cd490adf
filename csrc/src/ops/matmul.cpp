// matmul by NumPy's rules: vectors, matrices, broadcast batches; operands may be transposed by a
// flag, which costs nothing and is what the gradients use.
#include "ops/matmul.h"
#include "fusegrad/batch.h"

#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/gemm.h"

namespace fusegrad {
namespace {

using namespace emit;

Shape batch_of(const Shape& shape) {
  Shape result;
  for (int i = 0; i + 2 < shape.rank(); ++i) result.push_back(shape[i]);
  return result;
}

void matmul_infer(InferContext& c) {
  require_float(c, 0, "x1");
  if (c.attrs->bfloat16) require_dtype(c, 0, "x1", DType::float32);
  require_dtype(c, 1, "x2", c.inputs[0].dtype);
  require_rank(c, 0, "x1", 1);
  require_rank(c, 1, "x2", 1);
  const Shape& a = c.inputs[0].shape;
  const Shape& b = c.inputs[1].shape;
  Attrs& attrs = *c.attrs;
  attrs.transpose_a = attrs.transpose_a && a.rank() > 1;
  attrs.transpose_b = attrs.transpose_b && b.rank() > 1;
  const int64_t depth = a[a.rank() - (attrs.transpose_a ? 2 : 1)];
  const int64_t other = b.rank() == 1 ? b[0] : b[b.rank() - (attrs.transpose_b ? 1 : 2)];
  if (depth != other) {
    fail(c, 1, "x2", std::to_string(depth) + " rows to multiply x1, a " + describe(c.inputs[0]));
  }
  Shape shape;
  if (a.rank() > 2 || b.rank() > 2) shape = broadcast(c, batch_of(a), batch_of(b));
  const int rank = shape.rank() + (a.rank() > 1) + (b.rank() > 1);
  if (rank > kMaxRank) fail(c, 0, "x1", "at most " + std::to_string(kMaxRank) + " dimensions");
  if (a.rank() > 1) shape.push_back(a[a.rank() - (attrs.transpose_a ? 1 : 2)]);
  if (b.rank() > 1) shape.push_back(b[b.rank() - (attrs.transpose_b ? 2 : 1)]);
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = shape;
}

void matmul_eval(const EvalContext& c) {
  by_float(c.outputs[0].dtype, [&](auto tag) {
    multiply_views<decltype(tag)>(c.outputs[0], c.inputs[0], c.inputs[1], *c.attrs, Epilogue());
  });
}

void matmul_relu_grad_infer(InferContext& c) {
  matmul_infer(c);
  require_dtype(c, 2, "y", c.outputs[0].dtype);
  require_same_shape(c, 2, "y", c.outputs[0].shape);
}

void matmul_relu_grad_eval(const EvalContext& c) {
  Epilogue epilogue;
  epilogue.relu_of = &c.inputs[2];
  by_float(c.outputs[0].dtype, [&](auto tag) {
    multiply_views<decltype(tag)>(c.outputs[0], c.inputs[0], c.inputs[1], *c.attrs, epilogue);
  });
}

// With A = op(a), B = op(b), C = A B: dA = dC B^T and dB = A^T dC, each written for the operand as
// it lies, so that a transposed one costs a flag. Vectors are rows or columns of one matrix.
void matmul_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const bool ta = c.attrs().transpose_a;
  const bool tb = c.attrs().transpose_b;
  const auto product = [&](Value left, Value right, bool transpose_left, bool transpose_right) {
    return matmul(b, left, right, transpose_left, transpose_right, c.attrs());
  };
  const Shape& a_shape = c.input_meta(0).shape;
  const Shape& b_shape = c.input_meta(1).shape;
  const bool row = a_shape.rank() == 1;
  const bool column = b_shape.rank() == 1;
  Shape full = b.meta(c.output()).shape;  // of C with both matrix axes
  if (row) full.insert(column ? full.rank() : full.rank() - 1, 1);
  if (column) full.push_back(1);
  const Value dc = reshape(b, c.cotangent(), full);
  const Value x = row ? reshape(b, c.input(0), {1, a_shape[0]}) : c.input(0);
  const Value y = column ? reshape(b, c.input(1), {b_shape[0], 1}) : c.input(1);
  if (c.needs(0)) {
    Value dx = ta ? product(y, dc, tb, true) : product(dc, y, false, !tb);
    if (row) {
      // (..., 1, k) to (..., k)
      Shape shape = b.meta(dx).shape;
      shape.erase(shape.rank() - 2);
      dx = reshape(b, dx, shape);
    }
    c.set(0, dx);
  }
  if (!c.needs(1)) return;
  Value dy;
  if (b.meta(y).shape.rank() == 2 && full.rank() > 2 && !ta && num_elements(full) > 0) {
    // One b for many rows: a single product over all of them.
    const Value rows = as_rows(b, x);
    const Value flat = as_rows(b, dc);
    dy = tb ? product(flat, rows, true, false) : product(rows, flat, true, false);
  } else {
    dy = tb ? product(dc, x, true, ta) : product(x, dc, !ta, false);
  }
  if (column) {
    // (..., k, 1) to (k,)
    Dims leading;
    for (int i = 0; i + 2 < b.meta(dy).shape.rank(); ++i) leading.push_back(i);
    if (leading.rank() > 0) dy = sum(b, dy, leading, false);
    dy = reshape(b, dy, b_shape);
  }
  c.set(1, dy);
}

// An operand as a matrix with `rank` axes an example; a vector is a row or a column.
Value as_matrix(BatchContext& c, int i, int rank) {
  const Shape& own = c.example(i).shape;
  if (!c.batched(i) && own.rank() > 1) return c.input(i);
  Shape shape;
  if (c.batched(i)) shape.resize(rank - std::max(own.rank(), 2), 1);
  if (i == 0 && own.rank() == 1) shape.push_back(1);
  for (const int64_t size : own) shape.push_back(size);
  if (i == 1 && own.rank() == 1) shape.push_back(1);
  return reshape(c.builder(), c.input(i), c.batched(i) ? c.with_batch(shape) : shape);
}

// One product for all examples where one operand is the same matrix for each; else a product for
// each example.
void matmul_batch(BatchContext& c) {
  Builder& b = c.builder();
  const Attrs& attrs = c.attrs();
  const int ra = c.example(0).shape.rank();
  const int rb = c.example(1).shape.rank();
  if (!c.batched(1) && rb <= 2) return c.emit({c.input(0), c.input(1)}, attrs);
  if (!c.batched(0) && rb == 1 && ra <= 2) {
    // a x for each x is x a^T, element by element the same sum.
    c.set(0, matmul(b, c.input(1), c.input(0), false, !attrs.transpose_a, attrs));
    return;
  }
  const int rank = std::max({ra, rb, 2});
  const Value product = matmul(b, as_matrix(c, 0, rank), as_matrix(c, 1, rank), attrs.transpose_a,
                               attrs.transpose_b, attrs);
  c.set(0, reshape(b, product, c.with_batch(c.example_output().shape)));
}

}  // namespace

const OpDef matmul_op = {"matmul",    2,          1,       kAnyOrder | kPromote, matmul_infer,
                         matmul_eval, matmul_vjp, nullptr, matmul_batch};

const OpDef matmul_relu_grad_op = {
    "matmul_relu_grad", 3, 1, 0, matmul_relu_grad_infer, matmul_relu_grad_eval, kNotDifferentiable};

}  // namespace fusegrad
