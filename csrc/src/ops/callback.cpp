// callback: a function that nobody has looked into, as a node. attrs.data is its Callback.
#include "fusegrad/callback.h"

#include "fusegrad/batch.h"
#include "fusegrad/error.h"
#include "ops/check.h"

namespace fusegrad {
namespace {

const Callback& callback_of(const Attrs& attrs) {
  return *static_cast<const Callback*>(attrs.data.get());
}

void callback_infer(InferContext& c) {
  if (c.attrs->data == nullptr) fail(c.op, "data", "a Callback", "none");
  const std::vector<Meta>& results = callback_of(*c.attrs).results;
  if (results.empty() || results.size() > static_cast<size_t>(kMaxOutputs)) {
    fail(c.op, "results", "1 to " + std::to_string(kMaxOutputs) + " results",
         std::to_string(results.size()));
  }
  c.num_outputs = static_cast<int>(results.size());
  for (int i = 0; i < c.num_outputs; ++i) c.outputs[i] = results[static_cast<size_t>(i)];
}

void callback_eval(const EvalContext& c) {
  const Callback& callback = callback_of(*c.attrs);
  callback.call(callback, c);
}

void callback_vjp(VjpContext& c) {
  fail("pure_callback", "callback",
       "a function whose result is not differentiated: wrap what calls it in fusegrad.custom_vjp,"
       " which gives it a gradient",
       "a gradient through '" + callback_of(c.attrs()).name + "'");
}

// One call for all examples, of a function that says it takes them.
void callback_batch(BatchContext& c) {
  const Callback& one = callback_of(c.attrs());
  if (!one.vectorized) {
    fail("vmap", "fun", "pure_callback(..., vectorized=True) of a function that takes all examples",
         "the callback '" + one.name + "', which is not vectorized");
  }
  const auto all = std::make_shared<Callback>(one);
  for (Meta& result : all->results) result.shape = c.with_batch(result.shape);
  Attrs attrs = c.attrs();
  attrs.data = all;
  std::vector<Value> inputs;
  for (int i = 0; i < c.num_inputs(); ++i) inputs.push_back(c.full(i));
  c.emit(inputs, attrs);
}

}  // namespace

const OpDef callback_op = {"callback",    -1,           -1,      kOpaque,       callback_infer,
                           callback_eval, callback_vjp, nullptr, callback_batch};

}  // namespace fusegrad
