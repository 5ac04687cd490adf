// Functions that live outside the core: opaque ones of users, and the linear algebra that a host
// lends. They raise HostError.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fusegrad/api.h"
#include "fusegrad/op.h"

namespace fusegrad {

// What a `callback` node calls: its Attrs::data points to one. Operands may have any strides and
// are gone when the call returns.
struct Callback {
  std::string name;           // shown by print
  std::vector<Meta> results;  // 1 to kMaxOutputs
  bool vectorized = false;    // it takes operands and gives results with further leading axes
  void (*call)(const Callback& callback, const EvalContext& context) = nullptr;
  std::shared_ptr<void> closure;  // what `call` needs besides
};

// Factorizations of stacks of matrices in double precision, which are LAPACK's and not ours.
enum class LinearAlgebra : int { solve, cholesky, det, cofactor, slogdet, eigh, svd, qr, pinv };

// Computes the outputs of the op of that name; raises HostError for a singular matrix.
using LinearAlgebraHost = void (*)(LinearAlgebra function, const EvalContext& context);
FUSEGRAD_API void set_linear_algebra(LinearAlgebraHost host);

}  // namespace fusegrad
