// custom_vjp: a result whose gradient rule is the user's. barrier: a value that is kept apart from
// equal ones.
//
// Both pass their first operand through, as a view.
#include "fusegrad/custom.h"

#include <memory>
#include <vector>

#include "fusegrad/batch.h"
#include "ops/check.h"
#include "ops/iterate.h"

namespace fusegrad {
namespace {

void first_infer(InferContext& c) { c.outputs[0] = c.inputs[0]; }

void first_eval(const EvalContext& c) { copy_view(c.outputs[0], c.inputs[0]); }

bool first_view(const View& x, const Attrs&, View* output) {
  *output = x;
  return true;
}

void custom_vjp_infer(InferContext& c) {
  if (c.attrs->data == nullptr) fail(c.op, "data", "a CustomRule", "none");
  first_infer(c);
}

void custom_vjp_vjp(VjpContext& c) {
  const auto* rule = static_cast<const CustomRule*>(c.attrs().data.get());
  rule->vjp(rule->closure, c);
}

void refuse_vjp(void*, VjpContext&) {
  fail("vmap", "fun",
       "a function without a gradient rule of its own, where vmap is differentiated (vmap its"
       " gradient instead)",
       "one with custom_vjp or custom_gradient");
}

// The rule is one of one example.
void custom_vjp_batch(BatchContext& c) {
  std::vector<Value> inputs{c.full(0)};
  for (int i = 1; i < c.num_inputs(); ++i) inputs.push_back(c.input(i));
  Attrs attrs;
  attrs.data = std::make_shared<CustomRule>(&refuse_vjp, [](void*) {}, nullptr);
  c.emit(inputs, attrs);
}

// dx = dy
void barrier_vjp(VjpContext& c) { c.set(0, c.cotangent()); }

}  // namespace

const OpDef custom_vjp_op = {"custom_vjp",
                             -1,
                             1,
                             kView | kAnyOrder | kGradient | kHostRule,
                             custom_vjp_infer,
                             first_eval,
                             custom_vjp_vjp,
                             first_view,
                             custom_vjp_batch};
// As a random op it is never merged with an equal node, nor computed before the program runs.
const OpDef barrier_op = {
    "barrier",         1,          1,           kView | kAnyOrder | kRandom | kGradient | kNoAttrs,
    first_infer,       first_eval, barrier_vjp, first_view,
    batch_broadcasting};

}  // namespace fusegrad
