// Builder: the one interface through which gradient rules, layers and transforms emit ops.
//
// It records nodes in creation order, so ids are a topological order. A Tape evaluates each node as
// it is emitted; a Graph only appends it.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <string>
#include <vector>

#include "fusegrad/api.h"
#include "fusegrad/op.h"

namespace fusegrad {

// A result inside one Builder: an index into its values.
struct Value {
  int32_t id = -1;
  bool valid() const { return id >= 0; }
  bool operator==(Value other) const { return id == other.id; }
};

enum class NodeKind : uint8_t { op, input, constant, state };

struct Node {
  NodeKind kind = NodeKind::op;
  const OpDef* op = nullptr;  // null unless kind == op
  Attrs attrs;
  std::vector<Value> inputs;
  Value first_output;  // outputs have consecutive ids
  int num_outputs = 1;
  std::string note;  // shown by print: the name of an input, the rewrite that made the node
};

struct ValueInfo {
  Meta meta;
  int32_t node = -1;
  int32_t index = 0;  // which output of the node
  Array array;        // Tape: the result; Graph: a constant's elements or a state's storage
};

class FUSEGRAD_API Builder {
 public:
  virtual ~Builder() = default;

  // Infers and records `op`; returns how many outputs there are, at most kMaxOutputs. Raises
  // ArgumentError and records nothing where the operands do not fit.
  int emit(const OpDef& op, const Value* inputs, int num_inputs, const Attrs& attrs,
           Value* outputs);
  // The same for an op with one output.
  Value emit(const OpDef& op, std::initializer_list<Value> inputs, const Attrs& attrs = Attrs());

  Value constant(const Array& array);
  Value constant(double value, DType dtype);  // 0-d

  const Meta& meta(Value value) const { return info(value).meta; }
  const ValueInfo& info(Value value) const { return values_[static_cast<size_t>(value.id)]; }
  const Node& producer(Value value) const { return nodes_[static_cast<size_t>(info(value).node)]; }
  int32_t num_nodes() const { return static_cast<int32_t>(nodes_.size()); }
  int32_t num_values() const { return static_cast<int32_t>(values_.size()); }
  const Node& node(int32_t index) const { return nodes_[static_cast<size_t>(index)]; }

 protected:
  Value append(NodeKind kind, const Meta& meta, const Array& array, std::string note);
  // Called after a node is recorded; a Tape evaluates it here.
  virtual void recorded(Node& node) = 0;

  std::deque<Node> nodes_;
  std::deque<ValueInfo> values_;
};

// What a gradient rule sees of one node and how it answers.
class FUSEGRAD_API VjpContext {
 public:
  VjpContext(Builder& builder, const Node& node, const Value* cotangents, const bool* needed,
             Value* results)
      : builder_(builder),
        node_(node),
        cotangents_(cotangents),
        needed_(needed),
        results_(results) {}

  Builder& builder() const { return builder_; }
  const Attrs& attrs() const { return node_.attrs; }
  int num_inputs() const { return static_cast<int>(node_.inputs.size()); }
  Value input(int i) const { return node_.inputs[static_cast<size_t>(i)]; }
  Value output(int i = 0) const { return Value{node_.first_output.id + i}; }
  const Meta& input_meta(int i) const { return builder_.meta(input(i)); }
  // The cotangent of output i; invalid where it is zero (only ops with several outputs see that).
  Value cotangent(int i = 0) const { return cotangents_[i]; }
  bool needs(int i) const { return needed_[i]; }
  // The cotangent of input i, in any shape that sums down to the input's by un-broadcasting.
  void set(int i, Value cotangent) { results_[i] = cotangent; }

 private:
  Builder& builder_;
  const Node& node_;
  const Value* cotangents_;
  const bool* needed_;
  Value* results_;
};

// The cotangents of `xs` for cotangent `seed` of `y`: reverse mode by emitting each node's rule, in
// descending order of node; cotangents of one value are added in the order in which its uses are
// met. A value that `y` does not depend on gets zeros. Works alike on a Tape and on a Graph, to any
// order.
FUSEGRAD_API std::vector<Value> differentiate(Builder& builder, Value y, Value seed,
                                              const std::vector<Value>& xs);

}  // namespace fusegrad
