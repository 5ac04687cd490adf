// One evaluation in its two halves: the shape rule, and the computation of what it says.
#pragma once

#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fusegrad/op.h"

namespace fusegrad {

// Room for trivially copyable operands without initialising what is not used.
template <typename T>
class Operands {
 public:
  explicit Operands(int count) {
    if (count > kInline) {
      heap_.resize(static_cast<size_t>(count));
      data_ = heap_.data();
    } else {
      data_ = reinterpret_cast<T*>(inline_);
    }
  }
  void put(int i, const T& value) { new (data_ + i) T(value); }
  T* data() { return data_; }
  const T& operator[](int i) const { return data_[i]; }

 private:
  static constexpr int kInline = 6;  // operands that need no heap

  alignas(T) unsigned char inline_[kInline * sizeof(T)];
  T* data_;
  std::vector<T> heap_;
};

// Runs the shape rule of `op`. `attrs` may be normalised, and is not touched where the op reads
// none.
inline int infer(const OpDef& op, const Meta* inputs, int num_inputs, Attrs* attrs,
                 Operands<Meta>& results) {
  const int room = op.num_outputs < 0 ? kMaxOutputs : op.num_outputs;
  for (int i = 0; i < room; ++i) results.put(i, Meta());
  InferContext context{op.name, inputs, num_inputs, attrs, results.data(), op.num_outputs};
  op.infer(context);
  if (context.num_outputs < 1 || context.num_outputs > kMaxOutputs) {
    throw std::logic_error(std::string(op.name) + " says it has " +
                           std::to_string(context.num_outputs) + " outputs");
  }
  return context.num_outputs;
}

// One output: what the shape rule says of it, and where it goes.
struct Result {
  const Meta* meta;
  Array* array;
};

// Computes the outputs of `op`, whose shape rule has passed, in the FloatEnvironment of the caller.
void evaluate_inferred(const OpDef& op, const Array* const* inputs, int num_inputs,
                       const Attrs& attrs, const Result* results, int num_outputs);

}  // namespace fusegrad
