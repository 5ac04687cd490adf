// Print: one line a node, then what the graph gives, updates and rewrote.
#include "graph/print.h"

#include <cstdio>
#include <cstdlib>

#include "fusegrad/callback.h"

namespace fusegrad {

namespace {

constexpr int64_t kShownElements = 4;

// The shortest text that reads back as the same number.
std::string number(double value) {
  char buffer[40];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(buffer, sizeof buffer, "%.*g", digits, value);
    if (std::strtod(buffer, nullptr) == value) break;
  }
  return buffer;
}

std::string list(const Dims& dims) {
  std::string text = "[";
  for (int i = 0; i < dims.rank(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(dims[i]);
  }
  return text + "]";
}

const char* activation_name(Activation activation) {
  constexpr const char* kNames[] = {"linear", "relu", "leaky_relu", "sigmoid", "tanh", "softplus"};
  return kNames[static_cast<int>(activation)];
}

std::string attributes(const OpDef& op, const Attrs& attrs, DType result) {
  std::string text;
  const auto add = [&text](const std::string& item) { text += ", " + item; };
  if (attrs.start.rank() > 0) add("start=" + list(attrs.start));
  if (attrs.step.rank() > 0) add("step=" + list(attrs.step));
  if (attrs.shape.rank() > 0) add("shape=" + list(attrs.shape));
  if (attrs.axes.rank() > 0) add("axes=" + list(attrs.axes));
  int scalars = 4;
  while (scalars > 0 && attrs.scalars[scalars - 1] == 0.0) --scalars;
  if (scalars > 0) {
    std::string items;
    for (int i = 0; i < scalars; ++i) {
      if (i > 0) items += ", ";
      items += number(attrs.scalars[i]);
    }
    add("scalars=[" + items + "]");
  }
  if ((op.traits & kRandom) != 0 && &op != &barrier_op) {
    add("seed=" + std::to_string(attrs.seed));
    add("stream=" + std::to_string(attrs.stream));
  }
  if (attrs.dtype != DType::float32 && attrs.dtype == result) {
    add(std::string("dtype=") + name(attrs.dtype));
  }
  if (attrs.activation != Activation::linear) {
    add(std::string("activation=") + activation_name(attrs.activation));
  }
  if (attrs.all_axes) add("all_axes");
  if (attrs.keepdims) add("keepdims");
  if (attrs.transpose_a) add("transpose_a");
  if (attrs.transpose_b) add("transpose_b");
  if (attrs.flag) add("flag");
  if (attrs.bfloat16) add("bfloat16");
  if (&op == &callback_op) add(static_cast<const Callback*>(attrs.data.get())->name);
  return text;
}

std::string constant_text(const Array& array) {
  if (!array.defined() || array.size() > kShownElements) return "constant";
  const Array wide = contiguous(array, DType::float64);
  std::string text = "constant(";
  for (int64_t i = 0; i < wide.size(); ++i) {
    if (i > 0) text += ", ";
    text += number(wide.view().as<double>()[i]);
  }
  return text + ")";
}

}  // namespace

std::string meta_text(const Meta& meta) { return std::string(name(meta.dtype)) + list(meta.shape); }

std::string value_name(Value value) { return "%" + std::to_string(value.id); }

std::string describe_node(const Graph& graph, const Node& node) {
  switch (node.kind) {
    case NodeKind::input: return "input";
    case NodeKind::state: return "state";
    case NodeKind::constant: return constant_text(graph.info(node.first_output).array);
    case NodeKind::op: break;
  }
  std::string text = std::string(node.op->name) + "(";
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (i > 0) text += ", ";
    text += value_name(node.inputs[i]);
  }
  return text + attributes(*node.op, node.attrs(), graph.meta(node.first_output).dtype) + ")";
}

std::string print_graph(const Graph& graph, const Layout* layout) {
  std::string text;
  for (int32_t i = 0; i < graph.num_nodes(); ++i) {
    const Node& node = graph.node(i);
    for (int k = 0; k < node.num_outputs; ++k) {
      const Value value{node.first_output.id + k};
      if (k > 0) text += ", ";
      text += value_name(value) + ": " + meta_text(graph.meta(value));
      if (layout != nullptr && graph.meta(value).shape.rank() == 2) {
        text += layout->of(value) == Order::f ? " F" : " C";
      }
    }
    text += " = " + describe_node(graph, node);
    if (!node.note.empty()) text += "   # " + node.note;
    text += "\n";
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    text += "output " + graph.output_names()[i] + " = " + value_name(graph.outputs()[i]) + "\n";
  }
  for (const auto& [state, value] : graph.updates()) {
    text += "update " + value_name(state) + " <- " + value_name(value) + "   # " +
            graph.producer(state).note + "\n";
  }
  if (!graph.rewrites().empty()) {
    text += "rewrites, by the names of the traced graph:\n";
    for (const std::string& line : graph.rewrites()) text += "  " + line + "\n";
  }
  return text;
}

}  // namespace fusegrad
