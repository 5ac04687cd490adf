// Reductions over axes: sum, mean, var, max, min, argmax, argmin, logsumexp, sum_squares, any, all,
// prod.
//
// Floats add up in double over 16 virtual lanes, whatever the order in memory (kernels.h); integer
// sums are exact in int64. Threads split the results, never a sum.
#include "fusegrad/batch.h"
#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/rows.h"

namespace fusegrad {
namespace {

using namespace emit;

// ---- shape rules

void reduce_infer(InferContext& c, DType dtype) {
  const Meta& x = c.inputs[0];
  normalize_reduced_axes(c, x.shape.rank());
  c.outputs[0].dtype = dtype;
  c.outputs[0].shape = reduced_shape(x.shape, c.attrs->axes, c.attrs->keepdims);
}

// For reductions without a value for no elements.
void require_elements(const InferContext& c) {
  if (reduced_count(c.inputs[0].shape, c.attrs->axes) == 0) {
    fail(c, 0, "x", "at least one element along the reduced axes");
  }
}

void sum_infer(InferContext& c) {
  const DType dtype = c.inputs[0].dtype;
  reduce_infer(c, is_floating(dtype) ? dtype : DType::int64);
}
void float_infer(InferContext& c) {
  require_float(c, 0, "x");
  reduce_infer(c, c.inputs[0].dtype);
  require_elements(c);
}
// The result is not rounded to the operand's dtype: the squares of floats add up without overflow.
void sum_squares_infer(InferContext& c) {
  require_float(c, 0, "x");
  reduce_infer(c, DType::float64);
}
void extreme_infer(InferContext& c) {
  reduce_infer(c, c.inputs[0].dtype);
  require_elements(c);
}
void truth_infer(InferContext& c) { reduce_infer(c, DType::boolean); }
void index_infer(InferContext& c) {
  reduce_infer(c, DType::int64);
  require_elements(c);
}
// scalars[0] is ddof.
void var_infer(InferContext& c) {
  float_infer(c);
  const int64_t count = reduced_count(c.inputs[0].shape, c.attrs->axes);
  const double ddof = c.attrs->scalars[0];
  if (!(static_cast<double>(count) - ddof > 0.0)) {
    fail(c.op, "ddof", "less than the number of reduced elements, " + std::to_string(count),
         std::to_string(ddof));
  }
}

// ---- evaluation

// Calls body(out, x, outer, os, inner, rs) for blocks of rows whose results are contiguous. Cost is
// that of one element, relative to an addition.
template <typename Out, typename T, typename Body>
void reduce_rows(const EvalContext& c, int64_t cost, const Body& body) {
  const Dims& axes = c.attrs->axes;
  const View& out = c.outputs[0];
  const View& x = c.inputs[0];
  if (!worth_threads(x.size(), kCheapGrain / cost)) {  // the common cases without set-up
    if (out.size() == 1 && x.c_contiguous()) {
      return body(out.as<Out>(), x.as<const T>(), int64_t{1}, int64_t{0}, x.size(), int64_t{1});
    }
    if (x.rank() == 2 && axes.rank() == 1 && out.c_contiguous()) {
      const int axis = static_cast<int>(axes[0]);
      return body(out.as<Out>(), x.as<const T>(), x.shape[1 - axis], x.strides[1 - axis],
                  x.shape[axis], x.strides[axis]);
    }
  }
  Rows rows;
  rows.add_reduced(out, x.shape, axes);
  rows.add_full(x);
  Array packed;
  if (!rows.finish(x.shape, axes)) {
    // Reduced axes that do not merge: one copy in C order, reduced axes last.
    const View ordered = kept_first(x, axes);
    packed = Array(x.dtype, ordered.shape);
    copy_view(packed.view(), ordered);
    View flat = packed.view();
    const int kept = x.rank() - axes.rank();
    flat.shape.resize(kept);
    flat.strides.resize(kept);
    rows = Rows();
    rows.add_reduced(out, x.shape, axes);
    // The packed copy seen with x's axes; its reduced axes are one run of stride 1.
    Strides strides;
    int place = 0;
    for (int i = 0; i < x.rank(); ++i) {
      strides.push_back(contains(axes, i) ? 0 : flat.strides[place++]);
    }
    rows.loop.add(packed.view(), strides);
    rows.finish(x.shape, axes);
    rows.rs[1] = 1;
  }
  const int64_t inner = rows.inner;
  const int64_t rs = rows.rs[1];
  for_each_run(rows.loop, row_grain(inner, cost),
               [&](char* const* at, const int64_t* s, int64_t n) {
                 Out* y = typed<Out>(at[0]);
                 const T* from = typed<const T>(at[1]);
                 if (s[0] == 1) return body(y, from, n, s[1], inner, rs);
                 for (int64_t o = 0; o < n; ++o) {
                   body(y + o * s[0], from + o * s[1], int64_t{1}, int64_t{0}, inner, rs);
                 }
               });
}

template <typename Out, typename T, typename Kernel>
void reduce_with(const EvalContext& c, int64_t cost, const Kernel kernel) {
  reduce_rows<Out, T>(c, cost,
                      [kernel](Out* out, const T* x, int64_t outer, int64_t os, int64_t inner,
                               int64_t rs) { kernel(out, x, outer, os, inner, rs); });
}

void sum_eval(const EvalContext& c) {
  by_dtype(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_floating_point_v<T>) {
      reduce_with<T, T>(c, 1, FUSEGRAD_TYPED(T, sum));
    } else {
      reduce_rows<int64_t, T>(
          c, 1, [](int64_t* out, const T* x, int64_t outer, int64_t os, int64_t inner, int64_t rs) {
            for (int64_t o = 0; o < outer; ++o) {
              const T* const row = x + o * os;
              int64_t total = 0;
              if (rs == 1) {
                for (int64_t r = 0; r < inner; ++r) total = wrap_add<int64_t>(total, row[r]);
              } else {
                for (int64_t r = 0; r < inner; ++r) total = wrap_add<int64_t>(total, row[r * rs]);
              }
              out[o] = total;
            }
          });
    }
  });
}

void mean_eval(const EvalContext& c) {
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    reduce_with<T, T>(c, 1, FUSEGRAD_TYPED(T, mean));
  });
}

// Two passes: the mean in double, then the squares about it.
void var_eval(const EvalContext& c) {
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto sums = FUSEGRAD_TYPED(T, sum_f64acc);
    const auto squares = FUSEGRAD_TYPED(T, sum_squares_about);
    const double ddof = c.attrs->scalars[0];
    reduce_rows<T, T>(
        c, 2, [=](T* out, const T* x, int64_t outer, int64_t os, int64_t inner, int64_t rs) {
          constexpr int64_t kBlock = 128;
          double mean[kBlock];
          double total[kBlock];
          const double count = static_cast<double>(inner);
          for (int64_t o = 0; o < outer; o += kBlock) {
            const int64_t n = std::min(kBlock, outer - o);
            sums(mean, x + o * os, n, os, inner, rs);
            for (int64_t i = 0; i < n; ++i) mean[i] /= count;
            squares(total, x + o * os, mean, n, os, inner, rs);
            for (int64_t i = 0; i < n; ++i) out[o + i] = static_cast<T>(total[i] / (count - ddof));
          }
        });
  });
}

// Largest or smallest element (or its index) of integers.
template <bool largest, bool index, typename Out, typename T>
void integer_extreme(Out* out, const T* x, int64_t outer, int64_t os, int64_t inner, int64_t rs) {
  for (int64_t o = 0; o < outer; ++o) {
    int64_t best = 0;
    for (int64_t r = 1; r < inner; ++r) {
      const T candidate = x[o * os + r * rs];
      const T current = x[o * os + best * rs];
      if (largest ? candidate > current : candidate < current) best = r;
    }
    if constexpr (index) {
      out[o] = best;
    } else {
      out[o] = x[o * os + best * rs];
    }
  }
}

template <bool largest>
void extreme_eval(const EvalContext& c) {
  by_dtype(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_floating_point_v<T>) {
      reduce_with<T, T>(c, 1, largest ? FUSEGRAD_TYPED(T, max) : FUSEGRAD_TYPED(T, min));
    } else {
      reduce_with<T, T>(c, 1, integer_extreme<largest, false, T, T>);
    }
  });
}

template <bool largest>
void index_eval(const EvalContext& c) {
  by_dtype(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_floating_point_v<T>) {
      reduce_with<int64_t, T>(c, 2,
                              largest ? FUSEGRAD_TYPED(T, argmax) : FUSEGRAD_TYPED(T, argmin));
    } else {
      reduce_with<int64_t, T>(c, 2, integer_extreme<largest, true, int64_t, T>);
    }
  });
}

void logsumexp_eval(const EvalContext& c) {
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, logsumexp);
    reduce_rows<T, T>(
        c, 8, [kernel](T* out, const T* x, int64_t outer, int64_t os, int64_t inner, int64_t rs) {
          kernel(out, x, os, rs, outer, inner);
        });
  });
}

void sum_squares_eval(const EvalContext& c) {
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto squares = FUSEGRAD_TYPED(T, sum_squares_about);
    reduce_rows<double, T>(
        c, 1,
        [squares](double* out, const T* x, int64_t outer, int64_t os, int64_t inner, int64_t rs) {
          static constexpr double kZeros[128] = {};
          constexpr int64_t kBlock = 128;
          for (int64_t o = 0; o < outer; o += kBlock) {
            squares(out + o, x + o * os, kZeros, std::min(kBlock, outer - o), os, inner, rs);
          }
        });
  });
}

// Whether any element of a row is true (`all`: whether none is false), block by block until that is
// known.
template <bool all, typename T>
void truth_rows(bool* out, const T* x, int64_t outer, int64_t os, int64_t inner, int64_t rs) {
  constexpr int64_t kBlock = 512;
  const auto decides = [](T value) { return static_cast<uint8_t>((value != T(0)) != all); };
  if (os == 1 && rs != 1) {  // rows side by side
    uint8_t decided[kBlock];
    for (int64_t o = 0; o < outer; o += kBlock) {
      const int64_t columns = std::min(kBlock, outer - o);
      std::fill_n(decided, columns, uint8_t{0});
      for (int64_t r = 0; r < inner; ++r) {
        const T* const row = x + o + r * rs;
        for (int64_t i = 0; i < columns; ++i) decided[i] |= decides(row[i]);
      }
      for (int64_t i = 0; i < columns; ++i) out[o + i] = (decided[i] != 0) != all;
    }
    return;
  }
  for (int64_t o = 0; o < outer; ++o) {
    const T* const row = x + o * os;
    uint8_t decided = 0;
    for (int64_t r = 0; r < inner && decided == 0; r += kBlock) {
      const int64_t end = std::min(r + kBlock, inner);
      if (rs == 1) {
        for (int64_t i = r; i < end; ++i) decided |= decides(row[i]);
      } else {
        for (int64_t i = r; i < end; ++i) decided |= decides(row[i * rs]);
      }
    }
    out[o] = (decided != 0) != all;
  }
}

template <bool all>
void truth_eval(const EvalContext& c) {
  by_dtype(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    reduce_with<bool, T>(c, 1, truth_rows<all, T>);
  });
}

// Floats are multiplied as they are added: in double over 16 lanes, then as a tree.
template <typename T>
void multiply_rows(T* out, const T* x, int64_t outer, int64_t os, int64_t inner, int64_t rs) {
  constexpr int64_t kColumns = 8;  // rows side by side where they are neighbours in memory
  constexpr int64_t kLanes = 16;
  using C = Carried<T>;
  const auto magnitude = [](int64_t s) { return s < 0 ? -s : s; };
  const int64_t most = magnitude(rs) > magnitude(os) ? kColumns : 1;
  for (int64_t begin = 0; begin < outer; begin += most) {
    const int64_t columns = std::min(most, outer - begin);
    C lanes[kLanes][kColumns];
    for (auto& lane : lanes) std::fill_n(lane, kColumns, C(1));
    const T* from = x + begin * os;
    for (int64_t r = 0; r < inner; ++r, from += rs) {
      C* const lane = lanes[r % kLanes];
      for (int64_t o = 0; o < columns; ++o) lane[o] = times<C>(lane[o], from[o * os]);
    }
    for (int64_t half = kLanes / 2; half > 0; half /= 2) {
      for (int64_t k = 0; k < half; ++k) {
        for (int64_t o = 0; o < columns; ++o) {
          lanes[k][o] = times(lanes[k][o], lanes[k + half][o]);
        }
      }
    }
    for (int64_t o = 0; o < columns; ++o) out[begin + o] = static_cast<T>(lanes[0][o]);
  }
}

void prod_eval(const EvalContext& c) {
  by_number(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    reduce_with<T, T>(c, 4, multiply_rows<T>);
  });
}

// ---- gradients

// A result or its cotangent with the reduced axes at size 1.
Value with_axes(VjpContext& c, Value x) {
  return restore_axes(c.builder(), x, c.input_meta(0).shape, c.attrs().axes);
}
double count_of(VjpContext& c) {
  return static_cast<double>(reduced_count(c.input_meta(0).shape, c.attrs().axes));
}

// dx = dy
void sum_vjp(VjpContext& c) {
  if (!is_floating(c.input_meta(0).dtype)) return;
  c.set(0, broadcast_to(c.builder(), with_axes(c, c.cotangent()), c.input_meta(0).shape));
}

// dx = dy / n
void mean_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value share = divide(b, with_axes(c, c.cotangent()), count_of(c));
  c.set(0, broadcast_to(b, share, c.input_meta(0).shape));
}

// dx = dy * 2 (x - mean x) / (n - ddof)
void var_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value x = c.input(0);
  const Value about = subtract(b, x, kept(b, mean_op, x, c.attrs().axes));
  const double scale = 2.0 / (count_of(c) - c.attrs().scalars[0]);
  c.set(0, multiply(b, about, multiply(b, with_axes(c, c.cotangent()), scale)));
}

// dx = dy * 2x, in double
void sum_squares_vjp(VjpContext& c) {
  Builder& b = c.builder();
  Value x = c.input(0);
  if (b.meta(x).dtype != DType::float64) x = cast(b, x, DType::float64);
  c.set(0, multiply(b, with_axes(c, c.cotangent()), multiply(b, x, 2.0)));
}

// dx = dy / ties where x is the extreme, else 0
void extreme_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value x = c.input(0);
  const DType dtype = b.meta(x).dtype;
  const Value hit = equal(b, x, with_axes(c, c.output()));
  const Value ties = sum(b, cast(b, hit, dtype), c.attrs().axes, true);
  c.set(0, where(b, hit, divide(b, with_axes(c, c.cotangent()), ties), 0.0));
}

// dx = dy * softmax(x) = dy * exp(x - y)
void logsumexp_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value x = c.input(0);
  const Dims& axes = c.attrs().axes;
  const Value p = axes.rank() == 1 ? along(b, softmax_op, x, axes[0])
                                   : exp(b, subtract(b, x, with_axes(c, c.output())));
  c.set(0, multiply(b, p, with_axes(c, c.cotangent())));
}

// The product, at each element, of all others of its row: of those before it and those behind it.
// In double, so that neither overflows where the gradient does not.
Value product_of_others(Builder& b, Value x, const Dims& axes) {
  const Meta meta = b.meta(x);
  const int rank = meta.shape.rank();
  Attrs order;  // kept axes first
  Attrs back;
  back.axes.resize(rank);
  Shape ordered;
  Shape rows;
  for (const bool reduced : {false, true}) {
    for (int i = 0; i < rank; ++i) {
      if (contains(axes, i) != reduced) continue;
      back.axes[i] = order.axes.rank();
      order.axes.push_back(i);
      ordered.push_back(meta.shape[i]);
      if (!reduced) rows.push_back(meta.shape[i]);
    }
  }
  rows.push_back(reduced_count(meta.shape, axes));
  const int last = rows.rank() - 1;
  const bool wide = meta.dtype == DType::float64;
  Value seen = reshape(b, b.emit(transpose_op, {x}, order), rows);
  if (!wide) seen = cast(b, seen, DType::float64);
  const auto before = [&](Value v) {
    return before_each(b, along(b, cumprod_op, v, last), 1.0, last);
  };
  Value others = multiply(b, before(seen), flip(b, before(flip(b, seen, last)), last));
  if (!wide) others = cast(b, others, meta.dtype);
  return b.emit(transpose_op, {reshape(b, others, ordered)}, back);
}

// dx_i = dy * the product of x_j for j != i, which is right where some x_j are 0
void prod_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Dims& axes = c.attrs().axes;
  if (axes.rank() == 0) return c.set(0, c.cotangent());
  c.set(0, multiply(b, product_of_others(b, c.input(0), axes), with_axes(c, c.cotangent())));
}

void prod_infer(InferContext& c) {
  require_number(c, 0, "x");
  reduce_infer(c, c.inputs[0].dtype);
}

}  // namespace

const OpDef sum_op = {"sum", 1, 1, kAnyOrder, sum_infer, sum_eval, sum_vjp, nullptr, batch_axes};
const OpDef mean_op = {
    "mean", 1, 1, kAnyOrder | kPromoteFloat, float_infer, mean_eval, mean_vjp, nullptr, batch_axes};
const OpDef var_op = {"var",   1,       1,         kAnyOrder | kPromoteFloat, var_infer, var_eval,
                      var_vjp, nullptr, batch_axes};
const OpDef max_op = {"max",       1,       1,         kAnyOrder, extreme_infer, extreme_eval<true>,
                      extreme_vjp, nullptr, batch_axes};
const OpDef min_op = {
    "min", 1, 1, kAnyOrder, extreme_infer, extreme_eval<false>, extreme_vjp, nullptr, batch_axes};
// Indices are integers: no gradient.
const OpDef argmax_op = {"argmax",           1,           1,
                         kAnyOrder,          index_infer, index_eval<true>,
                         kNotDifferentiable, nullptr,     batch_axes};
const OpDef argmin_op = {"argmin",           1,           1,
                         kAnyOrder,          index_infer, index_eval<false>,
                         kNotDifferentiable, nullptr,     batch_axes};
const OpDef logsumexp_op = {
    "logsumexp",   1,       1,         kAnyOrder | kPromoteFloat, float_infer, logsumexp_eval,
    logsumexp_vjp, nullptr, batch_axes};
// For norms, also of the gradients that an optimizer clips.
const OpDef sum_squares_op = {
    "sum_squares",   1,       1,         kAnyOrder | kGradient, sum_squares_infer, sum_squares_eval,
    sum_squares_vjp, nullptr, batch_axes};
// Truth values: no gradient.
const OpDef any_op = {
    "any",   1,         1, kAnyOrder, truth_infer, truth_eval<false>, kNotDifferentiable,
    nullptr, batch_axes};
const OpDef all_op = {
    "all", 1, 1, kAnyOrder, truth_infer, truth_eval<true>, kNotDifferentiable, nullptr, batch_axes};
const OpDef prod_op = {
    "prod", 1, 1, kAnyOrder | kPromoteTotal, prod_infer, prod_eval, prod_vjp, nullptr, batch_axes};

}  // namespace fusegrad
