// Comparisons, tests of one operand, logical ops and where.
//
// Comparisons and tests give booleans, which have no gradient; where passes it to the branch that
// was taken.
#include "fusegrad/emit.h"
#include "ops/elementwise.h"

namespace fusegrad {
namespace {

void compare_infer(InferContext& c) {
  infer_pair(c);
  c.outputs[0].dtype = DType::boolean;
}

template <CompareOp op, typename T>
constexpr bool compare(T a, T b) {
  if constexpr (op == CompareOp::equal) return a == b;
  if constexpr (op == CompareOp::not_equal) return a != b;
  if constexpr (op == CompareOp::less) return a < b;
  if constexpr (op == CompareOp::less_equal) return a <= b;
  if constexpr (op == CompareOp::greater) return a > b;
  if constexpr (op == CompareOp::greater_equal) return a >= b;
}

template <CompareOp op>
void compare_eval(const EvalContext& c) {
  by_dtype(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_floating_point_v<T>) {
      const auto kernel = FUSEGRAD_TYPED(T, compare);
      map2<uint8_t, T>(c, kCheapGrain,
                       [kernel](uint8_t* y, int64_t ys, const T* a, int64_t as, const T* b,
                                int64_t bs, int64_t n) { kernel(op, y, ys, a, as, b, bs, n); });
    } else {
      map2<uint8_t, T>(
          c, kCheapGrain,
          [](uint8_t* y, int64_t ys, const T* a, int64_t as, const T* b, int64_t bs, int64_t n) {
            for (int64_t i = 0; i < n; ++i) y[i * ys] = compare<op, T>(a[i * as], b[i * bs]);
          });
    }
  });
}

template <CompareOp op>
constexpr OpDef comparison(const char* name) {
  return {name,
          2,
          1,
          kElementwise | kAnyOrder | kPromote | kNoAttrs,
          compare_infer,
          compare_eval<op>,
          kNotDifferentiable,
          nullptr,
          batch_broadcasting};
}

// Tests of one operand; integers are finite.
void test_infer(InferContext& c) {
  c.outputs[0] = c.inputs[0];
  c.outputs[0].dtype = DType::boolean;
}

template <CompareOp op>
void test_eval(const EvalContext& c) {
  by_dtype(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    Loop loop;
    make_loop(&loop, c.outputs[0].shape, &c.outputs[0], c.inputs, 1);
    for_each_run(loop, kCheapGrain, [](char* const* at, const int64_t* s, int64_t n) {
      uint8_t* y = typed<uint8_t>(at[0]);
      const T* x = typed<const T>(at[1]);
      if constexpr (std::is_floating_point_v<T>) {
        FUSEGRAD_TYPED(T, compare)(op, y, s[0], x, s[1], x, s[1], n);
      } else {
        for (int64_t i = 0; i < n; ++i) {
          y[i * s[0]] = op == CompareOp::isfinite || (op == CompareOp::signbit && x[i * s[1]] < 0);
        }
      }
    });
  });
}

template <CompareOp op>
constexpr OpDef test(const char* name) {
  return {name,
          1,
          1,
          kElementwise | kAnyOrder | kNoAttrs,
          test_infer,
          test_eval<op>,
          kNotDifferentiable,
          nullptr,
          batch_broadcasting};
}

enum class Logical { conjunction, disjunction, exclusive };

template <Logical kind>
void logical_eval(const EvalContext& c) {
  by_dtype(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    map2<uint8_t, T>(
        c, kCheapGrain,
        [](uint8_t* y, int64_t ys, const T* a, int64_t as, const T* b, int64_t bs, int64_t n) {
          for (int64_t i = 0; i < n; ++i) {
            const bool left = a[i * as] != T(0);
            const bool right = b[i * bs] != T(0);
            y[i * ys] = kind == Logical::conjunction   ? left && right
                        : kind == Logical::disjunction ? left || right
                                                       : left != right;
          }
        });
  });
}

void logical_not_eval(const EvalContext& c) {
  by_dtype(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    Loop loop;
    make_loop(&loop, c.outputs[0].shape, &c.outputs[0], c.inputs, 1);
    for_each_run(loop, kCheapGrain, [](char* const* at, const int64_t* s, int64_t n) {
      uint8_t* y = typed<uint8_t>(at[0]);
      const T* x = typed<const T>(at[1]);
      for (int64_t i = 0; i < n; ++i) y[i * s[0]] = x[i * s[1]] == T(0);
    });
  });
}

// where(condition, x1, x2): three-way broadcast; x1 and x2 have one dtype.
void where_infer(InferContext& c) {
  require_dtype(c, 0, "condition", DType::boolean);
  if (c.inputs[1].dtype != c.inputs[2].dtype) require_dtype(c, 2, "x2", c.inputs[1].dtype);
  c.outputs[0].dtype = c.inputs[1].dtype;
  c.outputs[0].shape =
      broadcast(c, broadcast(c, c.inputs[1].shape, c.inputs[2].shape), c.inputs[0].shape);
}
void where_eval(const EvalContext& c) {
  Loop loop;
  make_loop(&loop, c.outputs[0].shape, &c.outputs[0], c.inputs, 3);
  by_dtype(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_run(loop, kCheapGrain, [](char* const* at, const int64_t* s, int64_t n) {
      T* y = typed<T>(at[0]);
      const uint8_t* condition = typed<const uint8_t>(at[1]);
      const T* a = typed<const T>(at[2]);
      const T* b = typed<const T>(at[3]);
      if constexpr (std::is_floating_point_v<T>) {
        FUSEGRAD_TYPED(T, where)(y, s[0], condition, s[1], a, s[2], b, s[3], n);
      } else {
        for (int64_t i = 0; i < n; ++i) {
          y[i * s[0]] = condition[i * s[1]] != 0 ? a[i * s[2]] : b[i * s[3]];
        }
      }
    });
  });
}
// da = condition ? dy : 0, db = condition ? 0 : dy
void where_vjp(VjpContext& c) {
  Builder& b = c.builder();
  if (c.needs(1)) c.set(1, emit::where(b, c.input(0), c.cotangent(), 0.0));
  if (c.needs(2)) c.set(2, emit::where(b, c.input(0), 0.0, c.cotangent()));
}

}  // namespace

const OpDef equal_op = comparison<CompareOp::equal>("equal");
const OpDef not_equal_op = comparison<CompareOp::not_equal>("not_equal");
const OpDef less_op = comparison<CompareOp::less>("less");
const OpDef less_equal_op = comparison<CompareOp::less_equal>("less_equal");
const OpDef greater_op = comparison<CompareOp::greater>("greater");
const OpDef greater_equal_op = comparison<CompareOp::greater_equal>("greater_equal");
const OpDef isnan_op = test<CompareOp::isnan>("isnan");
const OpDef isinf_op = test<CompareOp::isinf>("isinf");
const OpDef isfinite_op = test<CompareOp::isfinite>("isfinite");
const OpDef signbit_op = test<CompareOp::signbit>("signbit");
const OpDef logical_and_op = {"logical_and",
                              2,
                              1,
                              kElementwise | kAnyOrder | kPromoteLogical,
                              compare_infer,
                              logical_eval<Logical::conjunction>,
                              kNotDifferentiable,
                              nullptr,
                              batch_broadcasting};
const OpDef logical_or_op = {"logical_or",
                             2,
                             1,
                             kElementwise | kAnyOrder | kPromoteLogical,
                             compare_infer,
                             logical_eval<Logical::disjunction>,
                             kNotDifferentiable,
                             nullptr,
                             batch_broadcasting};
const OpDef logical_xor_op = {"logical_xor",
                              2,
                              1,
                              kElementwise | kAnyOrder | kPromoteLogical,
                              compare_infer,
                              logical_eval<Logical::exclusive>,
                              kNotDifferentiable,
                              nullptr,
                              batch_broadcasting};
const OpDef logical_not_op = {"logical_not",
                              1,
                              1,
                              kElementwise | kAnyOrder | kPromoteLogical,
                              test_infer,
                              logical_not_eval,
                              kNotDifferentiable,
                              nullptr,
                              batch_broadcasting};
const OpDef where_op = {
    "where",           3,          1,         kElementwise | kAnyOrder | kPromoteSelect | kNoAttrs,
    where_infer,       where_eval, where_vjp, nullptr,
    batch_broadcasting};

}  // namespace fusegrad
