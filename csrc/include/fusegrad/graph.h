// Graph: a traced computation. Nodes in topological order, named inputs, state that survives a run,
// and outputs. Passes are functions Graph -> Graph, one file each in src/graph/.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fusegrad/api.h"
#include "fusegrad/builder.h"

namespace fusegrad {

class FUSEGRAD_API Graph final : public Builder {
 public:
  Value input(const Meta& meta, std::string name);
  // A variable: its storage is read at every run, and written where update() names it.
  Value state(const Array& array, std::string name);
  void update(Value state, Value new_value);
  void output(Value value, std::string name);

  const std::vector<Value>& inputs() const { return inputs_; }
  const std::vector<Value>& states() const { return states_; }
  const std::vector<Value>& outputs() const { return outputs_; }
  const std::vector<std::string>& output_names() const { return output_names_; }
  const std::vector<std::pair<Value, Value>>& updates() const { return updates_; }

  // Exactness rewrites that fired, as text lines, in order.
  const std::vector<std::string>& rewrites() const { return rewrites_; }
  void note_rewrite(std::string line) { rewrites_.push_back(std::move(line)); }

  // Passes that keep ids may change a node: same outputs, other op and inputs (all of smaller id).
  void replace(int32_t node, const OpDef& op, ValueList inputs, const Attrs& attrs,
               std::string note);

  // One line a node:  %5: float32[32, 25] = matmul(%0, %1)   # note
  std::string text() const;

 protected:
  void compute(const OpDef&, const Value*, int, const Attrs&, Value, int) override {}

 private:
  std::vector<Value> inputs_, states_, outputs_;
  std::vector<std::string> output_names_;
  std::vector<std::pair<Value, Value>> updates_;
  std::vector<std::string> rewrites_;
};

// The named exactness rewrites, in place, so that values held by a trace stay valid:
//   log(softmax z), log(sigmoid z), log(1 - sigmoid z), log(1 + exp z), 1/(1 + exp(-z)),
//   cross-entropy of softmax z, binary cross-entropy of sigmoid z.
// Applied before differentiation, and again when a graph is compiled.
FUSEGRAD_API void rewrite_exact(Graph& graph);

// Passes. Each keeps every bit of every output.
FUSEGRAD_API Graph simplify(const Graph& graph);  // dead code, equal nodes, constants, no-op views
FUSEGRAD_API Graph fuse(const Graph& graph);      // matmul + bias + activation -> dense;
                                                  // loss, gradient -> both at once

}  // namespace fusegrad
