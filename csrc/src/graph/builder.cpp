// Builder: checks, infers and records ops, inputs, states and constants.
//
// Nodes and values live in deques, so references to them survive later emissions.
#include "fusegrad/builder.h"

#include <array>
#include <string>
#include <utility>

#include "fusegrad/error.h"

namespace fusegrad {

namespace {

constexpr int kFewInputs = 8;

std::string where_of(const OpDef& op) { return std::string(op.name) + "()"; }

template <typename T>
Array scalar_array(double value) {
  return Array::scalar<T>(static_cast<T>(value));
}

Array scalar_array(double value, DType dtype) {
  switch (dtype) {
    case DType::float32: return scalar_array<float>(value);
    case DType::float64: return scalar_array<double>(value);
    case DType::int32: return scalar_array<int32_t>(value);
    case DType::int64: return scalar_array<int64_t>(value);
    case DType::uint8: return scalar_array<uint8_t>(value);
    case DType::boolean: return Array::scalar<bool>(value != 0.0);
  }
  return scalar_array<double>(value);
}

}  // namespace

int Builder::emit(const OpDef& op, const Value* inputs, int num_inputs, const Attrs& attrs,
                  Value* outputs) {
  if (op.num_inputs >= 0 ? num_inputs != op.num_inputs : num_inputs < 1) {
    throw ArgumentError(
        where_of(op), "inputs",
        op.num_inputs >= 0 ? std::to_string(op.num_inputs) + " operands" : "at least one operand",
        std::to_string(num_inputs));
  }
  std::array<Meta, kFewInputs> few;
  std::vector<Meta> many;
  Meta* metas = few.data();
  if (num_inputs > kFewInputs) {
    many.resize(static_cast<size_t>(num_inputs));
    metas = many.data();
  }
  for (int i = 0; i < num_inputs; ++i) {
    if (inputs[i].id < 0 || inputs[i].id >= num_values()) {
      throw ArgumentError(
          where_of(op), "inputs", "values of this builder",
          "value " + std::to_string(inputs[i].id) + " at index " + std::to_string(i));
    }
    metas[i] = meta(inputs[i]);
  }

  Node node;
  node.kind = NodeKind::op;
  node.op = &op;
  node.attrs = attrs;
  node.inputs.assign(inputs, inputs + num_inputs);
  node.first_output = Value{num_values()};
  std::array<Meta, kMaxOutputs> results;
  InferContext context{op.name, metas, num_inputs, &node.attrs, results.data(), op.num_outputs};
  op.infer(context);
  node.num_outputs = context.num_outputs;

  const int32_t index = num_nodes();
  const size_t values_before = values_.size();
  nodes_.push_back(std::move(node));
  try {
    for (int i = 0; i < context.num_outputs; ++i) {
      ValueInfo info;
      info.meta = results[static_cast<size_t>(i)];
      info.node = index;
      info.index = i;
      values_.push_back(std::move(info));
    }
    recorded(nodes_.back());
  } catch (...) {
    while (values_.size() > values_before) values_.pop_back();
    nodes_.pop_back();
    throw;
  }
  for (int i = 0; i < context.num_outputs; ++i) {
    outputs[i] = Value{static_cast<int32_t>(values_before) + i};
  }
  return context.num_outputs;
}

Value Builder::emit(const OpDef& op, std::initializer_list<Value> inputs, const Attrs& attrs) {
  std::array<Value, kMaxOutputs> outputs;
  emit(op, inputs.begin(), static_cast<int>(inputs.size()), attrs, outputs.data());
  return outputs[0];
}

Value Builder::constant(const Array& array) {
  return append(NodeKind::constant, array.meta(), array, std::string());
}

Value Builder::constant(double value, DType dtype) { return constant(scalar_array(value, dtype)); }

Value Builder::append(NodeKind kind, const Meta& meta, const Array& array, std::string note) {
  const Value value{num_values()};
  Node node;
  node.kind = kind;
  node.first_output = value;
  node.note = std::move(note);
  ValueInfo info;
  info.meta = meta;
  info.node = num_nodes();
  info.array = array;
  nodes_.push_back(std::move(node));
  try {
    values_.push_back(std::move(info));
  } catch (...) {
    nodes_.pop_back();
    throw;
  }
  return value;
}

}  // namespace fusegrad
