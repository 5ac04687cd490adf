// Optimizer updates whose gradient is a matrix product: what a plan puts in place of the two.
#pragma once

#include "fusegrad/op.h"

namespace fusegrad {

// `update` with two factors a (m, k) and b (k, n) in place of the gradient of a dense variable
// (m, n): states..., a, b, step size -> states... It makes a block of the gradient at a time, in
// scratch memory, and is never a node of a graph. Null for other ops.
const OpDef* matmul_update_of(const OpDef& update);

}  // namespace fusegrad
