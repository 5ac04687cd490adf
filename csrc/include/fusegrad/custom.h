// CustomRule: a gradient rule that is not in the table of ops, such as a function of the user's.
#pragma once

#include "fusegrad/builder.h"

namespace fusegrad {

// What Attrs::data of a custom_vjp node points to.
//
// The node's first operand is the result, which it passes through; the others are what the rule
// needs, in an order of its own. No cotangent reaches the first operand.
struct CustomRule {
  CustomRule(void (*rule)(void* closure, VjpContext& context), void (*free)(void* closure),
             void* state)
      : vjp(rule), release(free), closure(state) {}
  CustomRule(const CustomRule&) = delete;
  CustomRule& operator=(const CustomRule&) = delete;
  ~CustomRule() { release(closure); }

  void (*vjp)(void* closure, VjpContext& context);  // may raise HostError
  void (*release)(void* closure);
  void* closure;
};

}  // namespace fusegrad
