// cast: elements in another dtype.
//
// The rule of conversion is that of every copy: runtime/convert.h.
#include "fusegrad/batch.h"
#include "fusegrad/emit.h"
#include "ops/check.h"

namespace fusegrad {
namespace {

// cast(x): attrs.dtype.
void cast_infer(InferContext& c) {
  c.outputs[0] = c.inputs[0];
  c.outputs[0].dtype = c.attrs->dtype;
}

void cast_eval(const EvalContext& c) { copy_elements(c.outputs[0], c.inputs[0]); }

// dx = dy in x's dtype; integers and booleans have no gradient
void cast_vjp(VjpContext& c) {
  const DType dtype = c.input_meta(0).dtype;
  if (!is_floating(dtype) || !is_floating(c.attrs().dtype)) return;
  c.set(0, emit::cast(c.builder(), c.cotangent(), dtype));
}

}  // namespace

const OpDef cast_op = {"cast",    1,        1,       kElementwise | kAnyOrder, cast_infer,
                       cast_eval, cast_vjp, nullptr, batch_broadcasting};

}  // namespace fusegrad
