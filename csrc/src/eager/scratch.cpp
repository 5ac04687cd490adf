// Scratch: counts who refers to a value, and adds in place where that cannot be seen.
#include "eager/scratch.h"

#include <cstring>

namespace fusegrad {

Scratch::~Scratch() {
  while (static_cast<int32_t>(values_.size()) > base_) values_.pop_back();
}

Value Scratch::add(const Meta* metas, int count) {
  if (count == 1 && !free_.empty()) {
    const Value value = free_.back();
    unused_.push_back(value);
    free_.pop_back();
    uses_[place(value)] = 0;
    info(value).meta = metas[0];
    return value;
  }
  const Value first{static_cast<int32_t>(values_.size())};
  for (int i = 0; i < count; ++i) {
    values_.emplace_back().meta = metas[i];
    uses_.push_back(0);
    unused_.push_back(Value{first.id + i});
  }
  return first;
}

Value Scratch::number(double value, DType dtype) const {
  for (const Number& known : numbers_) {
    const bool same = std::memcmp(&known.value, &value, sizeof(value)) == 0;  // 0 is not -0
    if (same && known.dtype == dtype) return known.constant;
  }
  return Value();
}

void Scratch::keep(double value, DType dtype, Value constant) {
  if (numbers_.size() == kNumbers) return;
  numbers_.push_back({value, dtype, constant});
  retain(constant);
}

void Scratch::sweep() {
  for (const Value value : unused_) {
    int32_t& uses = uses_[place(value)];
    if (uses != 0) continue;
    info(value).array = Array();
    free_.push_back(value);
    uses = kFree;
  }
  unused_.clear();
}

bool Scratch::accumulate(Value total, Value part) {
  if (total.id < base_ || uses_[place(total)] != 1) return false;
  const View& to = info(total).array.view();
  const View& from = info(part).array.view();
  if (info(total).array.storage().get()->shared()) return false;
  if (to.strides != from.strides || !(to.c_contiguous() || to.f_contiguous())) return false;
  const View operands[] = {to, from};
  add_op.eval({operands, 2, &to, 1, &Attrs::none()});
  return true;
}

void Scratch::pass(const Node& node) {
  if (node.kind != NodeKind::op) return;
  for (int i = 0; i < node.num_outputs; ++i) {
    info(Value{node.first_output.id + i}).array = Array();
  }
}

}  // namespace fusegrad
