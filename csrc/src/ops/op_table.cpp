// The table of built-in ops, and evaluation of one op on arrays.
//
// ops.def is the only list; nothing here names an op.
#include <cstring>
#include <new>
#include <vector>

#include "fusegrad/builder.h"
#include "fusegrad/float_environment.h"
#include "fusegrad/op.h"

namespace fusegrad {

bool Attrs::operator==(const Attrs& other) const {
  return shape == other.shape && start == other.start && step == other.step && axes == other.axes &&
         std::memcmp(scalars, other.scalars, sizeof(scalars)) == 0 && seed == other.seed &&
         stream == other.stream && dtype == other.dtype && activation == other.activation &&
         all_axes == other.all_axes && keepdims == other.keepdims &&
         transpose_a == other.transpose_a && transpose_b == other.transpose_b &&
         flag == other.flag && bfloat16 == other.bfloat16 && data == other.data;
}

void kNotDifferentiable(VjpContext&) {}

namespace {

const OpDef* const kTable[] = {
#define FUSEGRAD_OP(name) &name##_op,
#include "fusegrad/ops.def"
#undef FUSEGRAD_OP
};
constexpr int kCount = static_cast<int>(sizeof(kTable) / sizeof(kTable[0]));

constexpr int kInline = 6;  // operands that need no heap

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

 private:
  alignas(T) unsigned char inline_[kInline * sizeof(T)];
  T* data_;
  std::vector<T> heap_;
};

// The order of a fresh result: that of an operand of the same shape, so that elementwise ops on
// F-ordered arrays are one run; else C.
Array allocate(const OpDef& op, const Meta& meta, const Array* const* inputs, int num_inputs) {
  constexpr uint32_t kFollows = kElementwise | kAnyOrder;
  if (meta.shape.rank() > 1 && (op.traits & kFollows) == kFollows) {
    for (int i = 0; i < num_inputs; ++i) {
      const View& x = inputs[i]->view();
      if (x.shape != meta.shape) continue;
      if (x.c_contiguous()) break;
      if (x.f_contiguous()) return Array(meta.dtype, meta.shape, f_strides(meta.shape));
    }
  }
  return Array(meta.dtype, meta.shape);
}

}  // namespace

const OpDef* const* op_table(int* count) {
  *count = kCount;
  return kTable;
}

const OpDef* find_op(const char* name) {
  for (const OpDef* op : kTable) {
    if (std::strcmp(op->name, name) == 0) return op;
  }
  return nullptr;
}

int evaluate(const OpDef& op, const Array* const* inputs, int num_inputs, Attrs& attrs,
             Array* outputs) {
  Operands<Meta> metas(num_inputs);
  for (int i = 0; i < num_inputs; ++i) metas.put(i, inputs[i]->meta());
  Operands<Meta> results(kMaxOutputs);
  for (int i = 0; i < (op.num_outputs < 0 ? kMaxOutputs : op.num_outputs); ++i) {
    results.put(i, Meta());
  }
  InferContext context{op.name, metas.data(), num_inputs, &attrs, results.data(), op.num_outputs};
  op.infer(context);
  if (op.view != nullptr) {
    View view;
    if (op.view(inputs[0]->view(), attrs, &view)) {
      outputs[0] = Array(inputs[0]->storage(), view);
      return 1;
    }
  }
  Operands<View> in(num_inputs);
  for (int i = 0; i < num_inputs; ++i) in.put(i, inputs[i]->view());
  Operands<View> out(kMaxOutputs);
  for (int i = 0; i < context.num_outputs; ++i) {
    outputs[i] = allocate(op, results.data()[i], inputs, num_inputs);
    out.put(i, outputs[i].view());
  }
  {
    FloatEnvironment environment;
    op.eval({in.data(), num_inputs, out.data(), context.num_outputs, &attrs});
  }
  return context.num_outputs;
}

}  // namespace fusegrad
