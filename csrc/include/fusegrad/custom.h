// CustomRule: a gradient rule that is not in the table of ops, such as a function of the user's.
#pragma once

#include <memory>
#include <vector>

#include "fusegrad/builder.h"

namespace fusegrad {

// What Attrs::data of a custom_vjp node points to.
//
// The node's first operand is the result, which it passes through; the others are what the rule
// needs, in an order of its own. No cotangent reaches the first operand.
struct CustomRule {
  // The rule for `size` examples at once: `batched` says which operands have an axis more, in
  // front, that counts them. The first operand has.
  using Batch = std::shared_ptr<const CustomRule> (*)(void* closure, int64_t size,
                                                      const std::vector<char>& batched);

  CustomRule(void (*rule)(void* closure, VjpContext& context), void (*free)(void* closure),
             Batch examples, void* state)
      : vjp(rule), release(free), batch(examples), closure(state) {}
  CustomRule(const CustomRule&) = delete;
  CustomRule& operator=(const CustomRule&) = delete;
  ~CustomRule() { release(closure); }

  void (*vjp)(void* closure, VjpContext& context);  // may raise HostError
  void (*release)(void* closure);
  Batch batch;
  void* closure;
};

}  // namespace fusegrad
