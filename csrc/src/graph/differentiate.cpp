// Differentiate: reverse mode over the recorded nodes, by emitting each op's gradient rule.
//
// What depends on the xs is marked forwards; cotangents go backwards through marked values only.
// Broadcasting is undone here, once, so that no rule has to.
#include <algorithm>
#include <memory>
#include <string>

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

class Walk {
 public:
  Walk(Builder& builder, Value y, const std::vector<Value>& xs)
      : builder_(builder),
        scratch_(builder.scratch()),
        first_(builder.num_nodes()),
        last_(builder.info(y).node),
        depends_(static_cast<size_t>(builder.num_values()), 0),
        cotangents_(static_cast<size_t>(builder.num_values())) {
    for (const Value x : xs) {
      depends_[index(x)] = kAsked;
      first_ = std::min(first_, builder.info(x).node);
    }
    for (int32_t i = first_; i <= last_; ++i) mark(builder.node(i));
  }

  bool depends(Value value) const { return depends_[index(value)] != 0; }
  Value cotangent(Value value) const { return cotangents_[index(value)]; }

  void run(Value y, Value seed) {
    accumulate(&cotangents_[index(y)], seed);
    for (int32_t i = last_; i >= first_; --i) {
      const Node& node = builder_.node(i);
      if (differentiable(node)) visit(node);
      if (scratch_ != nullptr) scratch_->pass(node);
    }
  }

 private:
  static size_t index(Value value) { return static_cast<size_t>(value.id); }

  void mark(const Node& node) {
    if (!differentiable(node)) return;
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [this](Value input) { return depends(input); });
    if (!any) return;
    for (int k = 0; k < node.num_outputs; ++k) {
      const Value output{node.first_output.id + k};
      char& marked = depends_[index(output)];
      if (marked == 0 && is_floating(builder_.meta(output).dtype)) marked = 1;
    }
  }

  void visit(const Node& node) {
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
    for (size_t i = 0; i < count; ++i) {
      needed_[i] = depends(node.inputs[i]);
      any_needed = any_needed || needed_[i];
    }
    if (!any_needed) return;
    results_.assign(count, Value());
    VjpContext context(builder_, node, arriving, needed_.get(), results_.data());
    node.op->vjp(context);
    for (const Value result : results_) retain(result);
    for (size_t i = 0; i < count; ++i) {
      if (needed_[i] && results_[i].valid()) {
        const Value input = node.inputs[i];
        const Value part = unbroadcast(builder_, results_[i], builder_.meta(input));
        accumulate(&cotangents_[index(input)], part);
      }
      release(results_[i]);
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
  int32_t first_, last_;
  std::vector<char> depends_;
  std::vector<Value> cotangents_;
  std::vector<Value> results_;
  std::unique_ptr<bool[]> needed_;
  size_t capacity_ = 0;
};

}  // namespace

std::vector<Value> differentiate(Builder& builder, Value y, Value seed,
                                 const std::vector<Value>& xs) {
  check_floating(builder, y, "y");
  check_floating(builder, seed, "seed");
  for (const Value x : xs) check_floating(builder, x, "x");
  const Meta& y_meta = builder.meta(y);
  const Meta& seed_meta = builder.meta(seed);
  if (y_meta != seed_meta) {
    throw ArgumentError("gradient()", "seed", text_of(y_meta), text_of(seed_meta));
  }
  const FloatEnvironment environment;  // rules compute the constants that they emit
  Walk walk(builder, y, xs);
  if (walk.depends(y)) walk.run(y, seed);
  std::vector<Value> results;
  results.reserve(xs.size());
  for (const Value x : xs) {
    const Value cotangent = walk.cotangent(x);
    results.push_back(cotangent.valid() ? cotangent : zeros(builder, builder.meta(x)));
  }
  return results;
}

}  // namespace fusegrad
