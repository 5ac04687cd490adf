// What an op is: its traits, its shape rule, its evaluation and its gradient rule.
//
// ops.def lists the built-in ops; each is defined once, in src/ops/, as a constant `<name>_op`.
// A graph node holds a pointer to its OpDef, so an op defined elsewhere is a node like any other.
#pragma once

#include <cstdint>
#include <memory>

#include "fusegrad/activation.h"
#include "fusegrad/api.h"
#include "fusegrad/array.h"

namespace fusegrad {

class BatchContext;
class Builder;
class VjpContext;

// The parameters of one use of an op. Each op's comment says which fields it reads.
struct Attrs {
  Dims shape;              // target shape; sizes of a slice
  Dims start;              // slice
  Dims step;               // slice
  Dims axes;               // reduced axes, permutation, or {axis}
  double scalars[4] = {};  // slope, bounds, hyperparameters
  uint64_t seed = 0;       // random ops
  uint64_t stream = 0;     // random ops
  DType dtype = DType::float32;
  Activation activation = Activation::linear;
  bool all_axes = false;  // reduce over every axis
  bool keepdims = false;
  bool transpose_a = false;
  bool transpose_b = false;
  bool flag = false;                 // nesterov; complement of log_sigmoid
  bool bfloat16 = false;             // products: of operands rounded to bfloat16, summed in float32
  std::shared_ptr<const void> data;  // what an op keeps for itself: rules and functions of users

  bool operator==(const Attrs& other) const;

  FUSEGRAD_API static const Attrs& none();  // the defaults
};

enum Trait : uint32_t {
  kElementwise = 1u << 0,  // out[i] depends on in[i] alone, broadcasting
  kView = 1u << 1,         // `view` may give the result without copying
  kInPlace0 = 1u << 2,     // output 0 may overwrite input 0 (same shape, dtype, order)
  kInPlace1 = 1u << 3,     // output 1 may overwrite input 1 likewise; and so on up to 3
  kInPlace2 = 1u << 4,
  kInPlace3 = 1u << 5,
  kRandom = 1u << 6,    // never merged with an equal node
  kAnyOrder = 1u << 7,  // eval is as fast on F-ordered operands as on C-ordered ones
  kGradient = 1u << 8,  // appears as part of another op's gradient; not a public function

  // How a caller brings operands to the dtypes that `infer` accepts; none of these: as they are.
  kPromote = 1u << 9,          // all to their common dtype
  kPromoteFloat = 1u << 10,    // all to their common dtype, integers to float64
  kPromoteFirst = 1u << 11,    // the first to a floating dtype, the others as they are
  kPromoteLogical = 1u << 12,  // all to boolean
  kPromoteSelect = 1u << 13,   // the first to boolean, the others to their common dtype
  kPromoteTotal = 1u << 14,    // small integers to int64

  kNoAttrs = 1u << 16,   // reads no attributes
  kHostRule = 1u << 18,  // the gradient rule runs functions of the host, which may differentiate

  // eval takes several uses at once: all operands but the last of one use after those of another,
  // then the last, which they share; the outputs one use after another.
  kMultiTensor = 1u << 15,

  // eval calls what nobody has looked into: never merged with an equal node, nor evaluated before
  // the program runs; not a public function.
  kOpaque = 1u << 17,
};

// Shapes and dtypes in, shapes and dtypes out; raises ArgumentError. May normalise attrs (negative
// axes, all_axes) so that eval and vjp see one form.
struct InferContext {
  const char* op;
  const Meta* inputs;
  int num_inputs;
  Attrs* attrs;     // null for an op of kNoAttrs
  Meta* outputs;    // room for kMaxOutputs
  int num_outputs;  // the op's; an op with num_outputs == -1 sets it
};

// Operands of one evaluation. Outputs are allocated by the caller with the inferred shapes and any
// strides without overlap; they alias an input only where the traits allow it.
struct EvalContext {
  const View* inputs;
  int num_inputs;
  const View* outputs;
  int num_outputs;
  const Attrs* attrs;
};

struct OpDef {
  const char* name;
  int num_inputs;   // -1: any number, at least one
  int num_outputs;  // at most kMaxOutputs; -1: infer says how many
  uint32_t traits;
  void (*infer)(InferContext& context);
  void (*eval)(const EvalContext& context);
  // Emits the cotangents of the inputs through the context's builder; kNotDifferentiable where
  // there are none.
  void (*vjp)(VjpContext& context);
  // For kView ops: the result as a view of the input; false where a copy is needed.
  bool (*view)(const View& input, const Attrs& attrs, View* output) = nullptr;
  // Emits the op for a batch of examples (batch.h); nullptr where it cannot be one.
  void (*batch)(BatchContext& context) = nullptr;
};

constexpr int kMaxOutputs = 4;

// The gradient rule of an op without one: its inputs get no cotangent.
FUSEGRAD_API void kNotDifferentiable(VjpContext& context);

#define FUSEGRAD_OP(name) extern FUSEGRAD_API const OpDef name##_op;
#include "fusegrad/ops.def"
#undef FUSEGRAD_OP

// The built-in ops in the order of ops.def.
FUSEGRAD_API const OpDef* const* op_table(int* count);
FUSEGRAD_API const OpDef* find_op(const char* name);  // nullptr where there is none

// Infers, allocates and evaluates into outputs[0 .. kMaxOutputs), of which an op that says how many
// it has needs no more; returns how many there are. Views share storage. infer may normalise attrs.
// No output is one of the inputs' own Arrays.
FUSEGRAD_API int evaluate(const OpDef& op, const Array* const* inputs, int num_inputs,
                          const Attrs& attrs, Array* outputs);

}  // namespace fusegrad
