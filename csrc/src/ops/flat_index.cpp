// ravel_multi_index: from an index for each axis to one index in C order.
#include <algorithm>

#include "fusegrad/batch.h"
#include "ops/check.h"
#include "ops/iterate.h"
#include "ops/labels.h"

namespace fusegrad {
namespace {

// attrs.shape = the sizes of the axes, one for each operand; attrs.flag: negative indices count
// from the end. Operands broadcast.
void ravel_multi_index_infer(InferContext& c) {
  const Shape& dims = c.attrs->shape;
  if (dims.rank() != c.num_inputs) {
    fail(c.op, "dims", "a size for each of " + std::to_string(c.num_inputs) + " index arrays",
         to_string(dims));
  }
  int64_t places = 1;  // counted, so that no index overflows on its way past an axis without any
  for (const int64_t size : dims) {
    if (size < 0) fail(c.op, "dims", "sizes of at least 0", to_string(dims));
    if (size > INT64_MAX / places) {
      fail(c.op, "dims", "sizes whose product is below 2**63", to_string(dims));
    }
    places *= std::max<int64_t>(size, 1);
  }
  Shape shape;
  for (int i = 0; i < c.num_inputs; ++i) {
    require_index(c, i, "multi_index");
    shape = broadcast(c, shape, c.inputs[i].shape);
  }
  c.outputs[0].dtype = DType::int64;
  c.outputs[0].shape = shape;
}

void ravel_multi_index_eval(const EvalContext& c) {
  const View& y = c.outputs[0];
  const int64_t size = y.size();
  if (size == 0) return;
  int64_t* const flat = label_space(checked_mul(2, size));
  int64_t* const place = flat + size;
  for (int i = 0; i < c.num_inputs; ++i) {
    View x = c.inputs[i];
    x.strides = broadcast_strides(x.shape, x.strides, y.shape);
    x.shape = y.shape;
    const std::string argument = "multi_index[" + std::to_string(i) + "]";
    const int64_t limit = c.attrs->shape[i];
    copy_labels("ravel_multi_index", argument.c_str(), x, limit, c.attrs->flag,
                i == 0 ? flat : place);
    for (int64_t k = 0; i > 0 && k < size; ++k) flat[k] = flat[k] * limit + place[k];
  }
  copy_view(y, View{flat, DType::int64, y.shape, c_strides(y.shape)});
}

}  // namespace

// Integers in: no gradient.
const OpDef ravel_multi_index_op = {"ravel_multi_index",
                                    -1,
                                    1,
                                    kAnyOrder,
                                    ravel_multi_index_infer,
                                    ravel_multi_index_eval,
                                    kNotDifferentiable,
                                    nullptr,
                                    batch_broadcasting};

}  // namespace fusegrad
