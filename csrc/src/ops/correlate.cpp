// correlate(a, v): y_k = the sum over j of a_(k+j) v_j, where v lies within a.
//
// Floats are multiplied and added in double in the order of j, and each result is rounded once.
// Threads split the results.
#include <algorithm>

#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/iterate.h"

namespace fusegrad {
namespace {

using namespace emit;

void correlate_infer(InferContext& c) {
  require_number(c, 0, "a");
  require_dtype(c, 1, "v", c.inputs[0].dtype);
  const Shape& a = c.inputs[0].shape;
  const Shape& v = c.inputs[1].shape;
  if (a.rank() != 1) fail(c, 0, "a", "one axis");
  if (v.rank() != 1 || v[0] < 1 || v[0] > a[0]) {
    fail(c, 1, "v", "one axis of 1 to " + std::to_string(a[0]) + " elements");
  }
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = {a[0] - v[0] + 1};
}

void correlate_eval(const EvalContext& c) {
  constexpr int64_t kBlock = 256;  // results whose sums stay in the first-level cache
  const View& y = c.outputs[0];
  const int64_t terms = c.inputs[1].shape[0];
  by_number(y.dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = Carried<T>;
    const Array wide_a(DTypeOf<C>::value, c.inputs[0].shape);
    const Array wide_v(DTypeOf<C>::value, c.inputs[1].shape);
    copy_elements(wide_a.view(), c.inputs[0]);
    copy_elements(wide_v.view(), c.inputs[1]);
    const C* const a = wide_a.view().template as<const C>();
    const C* const v = wide_v.view().template as<const C>();
    T* const to = y.as<T>();
    const int64_t step = y.strides[0];
    const int64_t grain = std::max<int64_t>(1, kCheapGrain / terms);
    parallel_for(y.shape[0], grain, [&](int64_t begin, int64_t end) {
      C sums[kBlock];
      for (int64_t first = begin; first < end; first += kBlock) {
        const int64_t count = std::min(kBlock, end - first);
        std::fill_n(sums, count, C(0));
        for (int64_t j = 0; j < terms; ++j) {
          const C* const from = a + first + j;
          for (int64_t k = 0; k < count; ++k) sums[k] = plus(sums[k], times(from[k], v[j]));
        }
        for (int64_t k = 0; k < count; ++k) to[(first + k) * step] = static_cast<T>(sums[k]);
      }
    });
  });
}

// da_i = the sum of dy_(i-j) v_j; dv_j = the sum of a_(k+j) dy_k
void correlate_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value dy = c.cotangent();
  if (c.needs(0)) {
    const int64_t more = c.input_meta(1).shape[0] - 1;
    Attrs attrs;
    attrs.shape = {b.meta(dy).shape[0] + 2 * more};
    attrs.start = {more};
    attrs.step = {1};
    const Value padded = b.emit(slice_grad_op, {dy}, attrs);
    c.set(0, b.emit(correlate_op, {padded, flip(b, c.input(1), 0)}));
  }
  if (c.needs(1)) c.set(1, b.emit(correlate_op, {c.input(0), dy}));
}

}  // namespace

const OpDef correlate_op = {
    "correlate", 2, 1, kAnyOrder | kPromote, correlate_infer, correlate_eval, correlate_vjp};

}  // namespace fusegrad
