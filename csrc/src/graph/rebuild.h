// Rebuild: what passes that renumber values share: liveness, use counts and copying node by node.
#pragma once

#include <cstdint>
#include <vector>

#include "fusegrad/graph.h"

namespace fusegrad {

// By node: whether an output or an update needs it. Inputs and states always live.
std::vector<char> live_nodes(const Graph& graph);

// By value: operands of live nodes, plus outputs and updates that read it.
std::vector<int32_t> count_uses(const Graph& graph, const std::vector<char>& live);

// Copies a graph node by node under a map from old values to new ones.
class Rebuild {
 public:
  explicit Rebuild(const Graph& source)
      : from(source), map(static_cast<size_t>(source.num_values())) {}

  Value operator[](Value old) const { return map[static_cast<size_t>(old.id)]; }
  void set(Value old, Value value) { map[static_cast<size_t>(old.id)] = value; }

  // Copies a node whose operands are mapped, and maps its outputs.
  void copy(const Node& node);
  // Copies outputs, updates and the list of rewrites: the last step.
  void finish();

  const Graph& from;
  Graph to;
  std::vector<Value> map;
};

// A copy without the dead nodes.
Graph sweep(const Graph& graph);

}  // namespace fusegrad
