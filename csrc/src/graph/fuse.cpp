// Fuse: matmul + bias + activation become one dense node, whose epilogue rounds as they would.
//
// A loss and its gradient with respect to the same logits become one node, which visits them once.
//
// A value that something else reads stays a node of its own. The gradients of relu, leaky_relu,
// sigmoid and tanh read the activation's output, so training graphs fuse too.
#include <algorithm>
#include <array>
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
    return !node.attrs().transpose_a && !node.attrs().transpose_b && x.rank() >= 2 &&
           w.rank() == 2 && is_floating(graph_.meta(node.inputs[0]).dtype);
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
      attrs.bfloat16 = matmul->attrs().bfloat16;
      graph_.replace(index, dense_op, inputs, attrs, note(add, "matmul + bias"));
      return true;
    }
    return false;
  }

  bool add_activation(int32_t index) {
    const Node& node = graph_.node(index);
    Attrs attrs;
    if (!activation_of(node, &attrs.activation)) return false;
    if (node.op == &leaky_relu_op) attrs.scalars[0] = node.attrs().scalars[0];
    const Node* source = only_use(node.inputs[0], dense_op);
    if (source == nullptr) {
      source = only_use(node.inputs[0], matmul_op);
      if (source == nullptr || !plain_matmul(*source)) return false;
    } else if (source->attrs().activation != Activation::linear) {
      return false;
    }
    attrs.bfloat16 = source->attrs().bfloat16;
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

// A loss, its gradient and the op that gives (gradient, loss).
struct LossOps {
  const OpDef& loss;
  const OpDef& grad;
  const OpDef& both;
};
const std::array<LossOps, 3> kLosses = {{
    {softmax_cross_entropy_op, softmax_cross_entropy_grad_op, softmax_cross_entropy_with_grad_op},
    {sparse_softmax_cross_entropy_op, sparse_softmax_cross_entropy_grad_op,
     sparse_softmax_cross_entropy_with_grad_op},
    {sigmoid_cross_entropy_op, sigmoid_cross_entropy_grad_op, sigmoid_cross_entropy_with_grad_op},
}};

// Copies a graph with loss and gradient in one node, at the place of the loss. What the gradient's
// cotangent needs moves before it.
class LossFuser {
 public:
  explicit LossFuser(const Graph& graph)
      : rebuild_(graph),
        live_(live_nodes(graph)),
        done_(live_.size(), 0),
        grad_of_(live_.size(), -1) {}

  Graph run() {
    for (int32_t i = 0; i < rebuild_.from.num_nodes(); ++i) find_loss(i);
    for (int32_t i = 0; i < rebuild_.from.num_nodes(); ++i) visit(i);
    rebuild_.finish();
    return std::move(rebuild_.to);
  }

 private:
  static size_t index(int32_t i) { return static_cast<size_t>(i); }

  // Notes the loss that belongs to gradient `grad`, if there is one that does not lead to it.
  void find_loss(int32_t grad) {
    const Node& node = rebuild_.from.node(grad);
    if (live_[index(grad)] == 0 || node.kind != NodeKind::op) return;
    const auto ops = std::find_if(kLosses.begin(), kLosses.end(),
                                  [&](const LossOps& entry) { return node.op == &entry.grad; });
    if (ops == kLosses.end()) return;
    for (int32_t i = grad - 1; i >= 0; --i) {
      const Node& loss = rebuild_.from.node(i);
      if (live_[index(i)] == 0 || loss.op != &ops->loss || grad_of_[index(i)] >= 0) continue;
      if (!std::equal(loss.inputs.begin(), loss.inputs.end(), node.inputs.begin())) continue;
      if (needed(i, node.inputs[2])[0] == 0) grad_of_[index(i)] = grad;
      return;
    }
  }

  // For the nodes from `first` on: whether `value` depends on them.
  std::vector<char> needed(int32_t first, Value value) const {
    const int32_t last = std::max(first, rebuild_.from.info(value).node);
    std::vector<char> flags(index(last - first + 1), 0);
    const auto need = [&](Value operand) {
      const int32_t node = rebuild_.from.info(operand).node;
      if (node >= first) flags[index(node - first)] = 1;
    };
    need(value);
    for (int32_t i = last; i >= first; --i) {
      if (flags[index(i - first)] == 0) continue;
      for (const Value operand : rebuild_.from.node(i).inputs) need(operand);
    }
    return flags;
  }

  void visit(int32_t i) {
    if (live_[index(i)] == 0 || done_[index(i)] != 0) return;
    done_[index(i)] = 1;
    const Node& node = rebuild_.from.node(i);
    const int32_t grad = grad_of_[index(i)];
    if (grad < 0) {
      rebuild_.copy(node);
      return;
    }
    const Node& grad_node = rebuild_.from.node(grad);
    const std::vector<char> before = needed(i, grad_node.inputs[2]);
    for (size_t k = 1; k < before.size(); ++k) {
      if (before[k] != 0) visit(i + static_cast<int32_t>(k));
    }
    done_[index(grad)] = 1;
    const auto ops = std::find_if(kLosses.begin(), kLosses.end(),
                                  [&](const LossOps& entry) { return node.op == &entry.loss; });
    std::vector<Value> inputs;
    for (const Value input : grad_node.inputs) inputs.push_back(rebuild_[input]);
    std::array<Value, kMaxOutputs> outputs;
    Graph& to = rebuild_.to;
    to.emit(ops->both, inputs.data(), static_cast<int>(inputs.size()), Attrs(), outputs.data());
    const std::string note = node.note.empty() ? "" : node.note + "; ";
    to.replace(to.num_nodes() - 1, ops->both, inputs, Attrs(), note + "gradient + loss");
    rebuild_.set(grad_node.first_output, outputs[0]);
    rebuild_.set(node.first_output, outputs[1]);
  }

  Rebuild rebuild_;
  std::vector<char> live_, done_;
  std::vector<int32_t> grad_of_;  // by node: the gradient that a loss gives along with its value
};

}  // namespace

Graph fuse(const Graph& graph) { return LossFuser(Fuser(graph).run()).run(); }

}  // namespace fusegrad
