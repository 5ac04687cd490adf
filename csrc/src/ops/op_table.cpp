// The table of built-in ops, and evaluation of one op on arrays.
//
// ops.def is the only list; nothing here names an op.
#include <cstring>

#include "fusegrad/builder.h"
#include "fusegrad/float_environment.h"
#include "ops/evaluate.h"

namespace fusegrad {

bool Attrs::operator==(const Attrs& other) const {
  return shape == other.shape && start == other.start && step == other.step && axes == other.axes &&
         std::memcmp(scalars, other.scalars, sizeof(scalars)) == 0 && seed == other.seed &&
         stream == other.stream && dtype == other.dtype && activation == other.activation &&
         all_axes == other.all_axes && keepdims == other.keepdims &&
         transpose_a == other.transpose_a && transpose_b == other.transpose_b &&
         flag == other.flag && bfloat16 == other.bfloat16 && data == other.data;
}

const Attrs& Attrs::none() {
  static const Attrs kNone;
  return kNone;
}

void kNotDifferentiable(VjpContext&) {}

namespace {

const OpDef* const kTable[] = {
#define FUSEGRAD_OP(name) &name##_op,
#include "fusegrad/ops.def"
#undef FUSEGRAD_OP
};
constexpr int kCount = static_cast<int>(sizeof(kTable) / sizeof(kTable[0]));

// Makes a result, in the order of an operand of the same shape, so that elementwise ops on
// F-ordered arrays are one run; else in C order.
void allocate(Array* result, const OpDef& op, const Meta& meta, const Array* const* inputs,
              int num_inputs) {
  constexpr uint32_t kFollows = kElementwise | kAnyOrder;
  if (meta.shape.rank() > 1 && (op.traits & kFollows) == kFollows) {
    for (int i = 0; i < num_inputs; ++i) {
      const View& x = inputs[i]->view();
      if (x.shape != meta.shape) continue;
      if (x.c_contiguous()) break;
      if (x.f_contiguous()) {
        *result = Array(meta.dtype, meta.shape, f_strides(meta.shape));
        return;
      }
    }
  }
  result->allocate(meta.dtype, meta.shape);
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

void evaluate_inferred(const OpDef& op, const Array* const* inputs, int num_inputs,
                       const Attrs& attrs, const Result* results, int num_outputs) {
  if (op.view != nullptr) {
    View view;
    if (op.view(inputs[0]->view(), attrs, &view)) {
      *results[0].array = Array(inputs[0]->storage(), view);
      return;
    }
  }
  for (int i = 0; i < num_outputs; ++i) {
    allocate(results[i].array, op, *results[i].meta, inputs, num_inputs);
  }
  if (num_inputs == 1 && num_outputs == 1) {
    op.eval({&inputs[0]->view(), 1, &results[0].array->view(), 1, &attrs});
    return;
  }
  Operands<View> in(num_inputs);
  for (int i = 0; i < num_inputs; ++i) in.put(i, inputs[i]->view());
  Operands<View> out(kMaxOutputs);
  if (num_outputs > 1) {
    for (int i = 0; i < num_outputs; ++i) out.put(i, results[i].array->view());
  }
  const View* const outputs = num_outputs == 1 ? &results[0].array->view() : out.data();
  op.eval({in.data(), num_inputs, outputs, num_outputs, &attrs});
}

int evaluate(const OpDef& op, const Array* const* inputs, int num_inputs, const Attrs& attrs,
             Array* outputs) {
  Operands<Meta> metas(num_inputs);
  for (int i = 0; i < num_inputs; ++i) metas.put(i, inputs[i]->meta());
  std::optional<Attrs> normal;
  if ((op.traits & kNoAttrs) == 0) normal = attrs;
  Operands<Meta> inferred(kMaxOutputs);
  const int count = infer(op, metas.data(), num_inputs, normal ? &*normal : nullptr, inferred);
  Result results[kMaxOutputs];
  for (int i = 0; i < count; ++i) results[i] = {&inferred[i], &outputs[i]};
  const FloatEnvironment environment;
  evaluate_inferred(op, inputs, num_inputs, normal ? *normal : attrs, results, count);
  return count;
}

}  // namespace fusegrad
