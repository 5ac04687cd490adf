// Simplify: dead code, equal nodes, constants and no-op views. Every bit of every output is kept,
// so x*0 stays, sums keep their order, and x+0 stays (it changes the sign of -0).
#include <array>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fusegrad/error.h"
#include "fusegrad/graph.h"
#include "graph/rebuild.h"

namespace fusegrad {

namespace {

constexpr int64_t kMaxFolded = 4096;       // elements of a constant that is computed here
constexpr int64_t kMaxComparedBytes = 64;  // constants up to this size are merged when equal

uint64_t mix(uint64_t hash, uint64_t word) {
  hash ^= word + 0x9e3779b97f4a7c15u + (hash << 6) + (hash >> 2);
  return hash * 0xff51afd7ed558ccdu;
}

uint64_t mix(uint64_t hash, const Dims& dims) {
  hash = mix(hash, static_cast<uint64_t>(dims.rank()));
  for (const int64_t size : dims) hash = mix(hash, static_cast<uint64_t>(size));
  return hash;
}

uint64_t hash_of(const OpDef& op, const Attrs& attrs, const std::vector<Value>& inputs) {
  uint64_t hash = mix(0, reinterpret_cast<uintptr_t>(&op));
  for (const Value input : inputs) hash = mix(hash, static_cast<uint64_t>(input.id));
  hash = mix(mix(mix(mix(hash, attrs.shape), attrs.start), attrs.step), attrs.axes);
  for (const double scalar : attrs.scalars) {
    uint64_t bits = 0;
    std::memcpy(&bits, &scalar, sizeof bits);
    hash = mix(hash, bits);
  }
  return hash;
}

class Simplifier {
 public:
  explicit Simplifier(const Graph& graph) : rebuild_(graph) {}

  Graph run() {
    const std::vector<char> live = live_nodes(rebuild_.from);
    for (int32_t i = 0; i < rebuild_.from.num_nodes(); ++i) {
      if (live[static_cast<size_t>(i)] != 0) visit(rebuild_.from.node(i));
    }
    rebuild_.finish();
    return sweep(rebuild_.to);
  }

 private:
  Graph& to() { return rebuild_.to; }

  void visit(const Node& node) {
    if (node.kind == NodeKind::constant) {
      rebuild_.set(node.first_output, constant(rebuild_.from.info(node.first_output).array));
      return;
    }
    if (node.kind != NodeKind::op) {
      rebuild_.copy(node);
      return;
    }
    std::vector<Value> inputs;
    inputs.reserve(node.inputs.size());
    for (const Value input : node.inputs) inputs.push_back(rebuild_[input]);
    if (node.num_outputs == 1) {
      const Value output = node.first_output;
      Value result = without_work(node, inputs, rebuild_.from.meta(output));
      if (!result.valid()) result = folded(node, inputs, rebuild_.from.meta(output));
      if (result.valid()) {
        rebuild_.set(output, result);
        return;
      }
    }
    const int32_t index = unique(node, inputs);
    const Value first = to().node(index).first_output;
    for (int k = 0; k < node.num_outputs; ++k) {
      rebuild_.set(Value{node.first_output.id + k}, Value{first.id + k});
    }
  }

  // The new node for `node`, or an equal one that is already there.
  int32_t unique(const Node& node, const std::vector<Value>& inputs) {
    const bool apart = (node.op->traits & (kRandom | kOpaque)) != 0;
    const uint64_t hash = hash_of(*node.op, node.attrs(), inputs);
    if (!apart) {
      const auto range = known_.equal_range(hash);
      for (auto it = range.first; it != range.second; ++it) {
        const Node& other = to().node(it->second);
        if (other.op == node.op && other.attrs() == node.attrs() &&
            std::equal(inputs.begin(), inputs.end(), other.inputs.begin(), other.inputs.end())) {
          return it->second;
        }
      }
    }
    std::array<Value, kMaxOutputs> outputs;
    to().emit(*node.op, inputs.data(), static_cast<int>(inputs.size()), node.attrs(),
              outputs.data());
    const int32_t index = to().num_nodes() - 1;
    if (!node.note.empty()) {
      to().replace(index, *node.op, inputs, node.attrs(), node.note);
    }
    if (!apart) known_.emplace(hash, index);
    return index;
  }

  Value emit(const OpDef& op, Value input, const Attrs& attrs) {
    Node node;
    node.op = &op;
    node.set_attrs(attrs);
    return to().node(unique(node, {input})).first_output;
  }

  Value constant(const Array& array) {
    if (array.size() * itemsize(array.dtype()) > kMaxComparedBytes) return to().constant(array);
    const Array dense = contiguous(array, array.dtype());
    const size_t bytes = static_cast<size_t>(dense.size() * itemsize(dense.dtype()));
    for (const Value known : small_constants_) {
      const Array& other = to().info(known).array;
      if (other.meta() == dense.meta() &&
          (bytes == 0 || std::memcmp(other.data(), dense.data(), bytes) == 0)) {
        return known;
      }
    }
    const Value value = to().constant(dense);
    small_constants_.push_back(value);
    return value;
  }

  const Node* use_of(Value value, const OpDef& op) {
    const Node& node = to().producer(value);
    return node.kind == NodeKind::op && node.op == &op ? &node : nullptr;
  }

  // An earlier value with the same elements, or a shorter way to them.
  Value without_work(const Node& node, const std::vector<Value>& inputs, const Meta& result) {
    const OpDef* op = node.op;
    const Value x = inputs[0];
    if (op == &identity_op || op == &stop_gradient_op || op == &custom_vjp_op) return x;
    const bool unchanged = to().meta(x) == result;
    if (op == &reshape_op || op == &broadcast_to_op) {
      if (unchanged) return x;
      if (const Node* inner = use_of(x, *op)) {
        const Value source = inner->inputs[0];
        if (to().meta(source) == result) return source;
        Attrs attrs;
        attrs.shape = result.shape;
        return emit(*op, source, attrs);
      }
    } else if (op == &cast_op) {
      if (unchanged) return x;
    } else if (op == &transpose_op) {
      return shorter_transpose(node.attrs(), x);
    } else if (op == &negative_op) {
      if (const Node* inner = use_of(x, negative_op)) return inner->inputs[0];
    } else if (op == &multiply_op || op == &divide_op) {
      if (unchanged && is_one(inputs[1])) return x;
      if (op == &multiply_op && is_one(x) && to().meta(inputs[1]) == result) {
        return inputs[1];
      }
    }
    return Value();
  }

  Value shorter_transpose(const Attrs& attrs, Value x) {
    Value source = x;
    Dims axes = attrs.axes;
    if (axes.rank() != to().meta(x).shape.rank()) return Value();
    const Node* inner = use_of(x, transpose_op);
    if (inner != nullptr && inner->attrs().axes.rank() == axes.rank()) {
      source = inner->inputs[0];
      for (int i = 0; i < axes.rank(); ++i) {
        axes[i] = inner->attrs().axes[static_cast<int>(attrs.axes[i])];
      }
    }
    bool ordered = true;
    for (int i = 0; i < axes.rank(); ++i) ordered = ordered && axes[i] == i;
    if (ordered) return source;
    if (source == x) return Value();
    Attrs composed;
    composed.axes = axes;
    return emit(transpose_op, source, composed);
  }

  // A constant with one element, also stretched or reshaped: that element as a 0-d array.
  bool uniform(Value value, Array* element) {
    const Node* node = &to().producer(value);
    while (node->kind == NodeKind::op &&
           (node->op == &broadcast_to_op || node->op == &reshape_op)) {
      value = node->inputs[0];
      node = &to().producer(value);
    }
    if (node->kind != NodeKind::constant) return false;
    const Array& array = to().info(value).array;
    if (array.size() != 1) return false;
    View view = array.view();
    view.shape = Shape();
    view.strides = Strides();
    *element = Array(array.storage(), view);
    return true;
  }

  bool is_one(Value value) {
    Array element;
    if (!is_floating(to().meta(value).dtype) || !uniform(value, &element)) return false;
    return contiguous(element, DType::float64).view().as<double>()[0] == 1.0;
  }

  // All elements of a small constant.
  bool elements(Value value, Array* array) {
    const Meta& meta = to().meta(value);
    if (num_elements(meta.shape) > kMaxFolded) return false;
    const Node& node = to().producer(value);
    if (node.kind == NodeKind::constant) {
      *array = to().info(value).array;
      return true;
    }
    Array element;
    if (!uniform(value, &element)) return false;
    View view = element.view();
    view.shape = meta.shape;
    view.strides = Strides();
    view.strides.resize(meta.shape.rank(), 0);
    *array = Array(element.storage(), view);
    return true;
  }

  Value stretched(const Array& element, const Shape& shape) {
    const Value value = constant(element);
    if (shape.rank() == 0) return value;
    Attrs attrs;
    attrs.shape = shape;
    return emit(broadcast_to_op, value, attrs);
  }

  // The result as a constant where all operands are: one element where they are all uniform.
  Value folded(const Node& node, const std::vector<Value>& inputs, const Meta& result) {
    const uint32_t traits = node.op->traits;
    if ((traits & (kRandom | kOpaque)) != 0 || node.op == &broadcast_to_op) return Value();
    std::vector<Array> operands(inputs.size());
    bool all_uniform = true;
    for (size_t i = 0; all_uniform && i < inputs.size(); ++i) {
      all_uniform = uniform(inputs[i], &operands[i]);
    }
    const bool moves_only = node.op == &reshape_op || node.op == &transpose_op;
    if (all_uniform && moves_only) return stretched(operands[0], result.shape);
    const bool one_element = all_uniform && (traits & kElementwise) != 0;
    if (!one_element) {
      if (num_elements(result.shape) > kMaxFolded) return Value();
      for (size_t i = 0; i < inputs.size(); ++i) {
        if (!elements(inputs[i], &operands[i])) return Value();
      }
    }
    try {
      std::vector<const Array*> places;
      for (const Array& operand : operands) places.push_back(&operand);
      std::array<Array, kMaxOutputs> outputs;
      evaluate(*node.op, places.data(), static_cast<int>(places.size()), node.attrs(),
               outputs.data());
      if (one_element && outputs[0].rank() == 0) return stretched(outputs[0], result.shape);
      return outputs[0].meta() == result ? constant(outputs[0]) : Value();
    } catch (const ArgumentError&) {
      return Value();  // what is wrong with the operands is said when the program runs
    }
  }

  Rebuild rebuild_;
  std::unordered_multimap<uint64_t, int32_t> known_;
  std::vector<Value> small_constants_;
};

}  // namespace

Graph simplify(const Graph& graph) { return Simplifier(graph).run(); }

}  // namespace fusegrad
