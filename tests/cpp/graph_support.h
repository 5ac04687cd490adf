// What the tests of the graph layer share: ops of their own, random arrays, comparisons, and a
// training step.
//
// Ops defined here stand beside the built-in ones: a node only needs an OpDef.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "check.h"
#include "fusegrad/error.h"
#include "fusegrad/graph.h"
#include "fusegrad/optimizer.h"

namespace fusegrad::test {

template <typename Body>
bool raises(const Body& body) {
  try {
    body();
  } catch (const ArgumentError&) {
    return true;
  }
  return false;
}

inline void same_as_input(InferContext& context) {
  for (int k = 0; k < context.num_outputs; ++k) context.outputs[k] = context.inputs[0];
}

inline void copy_all(const EvalContext& context) {
  for (int k = 0; k < context.num_outputs; ++k)
    copy_elements(context.outputs[k], context.inputs[0]);
}

inline void always_raise(const EvalContext&) {
  throw ArgumentError("fails()", "x", "nothing", "something");
}

inline void twice_vjp(VjpContext& context) {
  CHECK(!context.cotangent(0).valid() || !context.cotangent(1).valid());
  const int k = context.cotangent(0).valid() ? 0 : 1;
  context.set(0, context.cotangent(k));
}

inline const OpDef twice_op = {"twice", 1, 2, 0, &same_as_input, &copy_all, &twice_vjp};
inline const OpDef fails_op = {
    "fails", 1, 1, 0, &same_as_input, &always_raise, &kNotDifferentiable};
inline const OpDef noise_op = {
    "noise", 1, 1, kRandom, &same_as_input, &copy_all, &kNotDifferentiable};

inline uint64_t random_state = 0x1234567;

inline uint64_t next_random() {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return random_state >> 33;
}

inline int64_t below(int64_t n) { return static_cast<int64_t>(next_random()) % n; }

template <typename T>
inline Array random_array(const Shape& shape, bool f_order = false) {
  Array array(DTypeOf<T>::value, shape);
  for (int64_t i = 0; i < array.size(); ++i) {
    array.view().template as<T>()[i] =
        static_cast<T>(static_cast<double>(below(2001) - 1000) / 500.0);
  }
  if (!f_order) return array;
  Array turned(array.dtype(), shape, f_strides(shape));
  copy_elements(turned.view(), array.view());
  return turned;
}

inline std::vector<double> elements(const View& view) {
  Array wide(DType::float64, view.shape);
  copy_elements(wide.view(), view);
  const double* data = wide.view().as<double>();
  return std::vector<double>(data, data + wide.size());
}

inline std::vector<double> elements(const Array& array) { return elements(array.view()); }

inline bool same_bits(const View& a, const View& b) {
  if (a.dtype != b.dtype || a.shape != b.shape) return false;
  Array left(a.dtype, a.shape), right(b.dtype, b.shape);
  copy_elements(left.view(), a);
  copy_elements(right.view(), b);
  const size_t bytes = static_cast<size_t>(left.size() * itemsize(a.dtype));
  return bytes == 0 || std::memcmp(left.data(), right.data(), bytes) == 0;
}

inline Array clone(const Array& array) {
  Array copy(array.dtype(), array.shape(), array.strides());
  copy_elements(copy.view(), array.view());
  return copy;
}

inline Array vector_of(std::initializer_list<double> values) {
  Array array(DType::float64, {static_cast<int64_t>(values.size())});
  int64_t i = 0;
  for (const double value : values) array.view().as<double>()[i++] = value;
  return array;
}

inline Attrs with_axes(const Dims& axes, bool keepdims = false) {
  Attrs attrs;
  attrs.axes = axes;
  attrs.keepdims = keepdims;
  return attrs;
}

inline Attrs with_shape(const Shape& shape) {
  Attrs attrs;
  attrs.shape = shape;
  return attrs;
}

inline Attrs all() {
  Attrs attrs;
  attrs.all_axes = true;
  return attrs;
}

inline const Meta kMatrix{DType::float32, {4, 3}};

inline int count_ops(const Graph& graph, const OpDef& op) {
  int count = 0;
  for (int32_t i = 0; i < graph.num_nodes(); ++i) {
    count += graph.node(i).kind == NodeKind::op && graph.node(i).op == &op ? 1 : 0;
  }
  return count;
}

inline const OpDef* op_of(const Graph& graph, Value value) { return graph.producer(value).op; }

// The slots of a rule for each variable in turn, zeros in the variable's own layout.
inline std::vector<Array> zero_slots(const Optimizer& rule, const std::vector<Array>& variables) {
  std::vector<Array> slots;
  for (const Array& variable : variables) {
    for (size_t k = 0; k < rule.slots().size(); ++k) {
      Array zeros(variable.dtype(), variable.shape(), variable.strides());
      std::memset(zeros.data(), 0, static_cast<size_t>(zeros.size() * itemsize(zeros.dtype())));
      slots.push_back(zeros);
    }
  }
  return slots;
}

// One step of a rule that makes `loss` smaller: gradients and updates. `slots` are those of
// zero_slots(); `rate` is float64 and 0-d, `iterations` int64 and 0-d.
inline void minimise(Graph& graph, Value loss, const std::vector<Value>& variables,
                     const Optimizer& rule, const std::vector<Array>& slots, const Array& rate,
                     const Array& iterations) {
  const Value steps = graph.state(iterations, "iterations");
  const Value step_size = rule.step_size(graph, graph.state(rate, "learning rate"), steps);
  const Value seed = graph.constant(1.0, graph.meta(loss).dtype);
  const std::vector<Value> gradients = differentiate(graph, loss, seed, variables);
  const std::vector<std::string> names = rule.slots();
  for (size_t i = 0; i < variables.size(); ++i) {
    std::vector<Value> own;
    for (size_t k = 0; k < names.size(); ++k) {
      own.push_back(graph.state(slots[i * names.size() + k], names[k]));
    }
    const std::vector<Value> updated =
        rule.update(graph, variables[i], gradients[i], own, step_size);
    graph.update(variables[i], updated[0]);
    for (size_t k = 0; k < own.size(); ++k) graph.update(own[k], updated[k + 1]);
  }
  graph.update(steps, graph.emit(add_op, {steps, graph.constant(1.0, DType::int64)}));
}

}  // namespace fusegrad::test
