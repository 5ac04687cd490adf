// Exactness rewrites: what people write, replaced by the form that keeps its digits.
//
//   log(softmax(z))            -> log_softmax(z)       exp of the largest logit no longer drowns it
//   log(sigmoid(z))            -> log_sigmoid(z)       sigmoid underflows for z < -103 in float32
//   log(1 - sigmoid(z))        -> log_sigmoid(-z)      sigmoid rounds to 1 for z > 17 in float32
//   log(1 + exp(z))            -> softplus(z)          exp overflows for z > 88 in float32
//   1 / (1 + exp(-z))          -> sigmoid(z)           the same
//   cross-entropy of softmax(z) or sigmoid(z) -> cross-entropy from the logits z
//
// A node is replaced in place: it keeps its id, and what it replaces stays for its other users.
// identity() is opaque here: it marks the values that gradients are taken of.
#include <string>
#include <utility>
#include <vector>

#include "fusegrad/graph.h"
#include "graph/print.h"

namespace fusegrad {

namespace {

constexpr int64_t kMaxUniform = 4096;  // longest constant that is searched for one repeated number

class Rewriter {
 public:
  explicit Rewriter(Graph& graph) : graph_(graph) {}

  void visit(int32_t index) {
    index_ = index;
    const Node& node = graph_.node(index);
    if (node.kind != NodeKind::op) return;
    if (node.op == &log_op) {
      visit_log(node.inputs[0]);
    } else if (node.op == &log1p_op) {
      visit_log1p(node.inputs[0]);
    } else if (node.op == &reciprocal_op) {
      visit_inverse(node.inputs[0]);
    } else if (node.op == &divide_op) {
      if (is_number(node.inputs[0], 1.0)) visit_inverse(node.inputs[1]);
    } else {
      visit_loss(node);
    }
  }

 private:
  // The producer of `value` if it is a use of `op`.
  const Node* use_of(Value value, const OpDef& op) const {
    const Node& node = graph_.producer(value);
    return node.kind == NodeKind::op && node.op == &op ? &node : nullptr;
  }

  // Whether every element of `value` is the constant `wanted`.
  bool is_number(Value value, double wanted) const {
    const Node* node = &graph_.producer(value);
    while (node->kind == NodeKind::op &&
           (node->op == &broadcast_to_op || node->op == &reshape_op)) {
      value = node->inputs[0];
      node = &graph_.producer(value);
    }
    if (node->kind != NodeKind::constant) return false;
    const Array& array = graph_.info(value).array;
    if (array.size() == 0 || array.size() > kMaxUniform) return false;
    const Array wide = contiguous(array, DType::float64);
    const double* elements = wide.view().as<double>();
    for (int64_t i = 0; i < wide.size(); ++i) {
      if (elements[i] != wanted) return false;
    }
    return true;
  }

  // value == number + rest
  bool is_sum(Value value, double number, Value* rest) const {
    const Node* add = use_of(value, add_op);
    if (add == nullptr) return false;
    for (size_t i = 0; i < 2; ++i) {
      if (is_number(add->inputs[i], number)) {
        *rest = add->inputs[1 - i];
        return true;
      }
    }
    return false;
  }

  // value == -rest
  bool is_negative(Value value, Value* rest) const {
    if (const Node* negative = use_of(value, negative_op)) {
      *rest = negative->inputs[0];
      return true;
    }
    if (const Node* multiply = use_of(value, multiply_op)) {
      for (size_t i = 0; i < 2; ++i) {
        if (is_number(multiply->inputs[i], -1.0)) {
          *rest = multiply->inputs[1 - i];
          return true;
        }
      }
    }
    if (const Node* subtract = use_of(value, subtract_op)) {
      if (is_number(subtract->inputs[0], 0.0)) {
        *rest = subtract->inputs[1];
        return true;
      }
    }
    if (const Node* divide = use_of(value, divide_op)) {
      if (is_number(divide->inputs[1], -1.0)) {
        *rest = divide->inputs[0];
        return true;
      }
    }
    return false;
  }

  // value == 1 - rest
  bool is_complement(Value value, Value* rest) const {
    if (const Node* subtract = use_of(value, subtract_op)) {
      *rest = subtract->inputs[1];
      return is_number(subtract->inputs[0], 1.0);
    }
    Value negated;
    return is_sum(value, 1.0, &negated) && is_negative(negated, rest);
  }

  // Replaces the visited node, unless a constant that was looked through stretched its shape.
  void fire(const char* pattern, const OpDef& op, Value z, const std::vector<Value>& more,
            const Attrs& attrs, bool same_shape) {
    const Node& node = graph_.node(index_);
    const Value output = node.first_output;
    if (same_shape && graph_.meta(z) != graph_.meta(output)) return;
    std::vector<Value> inputs{z};
    inputs.insert(inputs.end(), more.begin(), more.end());
    graph_.replace(index_, op, inputs, attrs, std::string("was ") + pattern);
    graph_.note_rewrite(value_name(output) + ": " + pattern + " -> " +
                        describe_node(graph_, graph_.node(index_)));
  }

  void visit_log(Value u) {
    if (const Node* softmax = use_of(u, softmax_op)) {
      Attrs attrs;
      attrs.axes = softmax->attrs().axes;
      fire("log(softmax(z))", log_softmax_op, softmax->inputs[0], {}, attrs, true);
      return;
    }
    if (const Node* sigmoid = use_of(u, sigmoid_op)) {
      fire("log(sigmoid(z))", log_sigmoid_op, sigmoid->inputs[0], {}, Attrs(), true);
      return;
    }
    Value rest;
    if (is_complement(u, &rest)) {
      if (const Node* sigmoid = use_of(rest, sigmoid_op)) {
        Attrs attrs;
        attrs.flag = true;
        fire("log(1 - sigmoid(z))", log_sigmoid_op, sigmoid->inputs[0], {}, attrs, true);
        return;
      }
    }
    if (is_sum(u, 1.0, &rest)) {
      if (const Node* exp = use_of(rest, exp_op)) {
        fire("log(1 + exp(z))", softplus_op, exp->inputs[0], {}, Attrs(), true);
      }
    }
  }

  void visit_log1p(Value u) {
    if (const Node* exp = use_of(u, exp_op)) {
      fire("log1p(exp(z))", softplus_op, exp->inputs[0], {}, Attrs(), true);
      return;
    }
    Value rest;
    if (is_negative(u, &rest)) {
      if (const Node* sigmoid = use_of(rest, sigmoid_op)) {
        Attrs attrs;
        attrs.flag = true;
        fire("log1p(-sigmoid(z))", log_sigmoid_op, sigmoid->inputs[0], {}, attrs, true);
      }
    }
  }

  // 1 / u
  void visit_inverse(Value u) {
    Value rest;
    if (!is_sum(u, 1.0, &rest)) return;
    const Node* exp = use_of(rest, exp_op);
    Value z;
    if (exp == nullptr || !is_negative(exp->inputs[0], &z)) return;
    fire("1/(1 + exp(-z))", sigmoid_op, z, {}, Attrs(), true);
  }

  void visit_loss(const Node& node) {
    const bool sparse = node.op == &sparse_categorical_cross_entropy_op;
    if (sparse || node.op == &categorical_cross_entropy_op) {
      const Node* softmax = use_of(node.inputs[0], softmax_op);
      if (softmax == nullptr) return;
      const Value z = softmax->inputs[0];
      const Dims& axes = softmax->attrs().axes;
      const int last = graph_.meta(z).shape.rank() - 1;
      if (axes.rank() != 1 || (axes[0] != last && axes[0] != -1)) return;
      const Value target = node.inputs[1];
      if (sparse) {
        fire("sparse_categorical_cross_entropy(softmax(z), labels)",
             sparse_softmax_cross_entropy_op, z, {target}, Attrs(), false);
      } else {
        fire("categorical_cross_entropy(softmax(z), targets)", softmax_cross_entropy_op, z,
             {target}, Attrs(), false);
      }
    } else if (node.op == &binary_cross_entropy_op) {
      const Node* sigmoid = use_of(node.inputs[0], sigmoid_op);
      if (sigmoid == nullptr) return;
      fire("binary_cross_entropy(sigmoid(z), targets)", sigmoid_cross_entropy_op,
           sigmoid->inputs[0], {node.inputs[1]}, Attrs(), false);
    }
  }

  Graph& graph_;
  int32_t index_ = 0;
};

}  // namespace

void rewrite_exact(Graph& graph) {
  // Ascending, so that a pattern meets operands that are already rewritten.
  Rewriter rewriter(graph);
  for (int32_t i = 0; i < graph.num_nodes(); ++i) rewriter.visit(i);
}

}  // namespace fusegrad
