// Scratch: the values that the last walk of a tape computes on its way.
//
// Nothing is recorded and nothing is differentiated again, so a value goes as soon as no cotangent
// refers to it, and its memory serves the next.
#pragma once

#include <vector>

#include "fusegrad/builder.h"

namespace fusegrad {

class Scratch {
 public:
  // Its values follow those that are in `values`, and go when it goes.
  explicit Scratch(StableList<ValueInfo>& values)
      : values_(values), base_(static_cast<int32_t>(values.size())) {}
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // The first of `count` values in a row, which sweep() drops unless they are retained.
  Value add(const Meta* metas, int count);

  void retain(Value value) {
    if (value.id >= base_) ++uses_[place(value)];
  }
  void release(Value value) {
    if (value.id >= base_ && --uses_[place(value)] == 0) unused_.push_back(value);
  }
  // The constant that `keep` was told of, if any: rules emit the same few numbers at every node.
  Value number(double value, DType dtype) const;
  void keep(double value, DType dtype, Value constant);
  // Drops what nobody retains.
  void sweep();

  // total += part, where nobody else sees the elements of total; else false, and nothing is done.
  bool accumulate(Value total, Value part);
  // No rule to come reads the outputs of this node.
  void pass(const Node& node);

 private:
  size_t place(Value value) const { return static_cast<size_t>(value.id - base_); }
  ValueInfo& info(Value value) { return values_[static_cast<size_t>(value.id)]; }

  struct Number {
    double value;
    DType dtype;
    Value constant;
  };

  static constexpr int32_t kFree = -1;
  static constexpr size_t kNumbers = 8;  // kept, so that finding one stays cheap

  StableList<ValueInfo>& values_;
  const int32_t base_;
  std::vector<int32_t> uses_;  // by place; kFree where it is in free_
  std::vector<Number> numbers_;
  std::vector<Value> unused_, free_;  // unused_: perhaps, and perhaps twice
};

}  // namespace fusegrad
