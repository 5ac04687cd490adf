// Builder: the one interface through which gradient rules, layers and transforms emit ops.
//
// It records nodes in creation order, so ids are a topological order. A Tape evaluates each node as
// it is emitted; a Graph only appends it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "fusegrad/api.h"
#include "fusegrad/op.h"
#include "fusegrad/stable_list.h"

namespace fusegrad {

// A result inside one Builder: an index into its values.
struct Value {
  int32_t id = -1;
  bool valid() const { return id >= 0; }
  bool operator==(Value other) const { return id == other.id; }
};

// The operands of a node; a few need no memory of their own.
class ValueList {
 public:
  ValueList() = default;
  ValueList(const Value* values, size_t count) : size_(static_cast<uint32_t>(count)) {
    if (count > kFew) many_ = std::make_unique<Value[]>(count);
    std::copy(values, values + count, data());
  }
  ValueList(const std::vector<Value>& values)  // NOLINT: the same list
      : ValueList(values.data(), values.size()) {}
  ValueList(const ValueList& other) : ValueList(other.begin(), other.size()) {}
  ValueList(ValueList&& other) noexcept = default;
  ValueList& operator=(ValueList other) noexcept {
    size_ = other.size_;
    std::copy(other.few_, other.few_ + kFew, few_);
    many_ = std::move(other.many_);
    return *this;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Value* begin() const { return size_ > kFew ? many_.get() : few_; }
  const Value* end() const { return begin() + size_; }
  Value operator[](size_t i) const { return begin()[i]; }

 private:
  static constexpr size_t kFew = 3;
  Value* data() { return size_ > kFew ? many_.get() : few_; }

  uint32_t size_ = 0;
  Value few_[kFew];
  std::unique_ptr<Value[]> many_;
};

enum class NodeKind : uint8_t { op, input, constant, state };

struct Node {
  Node() = default;
  Node(const Node& other)
      : kind(other.kind),
        num_outputs(other.num_outputs),
        op(other.op),
        inputs(other.inputs),
        first_output(other.first_output),
        note(other.note) {
    set_attrs(other.attrs());
  }
  Node(Node&& other) noexcept = default;
  Node& operator=(Node&& other) noexcept = default;

  const Attrs& attrs() const { return attrs_ == nullptr ? Attrs::none() : *attrs_; }
  void set_attrs(const Attrs& attrs) {
    attrs_ = &attrs == &Attrs::none() ? nullptr : std::make_unique<Attrs>(attrs);
  }
  void set_attrs(std::unique_ptr<Attrs> attrs) { attrs_ = std::move(attrs); }

  NodeKind kind = NodeKind::op;
  int num_outputs = 1;
  const OpDef* op = nullptr;  // null unless kind == op
  ValueList inputs;
  Value first_output;  // outputs have consecutive ids
  std::string note;    // shown by print: the name of an input, the rewrite that made the node

 private:
  std::unique_ptr<Attrs> attrs_;  // null: the defaults
};

struct ValueInfo {
  Meta meta;
  int32_t node = -1;        // which made it; -1 where that is not recorded
  int32_t index = 0;        // which output of the node
  bool recomputed = false;  // by what takes gradients; a Tape does not keep it
  Array array;              // Tape: the result; Graph: a constant's elements or a state's storage
};

// Nodes [first, end).
struct NodeRange {
  int32_t first = 0;
  int32_t end = 0;
  bool contains(int32_t node) const { return node >= first && node < end; }
};

class Scratch;

class FUSEGRAD_API Builder {
 public:
  virtual ~Builder() = default;

  // Infers and records `op`; returns how many outputs there are, at most kMaxOutputs. Raises
  // ArgumentError and records nothing where the operands do not fit.
  int emit(const OpDef& op, const Value* inputs, int num_inputs, const Attrs& attrs,
           Value* outputs);
  // The same for an op with one output.
  Value emit(const OpDef& op, std::initializer_list<Value> inputs,
             const Attrs& attrs = Attrs::none());

  Value constant(const Array& array);
  Value constant(double value, DType dtype);  // 0-d

  const Meta& meta(Value value) const { return info(value).meta; }
  const ValueInfo& info(Value value) const { return values_[static_cast<size_t>(value.id)]; }
  // Of a value that is recorded.
  const Node& producer(Value value) const { return nodes_[static_cast<size_t>(info(value).node)]; }
  Scratch* scratch() const { return scratch_; }
  int32_t num_nodes() const { return static_cast<int32_t>(nodes_.size()); }
  // From here on, what the ops of `range` gave is not kept, but for the values `kept`: gradients
  // are taken of an equal computation, which is made anew from what the range reads.
  void checkpoint(NodeRange range, const std::vector<Value>& kept);
  const std::vector<NodeRange>& checkpoints() const { return checkpoints_; }  // disjoint

  int32_t num_values() const { return static_cast<int32_t>(values_.size()); }
  const Node& node(int32_t index) const { return nodes_[static_cast<size_t>(index)]; }

 protected:
  Value append(NodeKind kind, const Meta& meta, const Array& array, std::string note);
  // Called for each op, whose outputs follow `first`; a Tape evaluates it here.
  virtual void compute(const OpDef& op, const Value* inputs, int num_inputs, const Attrs& attrs,
                       Value first, int num_outputs) = 0;
  // Called where a value is not needed any more before gradients are taken.
  virtual void forget(ValueInfo&) {}

  StableList<Node> nodes_;
  StableList<ValueInfo> values_;
  std::vector<NodeRange> checkpoints_;
  Scratch* scratch_ = nullptr;  // where it is set, ops go there and are not recorded
};

// What a gradient rule sees of one node and how it answers.
class FUSEGRAD_API VjpContext {
 public:
  VjpContext(Builder& builder, const Attrs& attrs, const std::vector<Value>& inputs,
             Value first_output, const Value* cotangents, const bool* needed, Value* results)
      : builder_(builder),
        attrs_(attrs),
        inputs_(inputs),
        first_output_(first_output),
        cotangents_(cotangents),
        needed_(needed),
        results_(results) {}

  Builder& builder() const { return builder_; }
  const Attrs& attrs() const { return attrs_; }
  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  Value input(int i) const { return inputs_[static_cast<size_t>(i)]; }
  Value output(int i = 0) const { return Value{first_output_.id + i}; }
  const Meta& input_meta(int i) const { return builder_.meta(input(i)); }
  // The cotangent of output i; invalid where it is zero (only ops with several outputs see that).
  Value cotangent(int i = 0) const { return cotangents_[i]; }
  bool needs(int i) const { return needed_[i]; }
  // The cotangent of input i, in any shape that sums down to the input's by un-broadcasting.
  void set(int i, Value cotangent) { results_[i] = cotangent; }

 private:
  Builder& builder_;
  const Attrs& attrs_;
  const std::vector<Value>& inputs_;
  Value first_output_;
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

// The same for several `ys`, whose contributions are added. The nodes may be those of a Tape `from`
// that has ended: the rules are emitted on `into`, where the seeds lie, and take what they need of
// `from` as constants. Only nodes `within` the ranges count, all of them where there are none.
// Where no y depends on an x, its cotangent is not valid.
FUSEGRAD_API std::vector<Value> differentiate(Builder& into, const Builder& from,
                                              const std::vector<Value>& ys,
                                              const std::vector<Value>& seeds,
                                              const std::vector<Value>& xs,
                                              const std::vector<NodeRange>& within);

}  // namespace fusegrad
