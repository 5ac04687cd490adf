// callback: a function that nobody has looked into, as a node. attrs.data is its Callback.
#include "fusegrad/callback.h"

#include <memory>
#include <vector>

#include "fusegrad/batch.h"
#include "fusegrad/builder.h"
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

// The same function for `size` examples, whose operands and results have an axis more in front.
std::shared_ptr<Callback> with_examples(const Callback& callback, int64_t size) {
  auto batched = std::make_shared<Callback>(callback);
  for (Meta& result : batched->results) result.shape.insert(0, size);
  return batched;
}

void take_example(View* view, int64_t i) {
  view->data = static_cast<char*>(view->data) + i * view->strides[0] * itemsize(view->dtype);
  view->shape.erase(0);
  view->strides.erase(0);
}

// A function that knows one example only is called for each; `closure` is its own Callback.
void call_for_each(const Callback& self, const EvalContext& c) {
  const Callback& one = *static_cast<const Callback*>(self.closure.get());
  const int64_t size = self.results[0].shape[0];
  for (int64_t i = 0; i < size; ++i) {
    std::vector<View> inputs(c.inputs, c.inputs + c.num_inputs);
    std::vector<View> outputs(c.outputs, c.outputs + c.num_outputs);
    for (View& view : inputs) take_example(&view, i);
    for (View& view : outputs) take_example(&view, i);
    one.call(one, {inputs.data(), c.num_inputs, outputs.data(), c.num_outputs, c.attrs});
  }
}

void callback_batch(BatchContext& c) {
  const Callback& callback = callback_of(c.attrs());
  const std::shared_ptr<Callback> batched = with_examples(callback, c.size());
  if (!callback.vectorized) {
    batched->call = &call_for_each;
    batched->closure = std::make_shared<Callback>(callback);
  }
  Attrs attrs;
  attrs.data = batched;
  std::vector<Value> inputs;
  for (int i = 0; i < c.num_inputs(); ++i) inputs.push_back(c.full(i));
  c.emit(inputs, attrs);
}

}  // namespace

const OpDef callback_op = {"callback",    -1,           -1,      kOpaque,       callback_infer,
                           callback_eval, callback_vjp, nullptr, callback_batch};

}  // namespace fusegrad
