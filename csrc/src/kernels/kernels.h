// The kernel table: serial loops over raw pointers, one set per ISA level, chosen once at load.
// Threads, shapes, broadcasting and validation live above; a kernel may assume valid arguments.
// Outputs may alias inputs exactly (same pointer, same strides) in elementwise and update kernels.
#pragma once

#include <stdint.h>

#include "fusegrad/activation.h"
#include "fusegrad/cpu.h"

namespace fusegrad {

// abs'(0), relu'(0) and sqrt'(0) are 0. log_sigmoid(x) = -softplus(-x).
enum class UnaryOp : int {
  negative,
  abs,
  sign,
  square,
  sqrt,
  reciprocal,
  exp,
  expm1,
  log,
  log1p,
  tanh,
  sigmoid,
  relu,
  softplus,
  log_sigmoid,
  erf,
  erfc,
  silu,
  gelu,
  exp2,
  log2,
  log10,
  cbrt,
  sin,
  cos,
  tan,
  arcsin,
  arccos,
  arctan,
  sinh,
  cosh,
  arcsinh,
  arccosh,
  arctanh,
  rint,
  floor,
  ceil,
  trunc,
};

// relu_grad, sigmoid_grad and tanh_grad take (dy, y) with y the forward output: y > 0 ? dy : 0;
// dy*y*(1-y); dy*(1-y*y). silu_grad, gelu_grad and erf_grad take (dy, x). All but relu_grad are
// evaluated in double and rounded once. arctan2 takes (y, x); floor_divide and remainder are
// NumPy's.
enum class BinaryOp : int {
  add,
  subtract,
  multiply,
  divide,
  maximum,
  minimum,
  power,
  arctan2,
  hypot,
  logaddexp,
  floor_divide,
  remainder,
  copysign,
  relu_grad,
  sigmoid_grad,
  tanh_grad,
  silu_grad,
  gelu_grad,
  erf_grad,
};

// The last four look at the first operand alone.
enum class CompareOp : int {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  isnan,
  isinf,
  isfinite,
  signbit,
};

// Which rows a gather takes, and where it puts them.
struct GatherRows {
  const int64_t* rows;  // null: the rows themselves in order
  int64_t begin, end;   // of the batch
  int64_t count;        // rows of the whole batch
  int64_t n;            // elements of a row, contiguous
  int64_t stride;       // between rows of x
};

// Rows that will be read soon. A kernel that computes for long asks for a few of their cache lines
// now and then: memory that is far away comes near meanwhile. Null where there is nothing to fetch.
struct PrefetchQueue {
  const char* data;
  const int64_t* row;  // the next one, at data + *row * row_stride
  const int64_t* end;  // of the rows
  int64_t row_stride;  // bytes
  int64_t row_bytes;
  int64_t offset;  // into the next row
};

// c(m,n) = act(a(m,k) * b(k,n) + bias), any strides. Each element is one chain acc = fma(a, b, acc)
// from +0 over ascending k inside blocks of kGemmBlockK, block sums added in order; bias and
// activation are separately rounded, so the result has the bits of matmul, add and activation run
// one by one, whatever the strides, the sizes and the ISA level. c must not overlap an operand.
template <class T>
struct GemmArgs {
  T* c;
  int64_t c_rs, c_cs;
  const T* a;
  int64_t a_rs, a_cs;
  const T* b;
  int64_t b_rs, b_cs;
  int64_t m, n, k;
  const T* bias;  // null for none; element bias[i*bias_stride_m + j*bias_stride_n]
  int64_t bias_stride_m, bias_stride_n;
  Activation act;
  double act_param;  // slope of leaky_relu
  // Null, or y with the strides of c: c is 0 where not y > 0. Of gemm_f32 and gemm_f64, act linear.
  const T* relu_of;
  PrefetchQueue* prefetch;
  bool bfloat16;    // round a and b to bfloat16 first; gemm_bf16 only, which wants it set
  void* workspace;  // gemm_workspace_bytes(m, n, k, sizeof(T)) bytes, 64-byte aligned
};

constexpr int64_t kGemmBlockK = 256;       // part of the numerics contract
constexpr int64_t kGemmPanelBytes = 8192;  // longest packed row of the lane operand
constexpr int64_t kGemmRows = 196;         // longest packed column of the broadcast operand
constexpr int64_t kGemmTurned = 256;       // rows that are computed as columns at a time,
constexpr int64_t kGemmTurnedRows = 64;    // and the most columns that become rows

// Upper bound of the scratch memory of one gemm call with these sizes, either operand order.
constexpr int64_t gemm_workspace_bytes(int64_t m, int64_t n, int64_t k, int64_t item_size = 8) {
  const int64_t depth = k < kGemmBlockK ? k : kGemmBlockK;
  const int64_t longest = (m > n ? m : n) + 64;
  const int64_t lanes = kGemmPanelBytes / item_size + 64;
  const int64_t rows = kGemmRows + 16;
  const int64_t packed = (longest < lanes ? longest : lanes) + (longest < rows ? longest : rows);
  return (depth * packed + kGemmTurned * kGemmTurnedRows) * item_size + 1024;
}

// Exponentials of rows of `inner` elements that a kernel keeps: short rows on its stack, those of
// the softmax family that are longer in the caller's memory.
constexpr int64_t kKeptOnStack = 1024;
constexpr int64_t kept_doubles(int64_t inner) {
  const int64_t longest_vector = 8;
  if (inner * longest_vector <= kKeptOnStack) return 0;
  return inner * longest_vector <= 65536 ? inner * longest_vector : inner + longest_vector;
}

// Rows of a 2-D view: element (o, r) is x[o*os + r*rs], o < outer, r < inner; inner >= 1
// for max, min, argmax, argmin and the softmax family. Reductions accumulate in double over
// 16 virtual lanes (lane = r modulo 16) and round once; the bits do not depend on the strides.
// sum_squares_about adds (x - mean[o])^2. max and min propagate NaN; argmax and argmin return the
// first NaN, else the first extreme. all_finite returns the index of the first NaN or infinity,
// or -1. The cross-entropies give the loss, the gradient or both: loss is null, or dx and g are; g,
// the gradient that arrives, has stride gs, 0 for a scalar. scratch is room for scratch_size
// doubles, kept_doubles(inner) to be fast, and may be null. f64_from_u8 and affine compute x*scale
// + offset with two roundings; scale 1, offset 0 is exact. Scalars come as double and are rounded
// once to the element type.
//
// Updates (contiguous, no fused multiply-add; *_out may equal any input; optional state
// pointers are null when absent):
//   sgd       w -= lr*g
//   momentum  m = mu*m - lr*g;  w += nesterov ? mu*m - lr*g : m
//   rmsprop   v = rho*v + (1-rho)*g^2;  a = rho*a + (1-rho)*g;  inc = lr*g / sqrt(v - a^2 + eps)
//             (no a: sqrt(v + eps));  b = mu*b + inc;  w -= b (no b: w -= inc)
//   adam      m += (g-m)*(1-b1);  v += (g^2-v)*(1-b2);  vhat = max(vhat, v) when present
//             w -= alpha*m / (sqrt(vhat or v) + eps)
//
// gather_* copy rows [begin, end) of a batch, row i from x + (rows != null ? rows[i] : i)*stride:
//   y[i*n + j] = element j of the row, and yt[j*count + i] = y[i*n + j] where yt is not null;
//   that needs begin and end to be multiples of 16. u8 rows become x*scale + offset.
//
// philox: words[4*i ..] are those of counter + i, whose first two words count as one number of 64
//   bits; blocks is a multiple of 8.
//
// fma_peak runs fused multiply-adds in registers and returns the floating-point operations done;
// read adds x up that many times, in no stated order. Both exist to be timed.
struct KernelTable {
#define FUSEGRAD_KERNEL(result, name, args) result(*name) args;
#include "kernels/kernels.def"
#undef FUSEGRAD_KERNEL
};

// The table of the level in use; the same reference for the life of the process.
const KernelTable& kernels();

// The table of one level, or null when that level is not compiled in or not supported here.
const KernelTable* kernels_of(IsaLevel level);

}  // namespace fusegrad
