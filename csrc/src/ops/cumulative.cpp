// Cumulative ops along an axis: cumsum, cumprod, and what their gradients and logcumsumexp are made
// of: linear_recurrence and running_max.
//
// Floats are carried in double in the order of their indices; each result is rounded once. Threads
// split the lines, never a line.
#include <algorithm>

#include "fusegrad/batch.h"
#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/rows.h"

namespace fusegrad {
namespace {

using namespace emit;

// Lines that are computed side by side: neighbours in memory, or few enough to be read in turn.
constexpr int64_t kLines = 64;
constexpr int64_t kFarLines = 8;

// attrs.axes = {axis}.
void cumulative_infer(InferContext& c) {
  require_rank(c, 0, "x", 1);
  normalize_single_axis(c, c.inputs[0].shape.rank());
  c.outputs[0] = c.inputs[0];
}
void cumulative_number_infer(InferContext& c) {
  require_number(c, 0, "x");
  cumulative_infer(c);
}
void cumulative_float_infer(InferContext& c) {
  require_float(c, 0, "x");
  cumulative_infer(c);
}

// Along every line: first(l) gives what is carried of line l, next(l, carried) what comes after it.
// Both get the pointers and strides of the operands, at the place of the line's element.
template <typename T, typename First, typename Next>
void scan(const EvalContext& c, bool reverse, const First& first, const Next& next) {
  const View& y = c.outputs[0];
  if (y.size() == 0) return;
  Rows rows;
  rows.add_full(y);
  for (int k = 0; k < c.num_inputs; ++k) rows.add_full(c.inputs[k]);
  rows.finish(y.shape, c.attrs->axes);
  const int64_t count = rows.inner;
  const int operands = rows.loop.operands;
  for_each_run(rows.loop, row_grain(count, 4), [&](char* const* at, const int64_t* s, int64_t n) {
    const int64_t rs = rows.rs[1] < 0 ? -rows.rs[1] : rows.rs[1];
    const int64_t most = rs <= (s[1] < 0 ? -s[1] : s[1]) ? kFarLines : kLines;
    for (int64_t begin = 0; begin < n; begin += most) {
      const int64_t lines = std::min(most, n - begin);
      T* p[kMaxOperands];
      for (int k = 0; k < operands; ++k) {
        p[k] = typed<T>(at[k]) + begin * s[k] + (reverse ? (count - 1) * rows.rs[k] : 0);
      }
      Carried<T> carried[kLines];
      for (int64_t l = 0; l < lines; ++l) {
        carried[l] = first(p, s, l);
        p[0][l * s[0]] = static_cast<T>(carried[l]);
      }
      for (int64_t r = 1; r < count; ++r) {
        for (int k = 0; k < operands; ++k) p[k] += reverse ? -rows.rs[k] : rows.rs[k];
        for (int64_t l = 0; l < lines; ++l) {
          carried[l] = next(p, s, l, carried[l]);
          p[0][l * s[0]] = static_cast<T>(carried[l]);
        }
      }
    }
  });
}

// The same for one operand, where step(carried, x) is all there is to say.
template <typename T, typename Step>
void accumulate(const EvalContext& c, bool reverse, const Step& step) {
  scan<T>(
      c, reverse,
      [](T* const* p, const int64_t* s, int64_t l) {
        return static_cast<Carried<T>>(p[1][l * s[1]]);
      },
      [&step](T* const* p, const int64_t* s, int64_t l, Carried<T> carried) {
        return step(carried, static_cast<Carried<T>>(p[1][l * s[1]]));
      });
}

// ---- cumsum: attrs.flag: from the end

void cumsum_eval(const EvalContext& c) {
  by_number(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    accumulate<T>(c, c.attrs->flag, plus<Carried<T>>);
  });
}
// dx = the sums of dy from the other end
void cumsum_vjp(VjpContext& c) {
  Attrs attrs = c.attrs();
  attrs.flag = !attrs.flag;
  c.set(0, c.builder().emit(cumsum_op, {c.cotangent()}, attrs));
}

// ---- cumprod

void cumprod_eval(const EvalContext& c) {
  by_number(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    accumulate<T>(c, false, times<Carried<T>>);
  });
}

Value recurrence(Builder& b, Value a, Value x, int64_t axis, bool reverse) {
  Attrs attrs;
  attrs.axes = {axis};
  attrs.flag = reverse;
  return b.emit(linear_recurrence_op, {a, x}, attrs);
}

// dx_i = y_(i-1) s_i with s_i = dy_i + x_(i+1) s_(i+1): no division, so zeros are no exception
void cumprod_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const int64_t axis = c.attrs().axes[0];
  const Value sums = recurrence(b, c.input(0), c.cotangent(), axis, true);
  c.set(0, multiply(b, before_each(b, c.output(), 1.0, static_cast<int>(axis)), sums));
}

// ---- linear_recurrence(a, b): y_i = b_i + a_i y_(i-1), a_0 unused; with attrs.flag the adjoint
// map, y_i = b_i + a_(i+1) y_(i+1)

void linear_recurrence_infer(InferContext& c) {
  cumulative_float_infer(c);
  require_dtype(c, 1, "b", c.inputs[0].dtype);
  require_same_shape(c, 1, "b", c.inputs[0].shape);
}
void linear_recurrence_eval(const EvalContext& c) {
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const bool reverse = c.attrs->flag;
    const int axis = static_cast<int>(c.attrs->axes[0]);
    const int64_t ahead = reverse ? c.inputs[0].strides[axis] : 0;
    scan<T>(
        c, reverse, [](T* const* p, const int64_t* s, int64_t l) { return double{p[2][l * s[2]]}; },
        [ahead](T* const* p, const int64_t* s, int64_t l, double y) {
          return double{p[2][l * s[2]]} + double{p[1][l * s[1] + ahead]} * y;
        });
  });
}
// With g the other map of dy: db = g; da_i = g_i y_(i-1), or g_(i-1) y_i
void linear_recurrence_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const int64_t axis = c.attrs().axes[0];
  const bool reverse = c.attrs().flag;
  const Value g = recurrence(b, c.input(0), c.cotangent(), axis, !reverse);
  c.set(1, g);
  if (!c.needs(0)) return;
  const Value late = before_each(b, reverse ? g : c.output(), 0.0, static_cast<int>(axis));
  c.set(0, multiply(b, late, reverse ? c.output() : g));
}

// ---- running_max: NaN from the first NaN on

void running_max_eval(const EvalContext& c) {
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    accumulate<T>(c, false, [](double most, double x) { return x > most || x != x ? x : most; });
  });
}

}  // namespace

const OpDef cumsum_op = {
    "cumsum",   1,       1,         kAnyOrder | kPromoteTotal, cumulative_number_infer, cumsum_eval,
    cumsum_vjp, nullptr, batch_axes};
const OpDef cumprod_op = {"cumprod",
                          1,
                          1,
                          kAnyOrder | kPromoteTotal,
                          cumulative_number_infer,
                          cumprod_eval,
                          cumprod_vjp,
                          nullptr,
                          batch_axes};
const OpDef linear_recurrence_op = {"linear_recurrence",
                                    2,
                                    1,
                                    kAnyOrder | kGradient,
                                    linear_recurrence_infer,
                                    linear_recurrence_eval,
                                    linear_recurrence_vjp,
                                    nullptr,
                                    batch_axes};
// What logcumsumexp is scaled by, which does not change its value: no gradient.
const OpDef running_max_op = {"running_max",
                              1,
                              1,
                              kAnyOrder | kGradient,
                              cumulative_float_infer,
                              running_max_eval,
                              kNotDifferentiable,
                              nullptr,
                              batch_axes};

}  // namespace fusegrad
