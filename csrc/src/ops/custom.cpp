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

// The results of all examples, with the rule for all of them.
void custom_vjp_batch(BatchContext& c) {
  const auto* rule = static_cast<const CustomRule*>(c.attrs().data.get());
  std::vector<Value> inputs{c.full(0)};
  std::vector<char> batched{1};
  for (int i = 1; i < c.num_inputs(); ++i) {
    inputs.push_back(c.input(i));
    batched.push_back(c.batched(i) ? 1 : 0);
  }
  Attrs attrs = c.attrs();
  attrs.data = rule->batch(rule->closure, c.size(), batched);
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
