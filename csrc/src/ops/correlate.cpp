// correlate(a, v): y_k = the sum over j of a_(k+j) v_j, where v lies within a. Along the last axis;
// each line of v goes with that of a.
//
// Floats are multiplied and added in double in the order of j, and each result is rounded once.
// Threads split the results.
#include <algorithm>

#include "fusegrad/batch.h"
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
  require_rank(c, 0, "a", 1);
  const Shape& a = c.inputs[0].shape;
  Shape v = c.inputs[1].shape;
  const int64_t terms = v.rank() == a.rank() ? v.back() : 0;
  if (terms > 0) v[v.rank() - 1] = a.back();
  if (v != a || terms < 1 || terms > a.back()) {
    fail(c, 1, "v", "the shape of a with 1 to " + std::to_string(a.back()) + " as its last size");
  }
  c.outputs[0] = c.inputs[0];
  c.outputs[0].shape[a.rank() - 1] = a.back() - terms + 1;
}

void correlate_eval(const EvalContext& c) {
  constexpr int64_t kBlock = 256;  // results whose sums stay in the first-level cache
  const View& y = c.outputs[0];
  const int64_t length = c.inputs[0].shape.back();
  const int64_t terms = c.inputs[1].shape.back();
  const int64_t width = y.shape.back();
  by_number(y.dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = Carried<T>;
    const Array wide_a(DTypeOf<C>::value, c.inputs[0].shape);
    const Array wide_v(DTypeOf<C>::value, c.inputs[1].shape);
    copy_elements(wide_a.view(), c.inputs[0]);
    copy_elements(wide_v.view(), c.inputs[1]);
    const Array packed = y.c_contiguous() ? Array() : Array(y.dtype, y.shape);
    T* const to = packed.defined() ? packed.view().template as<T>() : y.as<T>();
    const int64_t grain = std::max<int64_t>(1, kCheapGrain / terms);
    parallel_for(y.size(), grain, [&](int64_t begin, int64_t end) {
      C sums[kBlock];
      int64_t count;
      for (int64_t first = begin; first < end; first += count) {
        const int64_t row = first / width;
        const int64_t place = first % width;
        count = std::min({kBlock, end - first, width - place});
        const C* const a = wide_a.view().template as<const C>() + row * length + place;
        const C* const v = wide_v.view().template as<const C>() + row * terms;
        std::fill_n(sums, count, C(0));
        for (int64_t j = 0; j < terms; ++j) {
          const C* const from = a + j;
          for (int64_t k = 0; k < count; ++k) sums[k] = plus(sums[k], times(from[k], v[j]));
        }
        for (int64_t k = 0; k < count; ++k) to[first + k] = static_cast<T>(sums[k]);
      }
    });
    if (packed.defined()) copy_view(y, packed.view());
  });
}

// da_i = the sum of dy_(i-j) v_j; dv_j = the sum of a_(k+j) dy_k
void correlate_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value dy = c.cotangent();
  if (c.needs(0)) {
    const Shape& v = c.input_meta(1).shape;
    const int last = v.rank() - 1;
    Attrs attrs;
    attrs.shape = b.meta(dy).shape;
    attrs.shape[last] += 2 * (v.back() - 1);
    attrs.start.resize(v.rank(), 0);
    attrs.start[last] = v.back() - 1;
    attrs.step.resize(v.rank(), 1);
    const Value padded = b.emit(slice_grad_op, {dy}, attrs);
    c.set(0, b.emit(correlate_op, {padded, flip(b, c.input(1), last)}));
  }
  if (c.needs(1)) c.set(1, b.emit(correlate_op, {c.input(0), dy}));
}

}  // namespace

const OpDef correlate_op = {"correlate",
                            2,
                            1,
                            kAnyOrder | kPromote,
                            correlate_infer,
                            correlate_eval,
                            correlate_vjp,
                            nullptr,
                            batch_leading};

}  // namespace fusegrad
