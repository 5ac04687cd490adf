// Optimizer updates: new variable and slots from the old ones, the gradient and the step size.
//
// Output i is the new value of input i and may overwrite it. Formulas are with the kernels
// (kernels.h); they have no gradient. One evaluation may take many variables: a step then has one
// parallel region for them all, and each thread updates the same elements in every step.
#include "ops/update.h"

#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/iterate.h"

#include "fusegrad/builder.h"
#include "fusegrad/workspace.h"

namespace fusegrad {
namespace {

constexpr uint32_t kUpdate = kElementwise | kAnyOrder | kGradient | kMultiTensor;

// States, gradient and step size: inputs (states..., g, step), outputs (states...).
void check_states(InferContext& c, int states, const char* step) {
  if (c.num_inputs != states + 2) {
    fail(c.op, "inputs", std::to_string(states + 2) + " operands", std::to_string(c.num_inputs));
  }
  require_float(c, 0, "variable");
  for (int i = 1; i <= states; ++i) {
    const char* argument = i == states ? "gradient" : "slot";
    require_dtype(c, i, argument, c.inputs[0].dtype);
    require_same_shape(c, i, argument, c.inputs[0].shape);
  }
  require_scalar(c, states + 1, step);
  c.num_outputs = states;
  for (int i = 0; i < states; ++i) c.outputs[i] = c.inputs[0];
}

double read_scalar(const View& x) {
  return x.dtype == DType::float32 ? static_cast<double>(*x.as<const float>())
                                   : *x.as<const double>();
}

// One variable: `states` arrays in and out, and the gradient after those that come in.
struct Variable {
  const View* out;
  const View* in;
  int states;

  int64_t size() const { return out[0].size(); }
  template <typename T>
  const T* gradient() const {
    return in[states].as<const T>();
  }

  // Whether all arrays lie in one dense order.
  bool dense() const {
    bool result = out[0].c_contiguous() || out[0].f_contiguous();
    for (int i = 0; i < states; ++i) result = result && ordered_as_first(out[i]);
    for (int i = 0; i <= states; ++i) result = result && ordered_as_first(in[i]);
    return result;
  }

 private:
  bool ordered_as_first(const View& view) const {
    const View& first = out[0];
    for (int axis = 0; axis < first.rank(); ++axis) {
      if (first.shape[axis] > 1 && view.strides[axis] != first.strides[axis]) return false;
    }
    return true;
  }
};

// Calls kernel(out, in, g, n) with the elements [begin, end) of a dense variable; g are theirs.
template <typename T, typename Kernel>
void update_dense(const Variable& variable, int64_t begin, int64_t end, const T* g,
                  const Kernel& kernel) {
  T* out[kMaxOutputs];
  const T* in[kMaxOutputs];
  for (int i = 0; i < variable.states; ++i) {
    out[i] = variable.out[i].as<T>() + begin;
    in[i] = variable.in[i].as<const T>() + begin;
  }
  kernel(out, in, g, end - begin);
}

// The same for any strides: the operands pass through blocks on the stack.
template <typename T, typename Kernel>
void update_strided(const Variable& variable, int64_t begin, int64_t end, const Kernel& kernel) {
  const int states = variable.states;
  Loop loop;
  for (int i = 0; i < states; ++i) loop.add(variable.out[i], variable.out[i].strides);
  for (int i = 0; i <= states; ++i) loop.add(variable.in[i], variable.in[i].strides);
  loop.finish(variable.out[0].shape);
  detail::walk(loop, begin, end, [&](char* const* at, const int64_t* s, int64_t n) {
    constexpr int64_t kBlock = 128;
    T block[kMaxOutputs + 1][kBlock];
    T* out[kMaxOutputs];
    const T* in[kMaxOutputs];
    for (int i = 0; i < states; ++i) in[i] = out[i] = block[i];
    for (int64_t first = 0; first < n; first += kBlock) {
      const int64_t count = std::min(kBlock, n - first);
      for (int i = 0; i <= states; ++i) {
        const int64_t stride = s[states + i];
        const T* from = typed<const T>(at[states + i]) + first * stride;
        for (int64_t j = 0; j < count; ++j) block[i][j] = from[j * stride];
      }
      kernel(out, in, block[states], count);
      for (int i = 0; i < states; ++i) {
        T* to = typed<T>(at[i]) + first * s[i];
        for (int64_t j = 0; j < count; ++j) to[j * s[i]] = block[i][j];
      }
    }
  });
}

// The operands of an update: variables with their gradients, then the step size for all of them.
struct Gradients {
  explicit Gradients(const EvalContext& c)
      : context(c), count(c.num_inputs - 1 - c.num_outputs), states(c.num_outputs / count) {}

  // Calls kernel(out, in, g, n) with contiguous runs of all variables; out and in have one pointer
  // for each state. The threads share the elements of all of them.
  template <typename T, typename Kernel>
  void update(int64_t grain, const Kernel& kernel) const {
    int64_t total = 0;
    for (int i = 0; i < count; ++i) total += variable(i).size();
    parallel_for(total, grain, [&](int64_t begin, int64_t end) {
      int64_t before = 0;  // elements of the variables so far
      for (int i = 0; i < count && before < end; ++i) {
        const Variable one = variable(i);
        const int64_t size = one.size();
        const int64_t first = std::max<int64_t>(begin - before, 0);
        const int64_t last = std::min(end - before, size);
        before += size;
        if (first >= last) continue;
        if (one.dense()) {
          update_dense<T>(one, first, last, one.gradient<T>() + first, kernel);
        } else {
          update_strided<T>(one, first, last, kernel);
        }
      }
    });
  }

  Variable variable(int i) const {
    return {context.outputs + i * states, context.inputs + i * (states + 1), states};
  }

  const EvalContext& context;
  int count;  // of variables
  int states;
};

// The operands of an update from a product: one variable, the factors of its gradient, the step
// size. Blocks of the gradient are whole columns of an F-ordered variable, or rows of a C-ordered
// one, so that they are contiguous.
struct Factors {
  explicit Factors(const EvalContext& c) : context(c), states(c.num_outputs) {}

  template <typename T, typename Kernel>
  void update(int64_t, const Kernel& kernel) const {
    const Variable variable{context.outputs, context.inputs, states};
    const bool columns = !context.outputs[0].c_contiguous();
    const View& w = context.outputs[0];
    const View& lanes = context.inputs[states + (columns ? 0 : 1)];
    const View& others = context.inputs[states + (columns ? 1 : 0)];
    const int lane_axis = columns ? 0 : 1;
    GemmArgs<T> whole = {};
    whole.m = w.shape[1 - lane_axis];
    whole.n = w.shape[lane_axis];
    whole.k = lanes.shape[1 - lane_axis];
    whole.a = others.as<const T>();
    whole.a_rs = others.strides[1 - lane_axis];
    whole.a_cs = others.strides[lane_axis];
    whole.b = lanes.as<const T>();
    whole.b_rs = lanes.strides[1 - lane_axis];
    whole.b_cs = lanes.strides[lane_axis];
    whole.c_rs = whole.n;
    whole.c_cs = 1;
    const int64_t rows = std::min(whole.m, whole.b_cs == 1 ? kBlockRows : kPackedBlockRows);
    parallel_for(whole.m, rows, [&](int64_t begin, int64_t end) {
      constexpr int64_t kSize = static_cast<int64_t>(sizeof(T));
      const int64_t bytes = (rows * whole.n * kSize + kAlignment - 1) / kAlignment * kAlignment;
      char* const scratch = static_cast<char*>(
          thread_workspace(bytes + gemm_workspace_bytes(rows, whole.n, whole.k, kSize)));
      for (int64_t first = begin; first < end; first += rows) {
        GemmArgs<T> block = whole;
        block.m = std::min(rows, end - first);
        block.a += first * whole.a_rs;
        block.c = typed<T>(scratch);
        block.workspace = scratch + bytes;
        FUSEGRAD_TYPED(T, gemm)(block);
        update_dense<T>(variable, first * whole.n, (first + block.m) * whole.n, block.c, kernel);
      }
    });
  }

  const EvalContext& context;
  int states;

 private:
  // A block stays in the second-level cache. Where each one has to pack the lanes again, larger
  // ones spread that; they stay in the third.
  static constexpr int64_t kBlockRows = 32;
  static constexpr int64_t kPackedBlockRows = 256;
};

double step_size(const EvalContext& c) { return read_scalar(c.inputs[c.num_inputs - 1]); }

// ---- adam_step_size(learning_rate, iterations):
//      lr sqrt(1 - b2^t) / (1 - b1^t) with t = iterations + 1

void adam_step_size_infer(InferContext& c) {
  require_dtype(c, 0, "learning_rate", DType::float64);
  require_scalar(c, 0, "learning_rate");
  require_dtype(c, 1, "iterations", DType::int64);
  require_same_shape(c, 1, "iterations", Shape());
  c.outputs[0] = c.inputs[0];
}

double integer_power(double base, int64_t exponent) {
  double result = 1.0;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result *= base;
    base *= base;
  }
  return result;
}

void adam_step_size_eval(const EvalContext& c) {
  const double learning_rate = *c.inputs[0].as<const double>();
  const int64_t t = *c.inputs[1].as<const int64_t>() + 1;
  const double first = 1.0 - integer_power(c.attrs->scalars[0], t);
  const double second = 1.0 - integer_power(c.attrs->scalars[1], t);
  *c.outputs[0].as<double>() = learning_rate * __builtin_sqrt(second) / first;
}

// ---- sgd_update(w, g, learning_rate)

void sgd_infer(InferContext& c) { check_states(c, 1, "learning_rate"); }
template <typename Operands>
void sgd_eval(const EvalContext& c) {
  const Operands operands(c);
  const double rate = step_size(c);
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, sgd);
    operands.template update<T>(kStreamUpdateGrain,
                                [=](T* const* out, const T* const* in, const T* g, int64_t n) {
                                  kernel(out[0], in[0], g, n, rate);
                                });
  });
}

// ---- momentum_update(w, m, g, learning_rate): scalars {mu}, flag = nesterov

void momentum_infer(InferContext& c) { check_states(c, 2, "learning_rate"); }
template <typename Operands>
void momentum_eval(const EvalContext& c) {
  const Operands operands(c);
  const double rate = step_size(c);
  const double mu = c.attrs->scalars[0];
  const bool nesterov = c.attrs->flag;
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, momentum);
    operands.template update<T>(kStreamUpdateGrain,
                                [=](T* const* out, const T* const* in, const T* g, int64_t n) {
                                  kernel(out[0], out[1], in[0], in[1], g, n, rate, mu, nesterov);
                                });
  });
}

// ---- rmsprop_update(w, v, [a if centered], [b if mu > 0], g, learning_rate):
//      scalars {rho, mu, epsilon, centered}

int rmsprop_states(const Attrs& attrs) {
  return 2 + (attrs.scalars[3] != 0.0 ? 1 : 0) + (attrs.scalars[1] > 0.0 ? 1 : 0);
}
void rmsprop_infer(InferContext& c) { check_states(c, rmsprop_states(*c.attrs), "learning_rate"); }
template <typename Operands>
void rmsprop_eval(const EvalContext& c) {
  const Operands operands(c);
  const double rate = step_size(c);
  const double rho = c.attrs->scalars[0];
  const double mu = c.attrs->scalars[1];
  const double epsilon = c.attrs->scalars[2];
  const int a = c.attrs->scalars[3] != 0.0 ? 2 : -1;
  const int b = mu > 0.0 ? operands.states - 1 : -1;
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, rmsprop);
    operands.template update<T>(
        kRootUpdateGrain, [=](T* const* out, const T* const* in, const T* g, int64_t n) {
          kernel(out[0], out[1], a < 0 ? nullptr : out[a], b < 0 ? nullptr : out[b], in[0], in[1],
                 a < 0 ? nullptr : in[a], b < 0 ? nullptr : in[b], g, n, rate, rho, mu, epsilon);
        });
  });
}

// ---- adam_update(w, m, v, [vhat], g, step size): scalars {beta_1, beta_2, epsilon}

void adam_infer(InferContext& c) { check_states(c, c.num_inputs == 6 ? 4 : 3, "step_size"); }
template <typename Operands>
void adam_eval(const EvalContext& c) {
  const Operands operands(c);
  const double alpha = step_size(c);
  const bool amsgrad = operands.states == 4;
  const double beta_1 = c.attrs->scalars[0];
  const double beta_2 = c.attrs->scalars[1];
  const double epsilon = c.attrs->scalars[2];
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, adam);
    operands.template update<T>(
        kRootUpdateGrain, [=](T* const* out, const T* const* in, const T* g, int64_t n) {
          kernel(out[0], out[1], out[2], amsgrad ? out[3] : nullptr, in[0], in[1], in[2],
                 amsgrad ? in[3] : nullptr, g, n, alpha, beta_1, beta_2, epsilon);
        });
  });
}

}  // namespace

const OpDef adam_step_size_op = {
    "adam_step_size",  2, 1, kGradient, adam_step_size_infer, adam_step_size_eval,
    kNotDifferentiable};
const OpDef sgd_update_op = {
    "sgd_update", 3, 1, kUpdate | kInPlace0, sgd_infer, sgd_eval<Gradients>, kNotDifferentiable};
const OpDef momentum_update_op = {"momentum_update",
                                  4,
                                  2,
                                  kUpdate | kInPlace0 | kInPlace1,
                                  momentum_infer,
                                  momentum_eval<Gradients>,
                                  kNotDifferentiable};
const OpDef rmsprop_update_op = {"rmsprop_update",
                                 -1,
                                 -1,
                                 kUpdate | kInPlace0 | kInPlace1 | kInPlace2 | kInPlace3,
                                 rmsprop_infer,
                                 rmsprop_eval<Gradients>,
                                 kNotDifferentiable};
const OpDef adam_update_op = {"adam_update",
                              -1,
                              -1,
                              kUpdate | kInPlace0 | kInPlace1 | kInPlace2 | kInPlace3,
                              adam_infer,
                              adam_eval<Gradients>,
                              kNotDifferentiable};

const OpDef* matmul_update_of(const OpDef& update) {
  static const OpDef sgd = {"matmul_sgd_update", -1, -1, 0, sgd_infer, sgd_eval<Factors>,
                            kNotDifferentiable};
  static const OpDef momentum = {
      "matmul_momentum_update", -1, -1, 0, momentum_infer, momentum_eval<Factors>,
      kNotDifferentiable};
  static const OpDef rmsprop = {
      "matmul_rmsprop_update", -1, -1, 0, rmsprop_infer, rmsprop_eval<Factors>, kNotDifferentiable};
  static const OpDef adam = {"matmul_adam_update", -1, -1, 0, adam_infer, adam_eval<Factors>,
                             kNotDifferentiable};
  if (&update == &sgd_update_op) return &sgd;
  if (&update == &momentum_update_op) return &momentum;
  if (&update == &rmsprop_update_op) return &rmsprop;
  return &update == &adam_update_op ? &adam : nullptr;
}

}  // namespace fusegrad
