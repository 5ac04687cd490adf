// Products that a plan merges with what follows.
#pragma once

#include "fusegrad/op.h"

namespace fusegrad {

// relu_grad(matmul(x1, x2), y) for matrices, y with the strides of the result. It is never a node
// of a graph.
extern const OpDef matmul_relu_grad_op;

}  // namespace fusegrad
