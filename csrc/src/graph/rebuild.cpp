// Rebuild: copying the live part of a graph.
#include "graph/rebuild.h"

#include <array>
#include <utility>

namespace fusegrad {

std::vector<char> live_nodes(const Graph& graph) {
  std::vector<char> live(static_cast<size_t>(graph.num_nodes()), 0);
  const auto need = [&](Value value) { live[static_cast<size_t>(graph.info(value).node)] = 1; };
  for (const Value value : graph.outputs()) need(value);
  for (const auto& update : graph.updates()) need(update.second);
  for (int32_t i = graph.num_nodes() - 1; i >= 0; --i) {
    const Node& node = graph.node(i);
    if (node.kind == NodeKind::input || node.kind == NodeKind::state) {
      live[static_cast<size_t>(i)] = 1;
    } else if (live[static_cast<size_t>(i)] != 0) {
      for (const Value input : node.inputs) need(input);
    }
  }
  return live;
}

std::vector<int32_t> count_uses(const Graph& graph, const std::vector<char>& live) {
  std::vector<int32_t> uses(static_cast<size_t>(graph.num_values()), 0);
  const auto use = [&](Value value) { ++uses[static_cast<size_t>(value.id)]; };
  for (int32_t i = 0; i < graph.num_nodes(); ++i) {
    if (live[static_cast<size_t>(i)] == 0) continue;
    for (const Value input : graph.node(i).inputs) use(input);
  }
  for (const Value value : graph.outputs()) use(value);
  for (const auto& update : graph.updates()) use(update.second);
  return uses;
}

void Rebuild::copy(const Node& node) {
  switch (node.kind) {
    case NodeKind::input:
      set(node.first_output, to.input(from.meta(node.first_output), node.note));
      return;
    case NodeKind::state:
      set(node.first_output, to.state(from.info(node.first_output).array, node.note));
      return;
    case NodeKind::constant:
      set(node.first_output, to.constant(from.info(node.first_output).array));
      return;
    case NodeKind::op: break;
  }
  std::vector<Value> inputs;
  inputs.reserve(node.inputs.size());
  for (const Value input : node.inputs) inputs.push_back((*this)[input]);
  std::array<Value, kMaxOutputs> outputs;
  const int count = to.emit(*node.op, inputs.data(), static_cast<int>(inputs.size()), node.attrs(),
                            outputs.data());
  for (int k = 0; k < count; ++k) {
    set(Value{node.first_output.id + k}, outputs[static_cast<size_t>(k)]);
  }
  if (!node.note.empty()) {
    to.replace(to.num_nodes() - 1, *node.op, inputs, node.attrs(), node.note);
  }
}

void Rebuild::finish() {
  for (size_t i = 0; i < from.outputs().size(); ++i) {
    to.output((*this)[from.outputs()[i]], from.output_names()[i]);
  }
  for (const auto& [state, value] : from.updates()) to.update((*this)[state], (*this)[value]);
  for (const std::string& line : from.rewrites()) to.note_rewrite(line);
}

Graph sweep(const Graph& graph) {
  const std::vector<char> live = live_nodes(graph);
  Rebuild rebuild(graph);
  for (int32_t i = 0; i < graph.num_nodes(); ++i) {
    if (live[static_cast<size_t>(i)] != 0) rebuild.copy(graph.node(i));
  }
  rebuild.finish();
  return std::move(rebuild.to);
}

}  // namespace fusegrad
