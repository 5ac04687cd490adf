// Optimizer updates: new variable and slots from the old ones, the gradient and the step size.
//
// Output i is the new value of input i and may overwrite it. Formulas are with the kernels
// (kernels.h); they have no gradient.
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/iterate.h"

#include "fusegrad/builder.h"

namespace fusegrad {
namespace {

constexpr uint32_t kUpdate = kElementwise | kAnyOrder | kGradient;

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

// Calls kernel(out, in, g, n) with contiguous runs: out and in have `states` pointers each.
// Operands that are not contiguous together pass through blocks on the stack.
template <typename T, typename Kernel>
void update_runs(const EvalContext& c, int states, const Kernel& kernel) {
  const View& w = c.outputs[0];
  Loop loop;
  for (int i = 0; i < states; ++i) loop.add(c.outputs[i], c.outputs[i].strides);
  for (int i = 0; i <= states; ++i) loop.add(c.inputs[i], c.inputs[i].strides);
  loop.finish(w.shape);
  for_each_run(loop, kUpdateGrain, [&](char* const* at, const int64_t* s, int64_t n) {
    bool direct = true;
    for (int k = 0; k <= 2 * states; ++k) direct = direct && s[k] == 1;
    T* out[kMaxOutputs];
    const T* in[kMaxOutputs];
    if (direct || n == 1) {
      for (int i = 0; i < states; ++i) {
        out[i] = typed<T>(at[i]);
        in[i] = typed<const T>(at[states + i]);
      }
      kernel(out, in, typed<const T>(at[2 * states]), n);
      return;
    }
    constexpr int64_t kBlock = 128;
    T block[kMaxOutputs + 1][kBlock];
    for (int64_t first = 0; first < n; first += kBlock) {
      const int64_t count = std::min(kBlock, n - first);
      for (int i = 0; i <= states; ++i) {
        const int64_t stride = s[states + i];
        const T* from = typed<const T>(at[states + i]) + first * stride;
        for (int64_t j = 0; j < count; ++j) block[i][j] = from[j * stride];
      }
      for (int i = 0; i < states; ++i) in[i] = out[i] = block[i];
      kernel(out, in, block[states], count);
      for (int i = 0; i < states; ++i) {
        T* to = typed<T>(at[i]) + first * s[i];
        for (int64_t j = 0; j < count; ++j) to[j * s[i]] = block[i][j];
      }
    }
  });
}

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
void sgd_eval(const EvalContext& c) {
  const double rate = read_scalar(c.inputs[2]);
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, sgd);
    update_runs<T>(c, 1, [=](T* const* out, const T* const* in, const T* g, int64_t n) {
      kernel(out[0], in[0], g, n, rate);
    });
  });
}

// ---- momentum_update(w, m, g, learning_rate): scalars {mu}, flag = nesterov

void momentum_infer(InferContext& c) { check_states(c, 2, "learning_rate"); }
void momentum_eval(const EvalContext& c) {
  const double rate = read_scalar(c.inputs[3]);
  const double mu = c.attrs->scalars[0];
  const bool nesterov = c.attrs->flag;
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, momentum);
    update_runs<T>(c, 2, [=](T* const* out, const T* const* in, const T* g, int64_t n) {
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
void rmsprop_eval(const EvalContext& c) {
  const int states = rmsprop_states(*c.attrs);
  const double rate = read_scalar(c.inputs[states + 1]);
  const double rho = c.attrs->scalars[0];
  const double mu = c.attrs->scalars[1];
  const double epsilon = c.attrs->scalars[2];
  const int a = c.attrs->scalars[3] != 0.0 ? 2 : -1;
  const int b = mu > 0.0 ? states - 1 : -1;
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, rmsprop);
    update_runs<T>(c, states, [=](T* const* out, const T* const* in, const T* g, int64_t n) {
      kernel(out[0], out[1], a < 0 ? nullptr : out[a], b < 0 ? nullptr : out[b], in[0], in[1],
             a < 0 ? nullptr : in[a], b < 0 ? nullptr : in[b], g, n, rate, rho, mu, epsilon);
    });
  });
}

// ---- adam_update(w, m, v, [vhat], g, step size): scalars {beta_1, beta_2, epsilon}

void adam_infer(InferContext& c) { check_states(c, c.num_inputs == 6 ? 4 : 3, "step_size"); }
void adam_eval(const EvalContext& c) {
  const int states = c.num_inputs - 2;
  const double alpha = read_scalar(c.inputs[states + 1]);
  const double beta_1 = c.attrs->scalars[0];
  const double beta_2 = c.attrs->scalars[1];
  const double epsilon = c.attrs->scalars[2];
  by_float(c.outputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto kernel = FUSEGRAD_TYPED(T, adam);
    update_runs<T>(c, states, [=](T* const* out, const T* const* in, const T* g, int64_t n) {
      kernel(out[0], out[1], out[2], states == 4 ? out[3] : nullptr, in[0], in[1], in[2],
             states == 4 ? in[3] : nullptr, g, n, alpha, beta_1, beta_2, epsilon);
    });
  });
}

}  // namespace

const OpDef adam_step_size_op = {
    "adam_step_size",  2, 1, kGradient, adam_step_size_infer, adam_step_size_eval,
    kNotDifferentiable};
const OpDef sgd_update_op = {"sgd_update",      3, 1, kUpdate | kInPlace0, sgd_infer, sgd_eval,
                             kNotDifferentiable};
const OpDef momentum_update_op = {
    "momentum_update", 4, 2, kUpdate | kInPlace0 | kInPlace1, momentum_infer, momentum_eval,
    kNotDifferentiable};
const OpDef rmsprop_update_op = {"rmsprop_update",
                                 -1,
                                 -1,
                                 kUpdate | kInPlace0 | kInPlace1 | kInPlace2 | kInPlace3,
                                 rmsprop_infer,
                                 rmsprop_eval,
                                 kNotDifferentiable};
const OpDef adam_update_op = {"adam_update",
                              -1,
                              -1,
                              kUpdate | kInPlace0 | kInPlace1 | kInPlace2 | kInPlace3,
                              adam_infer,
                              adam_eval,
                              kNotDifferentiable};

}  // namespace fusegrad
