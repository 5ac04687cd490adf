// Batch: a graph that was traced for one example, run for a batch of them.
//
// Each op says by its batch rule what it is for operands that have an axis more, in front, which
// counts the examples. A rule emits ops, as a gradient rule does, and gives each example the bits
// that the op gives it alone.
#pragma once

#include <cstdint>
#include <vector>

#include "fusegrad/api.h"
#include "fusegrad/graph.h"

namespace fusegrad {

constexpr int kUnbatched = -1;

// A value for all examples: `axis` counts them, or the value is the same for each.
struct BatchedValue {
  Value value;
  int axis = kUnbatched;
};

// What a batch rule sees of one node and how it answers. At least one operand is batched.
class FUSEGRAD_API BatchContext {
 public:
  BatchContext(Builder& builder, const Graph& example, const Node& node, int64_t size,
               const BatchedValue* operands, BatchedValue* results)
      : builder_(builder),
        example_(example),
        node_(node),
        size_(size),
        operands_(operands),
        results_(results) {}

  Builder& builder() const { return builder_; }
  const OpDef& op() const { return *node_.op; }
  const Attrs& attrs() const { return node_.attrs(); }  // as infer left them for one example
  int64_t size() const { return size_; }                // the number of examples
  int num_inputs() const { return static_cast<int>(node_.inputs.size()); }
  // Operand i; where it is batched, its axis 0 counts the examples.
  Value input(int i) const { return operands_[i].value; }
  bool batched(int i) const { return operands_[i].axis != kUnbatched; }
  // The operand and the result of one example.
  const Meta& example(int i) const { return example_.meta(node_.inputs[static_cast<size_t>(i)]); }
  const Meta& example_output(int i = 0) const {
    return example_.meta(Value{node_.first_output.id + i});
  }

  // Operand i with the batch axis, broadcast along it where it had none.
  Value full(int i) const;
  // Operand i so that it broadcasts with batched operands of `rank` axes an example.
  Value aligned(int i, int rank) const;
  // `shape` with the batch axis in front.
  Shape with_batch(const Shape& shape) const;

  // Result i, with the batch axis in front.
  void set(int i, Value value) { results_[i] = {value, 0}; }
  // Emits the node's op and sets its results.
  void emit(const std::vector<Value>& inputs, const Attrs& attrs);

 private:
  Builder& builder_;
  const Graph& example_;
  const Node& node_;
  int64_t size_;
  const BatchedValue* operands_;
  BatchedValue* results_;
};

// Rules that families of ops share.
// Operands broadcast; no attribute counts axes: elementwise ops.
FUSEGRAD_API void batch_broadcasting(BatchContext& context);
// Axes in front of those that the op is about go through, and all operands have them.
FUSEGRAD_API void batch_leading(BatchContext& context);
// As batch_leading, and attrs.axes counts axes from the front.
FUSEGRAD_API void batch_axes(BatchContext& context);

// Which values of a graph differ between examples, while it is traced.
class FUSEGRAD_API BatchedSet {
 public:
  void add(Value input);
  bool contains(Value value) const;
  // Follows them through the nodes since the last call. Raises ArgumentError for an op without a
  // rule.
  void follow(const Graph& example);

 private:
  std::vector<char> members_;  // by value
  int32_t next_ = 0;           // node
};

// Records on `to`, for `size` examples at once, what `outputs` of `example` need. `inputs` are its
// inputs, in their order, on `to`; the outputs get the axes `axes`, which may be kUnbatched for
// what is the same for each example.
FUSEGRAD_API std::vector<Value> batch(const Graph& example, int64_t size,
                                      const std::vector<BatchedValue>& inputs,
                                      const std::vector<Value>& outputs,
                                      const std::vector<int>& axes, Builder& to);

// The same for arrays, now; what later nodes do not need is freed.
struct BatchedArray {
  Array array;
  int axis = kUnbatched;
};
FUSEGRAD_API std::vector<Array> evaluate_batch(const Graph& example, int64_t size,
                                               const std::vector<BatchedArray>& inputs,
                                               const std::vector<Value>& outputs,
                                               const std::vector<int>& axes);

}  // namespace fusegrad
