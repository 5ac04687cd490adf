// Differentiate: reverse mode over the recorded nodes, by emitting each op's gradient rule.
//
// What depends on the xs is marked forwards; cotangents go backwards through marked values only.
// Broadcasting is undone here, once, so that no rule has to.
#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "eager/scratch.h"
#include "fusegrad/builder.h"
#include "fusegrad/error.h"
#include "fusegrad/float_environment.h"

namespace fusegrad {

namespace {

bool differentiable(const Node& node) {
  return node.kind == NodeKind::op && node.op->vjp != nullptr &&
         node.op->vjp != &kNotDifferentiable;
}

std::string text_of(const Meta& meta) {
  return std::string(name(meta.dtype)) + " of shape " + to_string(meta.shape);
}

void check_value(const Builder& builder, Value value, const char* argument) {
  if (value.id < 0 || value.id >= builder.num_values()) {
    throw ArgumentError("gradient()", argument, "a value of this builder",
                        "value " + std::to_string(value.id));
  }
}

void check_floating(const Builder& builder, Value value, const char* argument) {
  check_value(builder, value, argument);
  if (!is_floating(builder.meta(value).dtype)) {
    throw ArgumentError("gradient()", argument, "a floating-point value",
                        text_of(builder.meta(value)));
  }
}

// Sums `cotangent` over the axes along which a value of meta `target` was stretched.
Value unbroadcast(Builder& builder, Value cotangent, const Meta& target) {
  const Shape& shape = builder.meta(cotangent).shape;
  if (shape != target.shape) {
    const int extra = shape.rank() - target.shape.rank();
    bool fits = extra >= 0;
    Attrs attrs;
    attrs.keepdims = true;
    for (int axis = 0; fits && axis < shape.rank(); ++axis) {
      const int64_t wanted = axis < extra ? 1 : target.shape[axis - extra];
      if (shape[axis] == wanted) continue;
      fits = wanted == 1;
      attrs.axes.push_back(axis);
    }
    if (!fits) {
      throw ArgumentError("gradient()", "cotangent",
                          "a shape that sums down to " + to_string(target.shape), to_string(shape));
    }
    if (attrs.axes.rank() > 0) cotangent = builder.emit(sum_op, {cotangent}, attrs);
    if (extra > 0) {
      Attrs reshape;
      reshape.shape = target.shape;
      cotangent = builder.emit(reshape_op, {cotangent}, reshape);
    }
  }
  if (builder.meta(cotangent).dtype != target.dtype) {
    Attrs attrs;
    attrs.dtype = target.dtype;
    cotangent = builder.emit(cast_op, {cotangent}, attrs);
  }
  return cotangent;
}

Value zeros(Builder& builder, const Meta& meta) {
  const Value zero = builder.constant(0.0, meta.dtype);
  if (meta.shape.rank() == 0) return zero;
  Attrs attrs;
  attrs.shape = meta.shape;
  return builder.emit(broadcast_to_op, {zero}, attrs);
}

// The values of one builder as values of another, or of the same where checkpoints forgot them.
class Source {
 public:
  Source(Builder& into, const Builder& from)
      : into_(into),
        from_(from),
        direct_(&into == &from && from.checkpoints().empty()),
        first_outputs_(direct_ ? 0 : static_cast<size_t>(from.num_nodes())) {}

  Value operator()(Value value) {
    if (direct_) return value;
    const ValueInfo& info = from_.info(value);
    return Value{first_output(info.node).id + info.index};
  }

  // The first of the consecutive outputs of a node.
  Value first_output(int32_t index) {
    const Node& node = from_.node(index);
    if (direct_) return node.first_output;
    Value& known = first_outputs_[static_cast<size_t>(index)];
    if (known.valid()) return known;
    if (recomputed(node)) {
      recompute(*std::find_if(from_.checkpoints().begin(), from_.checkpoints().end(),
                              [&](const NodeRange& range) { return range.contains(index); }));
    } else if (&into_ == &from_) {
      known = node.first_output;
    } else {
      known = into_.constant(from_.info(node.first_output).array);
      for (int k = 1; k < node.num_outputs; ++k) {
        into_.constant(from_.info(Value{node.first_output.id + k}).array);
      }
    }
    return known;
  }

  // Called when the walk has passed a node: what was computed again is forgotten again.
  void passed(int32_t index) {
    for (const Copy& copy : copies_) {
      if (copy.range.first != index) continue;
      if (into_.scratch() == nullptr) into_.checkpoint(copy.nodes, {});
      for (const Value value : copy.retained) into_.scratch()->release(value);
    }
  }

  // Whether the values of a node may be read when its checkpoint is computed again.
  bool in_checkpoint(int32_t index) const {
    return std::any_of(from_.checkpoints().begin(), from_.checkpoints().end(),
                       [index](const NodeRange& range) { return range.contains(index); });
  }

  // A cotangent that does not vanish with what was computed again.
  Value kept(Value cotangent) {
    const int32_t node = into_.info(cotangent).node;
    for (const Copy& copy : copies_) {
      if (copy.nodes.contains(node)) return into_.emit(identity_op, {cotangent});
    }
    return cotangent;
  }

 private:
  struct Copy {
    NodeRange range;              // of from_
    NodeRange nodes;              // of into_
    std::vector<Value> retained;  // where nothing is recorded
  };

  bool recomputed(const Node& node) const {
    for (int k = 0; k < node.num_outputs; ++k) {
      if (from_.info(Value{node.first_output.id + k}).recomputed) return true;
    }
    return false;
  }

  bool recomputed_within(const NodeRange& range, Value value) const {
    const int32_t node = from_.info(value).node;
    return range.contains(node) && recomputed(from_.node(node));
  }

  // Behind barriers, so that a compiled graph does not take the first results, and keeps them.
  void recompute(NodeRange range) {
    // What the range reads of other checkpoints comes first: each copy is forgotten on its own.
    for (int32_t i = range.first; i < range.end; ++i) {
      const Node& node = from_.node(i);
      if (node.kind != NodeKind::op || !recomputed(node)) continue;
      for (const Value input : node.inputs) {
        if (!recomputed_within(range, input)) (*this)(input);
      }
    }
    Copy copy{range, {into_.num_nodes(), 0}, {}};
    std::unordered_map<int32_t, Value> read;
    std::vector<Value> inputs;
    for (int32_t i = range.first; i < range.end; ++i) {
      const Node& node = from_.node(i);
      if (node.kind != NodeKind::op || !recomputed(node)) continue;
      inputs.clear();
      for (const Value input : node.inputs) {
        if (recomputed_within(range, input) || from_.producer(input).kind == NodeKind::constant) {
          inputs.push_back((*this)(input));
        } else {
          Value& behind = read[input.id];
          if (!behind.valid()) {
            behind = into_.emit(barrier_op, {(*this)(input)});
            retain(&copy, behind);
          }
          inputs.push_back(behind);
        }
      }
      Value outputs[kMaxOutputs];
      into_.emit(*node.op, inputs.data(), static_cast<int>(inputs.size()), node.attrs(), outputs);
      for (int k = 0; k < node.num_outputs; ++k) retain(&copy, outputs[k]);
      first_outputs_[static_cast<size_t>(i)] = outputs[0];
    }
    copy.nodes.end = into_.num_nodes();
    copies_.push_back(std::move(copy));
  }

  void retain(Copy* copy, Value value) {
    if (into_.scratch() == nullptr) return;
    into_.scratch()->retain(value);
    copy->retained.push_back(value);
  }

  Builder& into_;
  const Builder& from_;
  bool direct_;
  std::vector<Value> first_outputs_;  // by node of from_
  std::vector<Copy> copies_;
};

class Walk {
 public:
  Walk(Builder& into, const Builder& from, const std::vector<Value>& ys,
       const std::vector<Value>& xs, const std::vector<NodeRange>& within)
      : builder_(into),
        scratch_(into.scratch()),
        from_(from),
        source_(into, from),
        within_(within),
        first_(from.num_nodes()),
        depends_(static_cast<size_t>(from.num_values()), 0),
        cotangents_(static_cast<size_t>(from.num_values())) {
    for (const Value x : xs) {
      depends_[index(x)] = kAsked;
      first_ = std::min(first_, from.info(x).node);
    }
    for (const Value y : ys) last_ = std::max(last_, from.info(y).node);
    for (int32_t i = first_; i <= last_; ++i) {
      if (counts(i)) mark(from.node(i));
    }
  }

  bool depends(Value value) const { return depends_[index(value)] != 0; }
  Value cotangent(Value value) const { return cotangents_[index(value)]; }
  void seed(Value y, Value seed) {
    if (depends(y)) accumulate(&cotangents_[index(y)], seed);
  }

  void run() {
    for (int32_t i = last_; i >= first_; --i) {
      if (counts(i)) visit(i);
      source_.passed(i);
      if (scratch_ != nullptr && !source_.in_checkpoint(i)) scratch_->pass(from_.node(i));
    }
  }

 private:
  static size_t index(Value value) { return static_cast<size_t>(value.id); }

  bool counts(int32_t node) const {
    if (!differentiable(from_.node(node))) return false;
    return within_.empty() ||
           std::any_of(within_.begin(), within_.end(),
                       [node](const NodeRange& range) { return range.contains(node); });
  }

  void mark(const Node& node) {
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [this](Value input) { return depends(input); });
    if (!any) return;
    for (int k = 0; k < node.num_outputs; ++k) {
      const Value output{node.first_output.id + k};
      char& marked = depends_[index(output)];
      if (marked == 0 && is_floating(from_.meta(output).dtype)) marked = 1;
    }
  }

  void visit(int32_t i) {
    const Node& node = from_.node(i);
    Value arriving[kMaxOutputs];
    bool any_cotangent = false;
    for (int k = 0; k < node.num_outputs; ++k) {
      arriving[k] = cotangents_[index(Value{node.first_output.id + k})];
      any_cotangent = any_cotangent || arriving[k].valid();
    }
    if (!any_cotangent) return;
    const size_t count = node.inputs.size();
    if (count > capacity_) {
      needed_ = std::make_unique<bool[]>(count);
      capacity_ = count;
    }
    bool any_needed = false;
    for (size_t k = 0; k < count; ++k) {
      needed_[k] = depends(node.inputs[k]);
      any_needed = any_needed || needed_[k];
    }
    if (!any_needed) return;
    inputs_.clear();
    for (const Value input : node.inputs) inputs_.push_back(source_(input));
    results_.assign(count, Value());
    VjpContext context(builder_, node.attrs(), inputs_, source_.first_output(i), arriving,
                       needed_.get(), results_.data());
    node.op->vjp(context);
    for (const Value result : results_) retain(result);
    for (size_t k = 0; k < count; ++k) {
      if (needed_[k] && results_[k].valid()) {
        const Value input = node.inputs[k];
        const Value part = unbroadcast(builder_, source_.kept(results_[k]), from_.meta(input));
        accumulate(&cotangents_[index(input)], part);
      }
      release(results_[k]);
    }
    if (scratch_ == nullptr) return;
    for (int k = 0; k < node.num_outputs; ++k) {
      const Value output{node.first_output.id + k};
      if (depends_[index(output)] != kAsked) release(arriving[k]);
    }
    scratch_->sweep();
  }

  void accumulate(Value* total, Value part) {
    if (!total->valid()) {
      *total = part;
      retain(part);
    } else if (scratch_ == nullptr || !scratch_->accumulate(*total, part)) {
      const Value sum = builder_.emit(add_op, {*total, part});
      retain(sum);
      release(*total);
      *total = sum;
    }
  }

  void retain(Value value) {
    if (scratch_ != nullptr && value.valid()) scratch_->retain(value);
  }
  void release(Value value) {
    if (scratch_ != nullptr && value.valid()) scratch_->release(value);
  }

  static constexpr char kAsked = 2;  // for one of the xs

  Builder& builder_;
  Scratch* const scratch_;
  const Builder& from_;
  Source source_;
  const std::vector<NodeRange>& within_;
  int32_t first_, last_ = -1;
  std::vector<char> depends_;
  std::vector<Value> cotangents_;
  std::vector<Value> inputs_;
  std::vector<Value> results_;
  std::unique_ptr<bool[]> needed_;
  size_t capacity_ = 0;
};

}  // namespace

std::vector<Value> differentiate(Builder& into, const Builder& from, const std::vector<Value>& ys,
                                 const std::vector<Value>& seeds, const std::vector<Value>& xs,
                                 const std::vector<NodeRange>& within) {
  for (size_t i = 0; i < ys.size(); ++i) {
    check_floating(from, ys[i], "y");
    check_floating(into, seeds[i], "seed");
    const Meta& y_meta = from.meta(ys[i]);
    const Meta& seed_meta = into.meta(seeds[i]);
    if (y_meta != seed_meta) {
      throw ArgumentError("gradient()", "seed", text_of(y_meta), text_of(seed_meta));
    }
  }
  for (const Value x : xs) check_floating(from, x, "x");
  const FloatEnvironment environment;  // rules compute the constants that they emit
  Walk walk(into, from, ys, xs, within);
  for (size_t i = 0; i < ys.size(); ++i) walk.seed(ys[i], seeds[i]);
  walk.run();
  std::vector<Value> results;
  results.reserve(xs.size());
  for (const Value x : xs) results.push_back(walk.cotangent(x));
  return results;
}

std::vector<Value> differentiate(Builder& builder, Value y, Value seed,
                                 const std::vector<Value>& xs) {
  std::vector<Value> results = differentiate(builder, builder, {y}, {seed}, xs, {});
  for (size_t i = 0; i < xs.size(); ++i) {
    if (!results[i].valid()) results[i] = zeros(builder, builder.meta(xs[i]));
  }
  return results;
}

}  // namespace fusegrad
