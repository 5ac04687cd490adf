// Fuse: matmul + bias + activation become one dense node, whose epilogue rounds as they would.
//
// A value that something else reads stays a node of its own. The gradients of relu, leaky_relu,
// sigmoid and tanh read the activation's output, so training graphs fuse too.
#include <string>
#include <utility>
#include <vector>

#include "fusegrad/graph.h"
#include "graph/rebuild.h"

namespace fusegrad {

namespace {

bool activation_of(const Node& node, Activation* activation) {
  if (node.op == &relu_op) {
    *activation = Activation::relu;
  } else if (node.op == &leaky_relu_op) {
    *activation = Activation::leaky_relu;
  } else if (node.op == &sigmoid_op) {
    *activation = Activation::sigmoid;
  } else if (node.op == &tanh_op) {
    *activation = Activation::tanh;
  } else if (node.op == &softplus_op) {
    *activation = Activation::softplus;
  } else {
    return false;
  }
  return true;
}

class Fuser {
 public:
  explicit Fuser(const Graph& graph)
      : graph_(graph), live_(live_nodes(graph)), uses_(count_uses(graph, live_)) {}

  Graph run() {
    for (int32_t i = 0; i < graph_.num_nodes(); ++i) {
      if (live_[static_cast<size_t>(i)] == 0 || graph_.node(i).kind != NodeKind::op) continue;
      if (!add_bias(i)) add_activation(i);
    }
    return sweep(graph_);
  }

 private:
  // The producer of `value` if it is a use of `op` that nothing else reads.
  const Node* only_use(Value value, const OpDef& op) const {
    const Node& node = graph_.producer(value);
    const bool single = uses_[static_cast<size_t>(value.id)] == 1;
    return single && node.kind == NodeKind::op && node.op == &op ? &node : nullptr;
  }

  bool plain_matmul(const Node& node) const {
    const Shape& x = graph_.meta(node.inputs[0]).shape;
    const Shape& w = graph_.meta(node.inputs[1]).shape;
    return !node.attrs.transpose_a && !node.attrs.transpose_b && x.rank() >= 2 && w.rank() == 2 &&
           is_floating(graph_.meta(node.inputs[0]).dtype);
  }

  bool add_bias(int32_t index) {
    const Node& add = graph_.node(index);
    if (add.op != &add_op) return false;
    for (size_t i = 0; i < 2; ++i) {
      const Value product = add.inputs[i];
      const Value bias = add.inputs[1 - i];
      const Node* matmul = only_use(product, matmul_op);
      if (matmul == nullptr || !plain_matmul(*matmul)) continue;
      const Shape& shape = graph_.meta(product).shape;
      const Shape& bias_shape = graph_.meta(bias).shape;
      if (bias_shape.rank() != 1 || bias_shape[0] != shape.back()) continue;
      std::vector<Value> inputs{matmul->inputs[0], matmul->inputs[1], bias};
      Attrs attrs;
      attrs.bfloat16 = matmul->attrs.bfloat16;
      graph_.replace(index, dense_op, std::move(inputs), attrs, note(add, "matmul + bias"));
      return true;
    }
    return false;
  }

  bool add_activation(int32_t index) {
    const Node& node = graph_.node(index);
    Attrs attrs;
    if (!activation_of(node, &attrs.activation)) return false;
    if (node.op == &leaky_relu_op) attrs.scalars[0] = node.attrs.scalars[0];
    const Node* source = only_use(node.inputs[0], dense_op);
    if (source == nullptr) {
      source = only_use(node.inputs[0], matmul_op);
      if (source == nullptr || !plain_matmul(*source)) return false;
    } else if (source->attrs.activation != Activation::linear) {
      return false;
    }
    attrs.bfloat16 = source->attrs.bfloat16;
    const char* parts = source->inputs.size() == 3 ? "matmul + bias + " : "matmul + ";
    const std::string text = note(node, std::string(parts) + node.op->name);
    graph_.replace(index, dense_op, source->inputs, attrs, text);
    return true;
  }

  static std::string note(const Node& node, const std::string& parts) {
    return node.note.empty() ? parts : node.note + "; " + parts;
  }

  Graph graph_;
  std::vector<char> live_;
  std::vector<int32_t> uses_;
};

}  // namespace

Graph fuse(const Graph& graph) { return Fuser(graph).run(); }

}  // namespace fusegrad
