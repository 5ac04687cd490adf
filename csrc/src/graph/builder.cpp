// Builder: checks, infers and records ops, inputs, states and constants.
//
// References to nodes and values survive later emissions.
#include "fusegrad/builder.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "eager/scratch.h"
#include "fusegrad/error.h"
#include "ops/evaluate.h"

namespace fusegrad {

namespace {

std::string where_of(const OpDef& op) { return std::string(op.name) + "()"; }

[[noreturn]] void refuse_count(const OpDef& op, int num_inputs) {
  throw ArgumentError(
      where_of(op), "inputs",
      op.num_inputs >= 0 ? std::to_string(op.num_inputs) + " operands" : "at least one operand",
      std::to_string(num_inputs));
}

[[noreturn]] void refuse_value(const OpDef& op, Value value, int index) {
  throw ArgumentError(where_of(op), "inputs", "values of this builder",
                      "value " + std::to_string(value.id) + " at index " + std::to_string(index));
}

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
    refuse_count(op, num_inputs);
  }
  const int32_t first = num_values();
  Operands<Meta> metas(num_inputs);
  for (int i = 0; i < num_inputs; ++i) {
    if (inputs[i].id < 0 || inputs[i].id >= first) refuse_value(op, inputs[i], i);
    metas.put(i, meta(inputs[i]));
  }
  std::unique_ptr<Attrs> normal;
  if ((op.traits & kNoAttrs) == 0) normal = std::make_unique<Attrs>(attrs);
  Operands<Meta> results(kMaxOutputs);
  const int count = infer(op, metas.data(), num_inputs, normal.get(), results);

  const Attrs& used = normal == nullptr ? Attrs::none() : *normal;
  if (scratch_ != nullptr) {
    const Value made = scratch_->add(results.data(), count);
    compute(op, inputs, num_inputs, used, made, count);
    for (int i = 0; i < count; ++i) outputs[i] = Value{made.id + i};
    return count;
  }

  const int32_t index = num_nodes();
  Node& node = nodes_.emplace_back();
  try {
    node.op = &op;
    node.set_attrs(std::move(normal));
    node.inputs = ValueList(inputs, static_cast<size_t>(num_inputs));
    node.first_output = Value{first};
    node.num_outputs = count;
    for (int i = 0; i < count; ++i) {
      ValueInfo& info = values_.emplace_back();
      info.meta = results[i];
      info.node = index;
      info.index = i;
    }
    compute(op, inputs, num_inputs, used, node.first_output, count);
  } catch (...) {
    while (num_values() > first) values_.pop_back();
    nodes_.pop_back();
    throw;
  }
  for (int i = 0; i < count; ++i) outputs[i] = Value{first + i};
  return count;
}

Value Builder::emit(const OpDef& op, std::initializer_list<Value> inputs, const Attrs& attrs) {
  std::array<Value, kMaxOutputs> outputs;
  emit(op, inputs.begin(), static_cast<int>(inputs.size()), attrs, outputs.data());
  return outputs[0];
}

Value Builder::constant(const Array& array) {
  return append(NodeKind::constant, array.meta(), array, std::string());
}

Value Builder::constant(double value, DType dtype) {
  Value known;
  if (scratch_ != nullptr) known = scratch_->number(value, dtype);
  if (known.valid()) return known;
  known = constant(scalar_array(value, dtype));
  if (scratch_ != nullptr) scratch_->keep(value, dtype, known);
  return known;
}

void Builder::checkpoint(NodeRange range, const std::vector<Value>& kept) {
  if (range.first < 0 || range.end > num_nodes() || range.first >= range.end) return;
  // Of checkpoints within a checkpoint, only the outer one counts.
  const auto inside = [&](const NodeRange& inner) { return range.contains(inner.first); };
  checkpoints_.erase(std::remove_if(checkpoints_.begin(), checkpoints_.end(), inside),
                     checkpoints_.end());
  checkpoints_.push_back(range);
  for (int32_t i = range.first; i < range.end; ++i) {
    const Node& node = nodes_[static_cast<size_t>(i)];
    if (node.kind != NodeKind::op) continue;
    for (int k = 0; k < node.num_outputs; ++k) {
      const Value value{node.first_output.id + k};
      if (std::find(kept.begin(), kept.end(), value) != kept.end()) continue;
      ValueInfo& info = values_[static_cast<size_t>(value.id)];
      info.recomputed = true;
      forget(info);
    }
  }
}

Value Builder::append(NodeKind kind, const Meta& meta, const Array& array, std::string note) {
  if (scratch_ != nullptr) {
    const Value made = scratch_->add(&meta, 1);
    values_[static_cast<size_t>(made.id)].array = array;
    return made;
  }
  const Value value{num_values()};
  ValueInfo& info = values_.emplace_back();
  info.meta = meta;
  info.node = num_nodes();
  info.array = array;
  try {
    Node& node = nodes_.emplace_back();
    node.kind = kind;
    node.first_output = value;
    node.note = std::move(note);
  } catch (...) {
    values_.pop_back();
    throw;
  }
  return value;
}

}  // namespace fusegrad
