// Batch: replays the graph of one example by each op's batch rule.
//
// Nodes that no batched value reaches are emitted as they are, once for all examples. See batch.h.
#include "fusegrad/batch.h"

#include <algorithm>
#include <array>
#include <string>

#include "fusegrad/emit.h"
#include "fusegrad/error.h"
#include "fusegrad/tape.h"
#include "graph/print.h"

namespace fusegrad {

namespace {

void require_rule(const Node& node) {
  if (node.op->batch != nullptr) return;
  throw ArgumentError("vmap()", "fun",
                      "ops with a batching rule (use a loop and ops.stack, or in_axes=None for the"
                      " operands of this one)",
                      std::string("op '") + node.op->name + "', which has none");
}

class Replay {
 public:
  // `scratch` is null, or `to`, whose values nobody else will read.
  Replay(const Graph& example, int64_t size, Builder& to, Tape* scratch)
      : example_(example),
        size_(size),
        to_(to),
        graph_(dynamic_cast<Graph*>(&to)),
        scratch_(scratch),
        map_(static_cast<size_t>(example.num_values())),
        uses_(static_cast<size_t>(example.num_values()), 0),
        live_(static_cast<size_t>(example.num_nodes()), 0) {}

  std::vector<Value> run(const std::vector<BatchedValue>& inputs, const std::vector<Value>& outputs,
                         const std::vector<int>& axes) {
    count_uses(outputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Value input = example_.inputs()[i];
      if (uses_[index(input)] == 0) continue;
      const bool batched = inputs[i].axis != kUnbatched;
      const Value value =
          batched ? emit::move_axis(to_, inputs[i].value, inputs[i].axis, 0) : inputs[i].value;
      hold(input, {value, batched ? 0 : kUnbatched});
    }
    for (int32_t i = 0; i < example_.num_nodes(); ++i) {
      const Node& node = example_.node(i);
      if (live_[static_cast<size_t>(i)] != 0) {
        visit(node);
      } else if (graph_ != nullptr && rewritten(node.note)) {
        note_once(pattern_of(node.note) + " -> " + node.op->name + kInGradients);
      }
    }
    if (graph_ != nullptr) {
      for (const std::string& line : example_.rewrites()) {
        if (line.find(kInGradients) != std::string::npos) note_once(line);
      }
    }
    std::vector<Value> results;
    results.reserve(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) results.push_back(finish(outputs[i], axes[i]));
    return results;
  }

 private:
  static size_t index(Value value) { return static_cast<size_t>(value.id); }
  BatchedValue& mapped(Value value) { return map_[index(value)]; }

  void count_uses(const std::vector<Value>& outputs) {
    const auto need = [this](Value value) {
      ++uses_[index(value)];
      live_[static_cast<size_t>(example_.info(value).node)] = 1;
    };
    for (const Value output : outputs) need(output);
    for (int32_t i = example_.num_nodes() - 1; i >= 0; --i) {
      if (live_[static_cast<size_t>(i)] == 0) continue;
      for (const Value input : example_.node(i).inputs) need(input);
    }
  }

  void visit(const Node& node) {
    const int32_t first = to_.num_values();
    switch (node.kind) {
      case NodeKind::input: return;
      case NodeKind::state:  // a nested trace reads variables from the recorder around it
      case NodeKind::constant:
        hold(node.first_output, {to_.constant(example_.info(node.first_output).array)});
        return;
      case NodeKind::op: break;
    }
    operands_.clear();
    bool batched = false;
    for (const Value input : node.inputs) {
      operands_.push_back(mapped(input));
      batched = batched || operands_.back().axis != kUnbatched;
    }
    std::array<BatchedValue, kMaxOutputs> results;
    if (batched) {
      require_rule(node);
      BatchContext context(to_, example_, node, size_, operands_.data(), results.data());
      node.op->batch(context);
    } else {
      std::vector<Value> inputs;
      inputs.reserve(operands_.size());
      for (const BatchedValue& operand : operands_) inputs.push_back(operand.value);
      std::array<Value, kMaxOutputs> values;
      to_.emit(*node.op, inputs.data(), static_cast<int>(inputs.size()), node.attrs(),
               values.data());
      for (size_t i = 0; i < values.size(); ++i) results[i].value = values[i];
    }
    for (int i = 0; i < node.num_outputs; ++i) {
      hold(Value{node.first_output.id + i}, results[static_cast<size_t>(i)]);
    }
    for (const Value input : node.inputs) drop(input);
    if (graph_ != nullptr && !node.note.empty()) tell(results[0].value, node.note);
    if (scratch_ == nullptr) return;
    owners_.resize(static_cast<size_t>(to_.num_values()), 0);
    for (int32_t id = first; id < to_.num_values(); ++id) {
      if (owners_[static_cast<size_t>(id)] == 0) scratch_->release(Value{id});
    }
  }

  Value finish(Value output, int axis) {
    const BatchedValue& result = mapped(output);
    if (result.axis != kUnbatched) {
      return emit::move_axis(to_, result.value, 0, axis);
    }
    if (axis == kUnbatched) return result.value;
    Shape shape = to_.meta(result.value).shape;
    shape.insert(axis, 1);
    const Value one = emit::reshape(to_, result.value, shape);
    shape[axis] = size_;
    return emit::broadcast_to(to_, one, shape);
  }

  // What an exactness rewrite left at a node of the example, said of what became of it.
  void tell(Value value, const std::string& note) {
    const int32_t index = graph_->info(value).node;
    const Node made = graph_->node(index);
    if (made.kind != NodeKind::op) return;
    graph_->replace(index, *made.op, made.inputs, made.attrs(), note);
    graph_->note_rewrite(value_name(value) + ": " + pattern_of(note) + " -> " +
                         describe_node(*graph_, made));
  }
  static bool rewritten(const std::string& note) { return note.rfind("was ", 0) == 0; }
  static std::string pattern_of(const std::string& note) {
    return rewritten(note) ? note.substr(4) : note;
  }
  // Of a rewritten value that only gradients were taken of.
  void note_once(const std::string& line) {
    const std::vector<std::string>& known = graph_->rewrites();
    if (std::find(known.begin(), known.end(), line) == known.end()) graph_->note_rewrite(line);
  }
  static constexpr const char* kInGradients = ", in gradients";

  // Values of the example own values of a scratch tape: what nobody owns is freed.
  void hold(Value value, const BatchedValue& result) {
    mapped(value) = result;
    if (scratch_ == nullptr) return;
    owners_.resize(static_cast<size_t>(to_.num_values()), 0);
    if (uses_[index(value)] > 0) ++owners_[index(result.value)];
  }
  void drop(Value value) {
    if (scratch_ == nullptr || --uses_[index(value)] > 0) return;
    const Value owned = mapped(value).value;
    if (--owners_[index(owned)] == 0) scratch_->release(owned);
  }

  const Graph& example_;
  int64_t size_;
  Builder& to_;
  Graph* graph_;  // `to`, or null
  Tape* scratch_;
  std::vector<BatchedValue> map_;
  std::vector<int32_t> uses_;
  std::vector<char> live_;
  std::vector<int32_t> owners_;  // by value of `to`
  std::vector<BatchedValue> operands_;
};

}  // namespace

std::vector<Value> batch(const Graph& example, int64_t size,
                         const std::vector<BatchedValue>& inputs, const std::vector<Value>& outputs,
                         const std::vector<int>& axes, Builder& to) {
  return Replay(example, size, to, nullptr).run(inputs, outputs, axes);
}

std::vector<Array> evaluate_batch(const Graph& example, int64_t size,
                                  const std::vector<BatchedArray>& inputs,
                                  const std::vector<Value>& outputs, const std::vector<int>& axes) {
  Tape tape;
  std::vector<BatchedValue> values;
  values.reserve(inputs.size());
  for (const BatchedArray& input : inputs) values.push_back({tape.watch(input.array), input.axis});
  std::vector<Array> results;
  results.reserve(outputs.size());
  for (const Value value : Replay(example, size, tape, &tape).run(values, outputs, axes)) {
    results.push_back(tape.array(value));
  }
  return results;
}

void BatchedSet::add(Value input) {
  const size_t index = static_cast<size_t>(input.id);
  if (members_.size() <= index) members_.resize(index + 1, 0);
  members_[index] = 1;
}

bool BatchedSet::contains(Value value) const {
  const size_t index = static_cast<size_t>(value.id);
  return index < members_.size() && members_[index] != 0;
}

void BatchedSet::follow(const Graph& example) {
  while (next_ < example.num_nodes()) {
    const Node& node = example.node(next_++);
    bool batched = false;
    for (const Value input : node.inputs) batched = batched || contains(input);
    if (!batched) continue;
    require_rule(node);
    for (int i = 0; i < node.num_outputs; ++i) add(Value{node.first_output.id + i});
  }
}

// ---- what rules are made of

Shape BatchContext::with_batch(const Shape& shape) const {
  Shape result = shape;
  result.insert(0, size_);
  return result;
}

Value BatchContext::full(int i) const {
  return batched(i) ? input(i)
                    : emit::broadcast_to(builder_, input(i), with_batch(example(i).shape));
}

Value BatchContext::aligned(int i, int rank) const {
  const Shape& own = example(i).shape;
  if (!batched(i) || own.rank() == rank) return input(i);
  Shape shape;
  shape.resize(rank - own.rank(), 1);
  for (const int64_t size : own) shape.push_back(size);
  return emit::reshape(builder_, input(i), with_batch(shape));
}

void BatchContext::emit(const std::vector<Value>& inputs, const Attrs& attrs) {
  std::array<Value, kMaxOutputs> outputs;
  const int count =
      builder_.emit(op(), inputs.data(), static_cast<int>(inputs.size()), attrs, outputs.data());
  for (int i = 0; i < count; ++i) set(i, outputs[static_cast<size_t>(i)]);
}

void batch_broadcasting(BatchContext& c) {
  const int rank = c.example_output().shape.rank();
  std::vector<Value> inputs;
  for (int i = 0; i < c.num_inputs(); ++i) inputs.push_back(c.aligned(i, rank));
  c.emit(inputs, c.attrs());
}

void batch_leading(BatchContext& c) {
  std::vector<Value> inputs;
  for (int i = 0; i < c.num_inputs(); ++i) inputs.push_back(c.full(i));
  c.emit(inputs, c.attrs());
}

void batch_axes(BatchContext& c) {
  std::vector<Value> inputs;
  for (int i = 0; i < c.num_inputs(); ++i) inputs.push_back(c.full(i));
  Attrs attrs = c.attrs();
  for (int i = 0; i < attrs.axes.rank(); ++i) ++attrs.axes[i];
  c.emit(inputs, attrs);
}

}  // namespace fusegrad
