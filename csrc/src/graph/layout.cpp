// Layout: groups of matrices that elementwise ops tie together, each given its cheaper order.
//
// Costs are cycles of one core, roughly. Groups are decided one by one against the others' current
// orders until nothing changes, from two starts; the cheaper end wins.
#include "graph/layout.h"

#include <algorithm>
#include <array>

namespace fusegrad {

namespace {

constexpr double kPackCost = 0.25;    // cycles an element, transposing into a packed panel
constexpr double kStridedCost = 2.0;  // cycles an element, elementwise over two orders
constexpr double kOutputCost = 0.5;   // copying an output to order c
constexpr int kMaxRounds = 4;
constexpr int kFixed = -1;

// How the order of one value is found.
struct Class {
  int group = kFixed;      // union-find node, or kFixed
  bool flipped = false;    // the other order than the group's
  Order order = Order::c;  // where fixed
  bool matrix = false;     // rank 2, both sizes above 1: the order matters
};

Order flip(Order order) { return order == Order::c ? Order::f : Order::c; }

class Chooser {
 public:
  explicit Chooser(const Graph& graph) : graph_(graph) {
    classes_.resize(static_cast<size_t>(graph.num_values()));
    for (int32_t i = 0; i < graph.num_nodes(); ++i) classify(graph.node(i));
    attach();
  }

  Layout run() {
    std::vector<Order> best;
    double best_cost = 0.0;
    for (const Order start : {Order::c, Order::f}) {
      group_order_.assign(parents_.size(), start);
      descend();
      double total = 0.0;
      for (int32_t i = 0; i < graph_.num_nodes(); ++i) total += cost(graph_.node(i));
      for (const Value value : graph_.outputs()) total += output_cost(value);
      if (best.empty() || total < best_cost) {
        best = group_order_;
        best_cost = total;
      }
    }
    group_order_ = best;
    Layout layout;
    for (int32_t id = 0; id < graph_.num_values(); ++id) layout.order.push_back(order(Value{id}));
    return layout;
  }

 private:
  Class& class_of(Value value) { return classes_[static_cast<size_t>(value.id)]; }
  const Class& class_of(Value value) const { return classes_[static_cast<size_t>(value.id)]; }

  int find(int group) const {
    while (parents_[static_cast<size_t>(group)] != group) {
      group = parents_[static_cast<size_t>(group)];
    }
    return group;
  }

  Order order(Value value) const {
    const Class& entry = class_of(value);
    if (entry.group == kFixed) return entry.order;
    const Order group = group_order_[static_cast<size_t>(find(entry.group))];
    return entry.flipped ? flip(group) : group;
  }

  const Shape& shape(Value value) const { return graph_.meta(value).shape; }
  double size(Value value) const { return static_cast<double>(num_elements(shape(value))); }

  void classify(const Node& node) {
    for (int k = 0; k < node.num_outputs; ++k) {
      const Value output{node.first_output.id + k};
      Class& entry = class_of(output);
      const Shape& sizes = shape(output);
      entry.matrix = sizes.rank() == 2 && sizes[0] > 1 && sizes[1] > 1;
      if (!entry.matrix) continue;
      if (node.kind == NodeKind::state) {
        entry.order = stored_order(graph_.info(output).array);
      } else if (node.kind == NodeKind::op) {
        classify_result(node, k, &entry);
      }
    }
  }

  void classify_result(const Node& node, int k, Class* entry) {
    const OpDef& op = *node.op;
    const bool from_matrix = shape(node.inputs[0]).rank() == 2;
    if ((op.traits & kView) != 0) {
      if (&op == &reshape_op || !from_matrix) return;  // c: a view of c, or a copy
      *entry = class_of(node.inputs[0]);
      entry->matrix = true;
      if (&op == &transpose_op && node.attrs().axes.rank() == 2 && node.attrs().axes[0] == 1) {
        entry->flipped = entry->group != kFixed && !entry->flipped;
        entry->order = flip(entry->order);
      }
      return;
    }
    if ((op.traits & (kElementwise | kAnyOrder)) != 0) join_operands(node, k, entry);
    if (entry->group == kFixed) {
      entry->group = static_cast<int>(parents_.size());
      parents_.push_back(entry->group);
    }
  }

  // Ties the result to those operands of its shape that have a choice.
  void join_operands(const Node& node, int k, Class* entry) {
    const Value output{node.first_output.id + k};
    for (const Value input : node.inputs) {
      const Class& operand = class_of(input);
      if (operand.group == kFixed || shape(input) != shape(output)) continue;
      if (entry->group == kFixed) {
        entry->group = find(operand.group);
        entry->flipped = operand.flipped;
      } else if (operand.flipped == entry->flipped) {
        parents_[static_cast<size_t>(find(operand.group))] = find(entry->group);
      }
    }
  }

  // Lists for each group the nodes whose cost it changes.
  void attach() {
    nodes_of_.resize(parents_.size());
    for (int32_t i = 0; i < graph_.num_nodes(); ++i) {
      const Node& node = graph_.node(i);
      if (node.kind != NodeKind::op) continue;
      for (const Value input : node.inputs) attach(i, input);
      for (int k = 0; k < node.num_outputs; ++k) attach(i, Value{node.first_output.id + k});
    }
  }

  void attach(int32_t node, Value value) {
    const int group = class_of(value).group;
    if (group == kFixed) return;
    std::vector<int32_t>& nodes = nodes_of_[static_cast<size_t>(find(group))];
    if (nodes.empty() || nodes.back() != node) nodes.push_back(node);
  }

  void descend() {
    bool changed = true;
    for (int round = 0; changed && round < kMaxRounds; ++round) {
      changed = false;
      for (size_t group = 0; group < parents_.size(); ++group) {
        if (parents_[group] != static_cast<int>(group)) continue;
        const Order before = group_order_[group];
        std::array<double, 2> costs{};
        for (const Order choice : {Order::c, Order::f}) {
          group_order_[group] = choice;
          double& total = costs[choice == Order::c ? 0 : 1];
          for (const int32_t i : nodes_of_[group]) total += cost(graph_.node(i));
          for (const Value value : graph_.outputs()) {
            const int owner = class_of(value).group;
            if (owner != kFixed && find(owner) == static_cast<int>(group)) {
              total += output_cost(value);
            }
          }
        }
        group_order_[group] = costs[1] < costs[0] ? Order::f : Order::c;
        changed = changed || group_order_[group] != before;
      }
    }
  }

  double output_cost(Value value) const {
    return class_of(value).matrix && order(value) == Order::f ? kOutputCost * size(value) : 0.0;
  }

  double cost(const Node& node) const {
    if (node.kind != NodeKind::op) return 0.0;
    const OpDef& op = *node.op;
    if (&op == &matmul_op || &op == &dense_op) return product_cost(node);
    if ((op.traits & kView) != 0) {
      const bool copies = &op == &reshape_op && class_of(node.inputs[0]).matrix &&
                          order(node.inputs[0]) == Order::f;
      return copies ? kStridedCost * size(node.inputs[0]) : 0.0;
    }
    const bool any_order = (op.traits & (kElementwise | kAnyOrder)) != 0;
    double total = 0.0;
    const Value output = node.first_output;
    const Order wanted = any_order && class_of(output).matrix ? order(output) : Order::c;
    for (const Value input : node.inputs) {
      if (!class_of(input).matrix || order(input) == wanted) continue;
      if (!any_order || shape(input) == shape(output)) total += kStridedCost * size(input);
    }
    if (!any_order && class_of(output).matrix && order(output) == Order::f) {
      total += kStridedCost * size(output);
    }
    return total;
  }

  // Lanes run along the contiguous axis of the result; the operand that has this axis is packed
  // where it is not contiguous along it.
  double product_cost(const Node& node) const {
    const Value a = node.inputs[0], b = node.inputs[1], c = node.first_output;
    if (shape(a).rank() != 2 || shape(b).rank() != 2 || shape(c).rank() != 2) return 0.0;
    const double m = static_cast<double>(shape(c)[0]);
    const double n = static_cast<double>(shape(c)[1]);
    const double k = static_cast<double>(shape(a)[node.attrs().transpose_a ? 0 : 1]);
    const int64_t lanes = graph_.meta(c).dtype == DType::float64 ? 8 : 16;
    const double work = m * n * k / static_cast<double>(2 * lanes);
    if (order(c) == Order::f) {
      const bool packed = (order(a) == Order::c) != node.attrs().transpose_a;
      return work / fill(shape(c)[0], lanes) + (packed ? kPackCost * m * k : 0.0);
    }
    const bool packed = (order(b) == Order::f) != node.attrs().transpose_b;
    return work / fill(shape(c)[1], lanes) + (packed ? kPackCost * n * k : 0.0);
  }

  // The part of the lanes that does work.
  static double fill(int64_t length, int64_t lanes) {
    const int64_t padded = std::max<int64_t>(1, (length + lanes - 1) / lanes) * lanes;
    return static_cast<double>(std::max<int64_t>(1, length)) / static_cast<double>(padded);
  }

  const Graph& graph_;
  std::vector<Class> classes_;
  std::vector<int> parents_;
  std::vector<Order> group_order_;
  std::vector<std::vector<int32_t>> nodes_of_;
};

}  // namespace

Order stored_order(const Array& array) {
  const View& view = array.view();
  return view.rank() == 2 && view.f_contiguous() && !view.c_contiguous() ? Order::f : Order::c;
}

Layout plain_layout(const Graph& graph) {
  Layout layout;
  layout.order.assign(static_cast<size_t>(graph.num_values()), Order::c);
  for (const Value state : graph.states()) {
    layout.order[static_cast<size_t>(state.id)] = stored_order(graph.info(state).array);
  }
  return layout;
}

Layout choose_layout(const Graph& graph) { return Chooser(graph).run(); }

}  // namespace fusegrad
