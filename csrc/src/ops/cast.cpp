// cast: elements in another dtype.
//
// Floats to integers truncate; what does not fit becomes the most negative value. Anything but zero
// is true.
#include <limits>

#include "ops/elementwise.h"
#include "ops/emit.h"

namespace fusegrad {
namespace {

template <typename To, typename From>
To convert(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    constexpr From kLimit = static_cast<From>(9223372036854775808.0);  // 2^63
    const int64_t whole = x >= -kLimit && x < kLimit ? static_cast<int64_t>(x)
                                                     : std::numeric_limits<int64_t>::min();
    if constexpr (sizeof(To) == 4) {
      const bool fits = whole >= std::numeric_limits<To>::min() &&
                        whole <= std::numeric_limits<To>::max();
      return fits ? static_cast<To>(whole) : std::numeric_limits<To>::min();
    } else {
      return static_cast<To>(whole);
    }
  } else {
    return static_cast<To>(x);
  }
}

template <typename To, typename From>
void convert_run(To* y, int64_t ys, const From* x, int64_t xs, int64_t n) {
  if constexpr (std::is_same_v<To, float> && std::is_same_v<From, double>) {
    kernels().f32_from_f64(y, ys, x, xs, n);
  } else if constexpr (std::is_same_v<To, double> && std::is_same_v<From, float>) {
    kernels().f64_from_f32(y, ys, x, xs, n);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i * ys] = convert<To, From>(x[i * xs]);
  }
}

// cast(x): attrs.dtype.
void cast_infer(InferContext& c) {
  c.outputs[0] = c.inputs[0];
  c.outputs[0].dtype = c.attrs->dtype;
}

void cast_eval(const EvalContext& c) {
  const View& y = c.outputs[0];
  const View& x = c.inputs[0];
  if (x.dtype == y.dtype) return copy_view(y, x);
  Loop loop;
  make_loop(&loop, y.shape, &y, &x, 1);
  by_dtype(x.dtype, [&](auto from) {
    using From = decltype(from);
    if (y.dtype == DType::boolean) {
      for_each_run(loop, kCheapGrain, [](char* const* at, const int64_t* s, int64_t n) {
        uint8_t* to = typed<uint8_t>(at[0]);
        const From* source = typed<const From>(at[1]);
        for (int64_t i = 0; i < n; ++i) to[i * s[0]] = source[i * s[1]] != From(0);
      });
      return;
    }
    by_dtype(y.dtype, [&](auto to) {
      using To = decltype(to);
      for_each_run(loop, kCheapGrain, [](char* const* at, const int64_t* s, int64_t n) {
        convert_run(typed<To>(at[0]), s[0], typed<const From>(at[1]), s[1], n);
      });
    });
  });
}

// dx = dy in x's dtype; integers and booleans have no gradient
void cast_vjp(VjpContext& c) {
  const DType dtype = c.input_meta(0).dtype;
  if (!is_floating(dtype) || !is_floating(c.attrs().dtype)) return;
  c.set(0, emit::cast(c.builder(), c.cotangent(), dtype));
}

}  // namespace

const OpDef cast_op = {"cast",     1,         1,       kElementwise | kAnyOrder,
                       cast_infer, cast_eval, cast_vjp};

}  // namespace fusegrad
