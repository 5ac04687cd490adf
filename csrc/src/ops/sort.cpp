// Order: argsort and searchsorted.
//
// Elements are sorted as unsigned integers that lie in the same order, beside their places: so the
// order is one, equal elements keep theirs, and NaN has a place. Threads split the lines.
#include <algorithm>
#include <cstring>
#include <limits>

#include "fusegrad/batch.h"
#include "fusegrad/emit.h"
#include "fusegrad/workspace.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/rows.h"

namespace fusegrad {
namespace {

template <typename T>
using KeyOf = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

// An integer that is smaller where x is smaller: NaN is the largest, the zeros are equal.
template <typename T>
KeyOf<T> key_of(T x) {
  using Key = KeyOf<T>;
  constexpr Key kSign = Key{1} << (8 * sizeof(Key) - 1);
  if constexpr (std::is_floating_point_v<T>) {
    if (x != x) return ~Key{0};
    if (x == T(0)) return kSign;
    Key bits;
    std::memcpy(&bits, &x, sizeof(bits));
    return (bits & kSign) != 0 ? ~bits : bits | kSign;
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<Key>(x) ^ kSign;
  } else {
    return x;
  }
}

template <typename Key, typename Place>
struct Entry {
  Key key;
  Place place;
  bool operator<(const Entry& other) const {
    return key < other.key || (key == other.key && place < other.place);
  }
};

constexpr int64_t kRadixLeast = 256;  // shorter lines are sorted by comparisons

// Sorts `entries` by key, keeping the order of equal ones: byte by byte from the lowest, between
// two buffers. Returns the buffer that holds the result.
template <typename Key, typename Place>
Entry<Key, Place>* radix_sort(Entry<Key, Place>* entries, Entry<Key, Place>* spare, int64_t count) {
  constexpr int kBytes = static_cast<int>(sizeof(Key));
  int64_t counts[kBytes][256] = {};
  for (int64_t i = 0; i < count; ++i) {
    for (int byte = 0; byte < kBytes; ++byte) ++counts[byte][entries[i].key >> (8 * byte) & 255];
  }
  for (int byte = 0; byte < kBytes; ++byte) {
    int64_t* const at = counts[byte];
    if (at[entries[0].key >> (8 * byte) & 255] == count) continue;  // all alike
    int64_t first = 0;
    for (int value = 0; value < 256; ++value) {
      const int64_t here = at[value];
      at[value] = first;
      first += here;
    }
    for (int64_t i = 0; i < count; ++i) {
      spare[at[entries[i].key >> (8 * byte) & 255]++] = entries[i];
    }
    std::swap(entries, spare);
  }
  return entries;
}

// The first `wanted` of the sorted entries.
template <typename Key, typename Place>
Entry<Key, Place>* sort_entries(Entry<Key, Place>* entries, Entry<Key, Place>* spare, int64_t count,
                                int64_t wanted) {
  if (wanted <= count / 16) {
    std::partial_sort(entries, entries + wanted, entries + count);
    return entries;
  }
  if (count >= kRadixLeast) return radix_sort(entries, spare, count);
  std::sort(entries, entries + count);
  return entries;
}

// ---- argsort: attrs.axes = {axis}; flag: descending; shape = {k}: the first k alone

void argsort_infer(InferContext& c) {
  require_rank(c, 0, "x", 1);
  const int axis = normalize_single_axis(c, c.inputs[0].shape.rank());
  Shape shape = c.inputs[0].shape;
  if (c.attrs->shape.rank() > 0) {
    const int64_t wanted = c.attrs->shape[0];
    if (wanted < 0 || wanted > shape[axis]) {
      fail(c.op, "k", "an integer in [0, " + std::to_string(shape[axis]) + "]",
           std::to_string(wanted));
    }
    shape[axis] = wanted;
  }
  c.outputs[0].dtype = DType::int64;
  c.outputs[0].shape = shape;
}

// Longer lines are sorted in memory of their own, which is not kept.
constexpr int64_t kKeptBytes = int64_t{1} << 20;

template <typename T, typename Place>
void argsort_lines(const EvalContext& c) {
  using Key = KeyOf<T>;
  using Item = Entry<Key, Place>;
  const View& y = c.outputs[0];
  const View& x = c.inputs[0];
  const int axis = static_cast<int>(c.attrs->axes[0]);
  const int64_t count = x.shape[axis];
  const int64_t wanted = y.shape[axis];
  const int64_t to_step = y.strides[axis];
  const int64_t from_step = x.strides[axis];
  const bool descending = c.attrs->flag;
  Rows rows;
  rows.add_full(y);
  rows.add_full(x);
  rows.finish(x.shape, c.attrs->axes);
  for_each_run(rows.loop, row_grain(count, 64), [&](char* const* at, const int64_t* s, int64_t n) {
    const int64_t bytes = checked_mul(2 * count, static_cast<int64_t>(sizeof(Item)));
    Array memory;
    if (bytes > kKeptBytes) memory = Array(DType::uint8, {bytes});
    auto* const entries =
        static_cast<Item*>(bytes > kKeptBytes ? memory.data() : thread_workspace(bytes));
    for (int64_t line = 0; line < n; ++line) {
      int64_t* to = typed<int64_t>(at[0]) + line * s[0];
      const T* from = typed<const T>(at[1]) + line * s[1];
      for (int64_t i = 0; i < count; ++i) {
        const Key key = key_of(from[i * from_step]);
        entries[i] = {descending ? static_cast<Key>(~key) : key, static_cast<Place>(i)};
      }
      const Item* sorted = sort_entries(entries, entries + count, count, wanted);
      for (int64_t i = 0; i < wanted; ++i) {
        to[i * to_step] = static_cast<int64_t>(sorted[i].place);
      }
    }
  });
}

void argsort_eval(const EvalContext& c) {
  if (c.outputs[0].size() == 0) return;
  const int64_t count = c.inputs[0].shape[static_cast<int>(c.attrs->axes[0])];
  by_dtype(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    // Beside a key of four bytes a place of four saves half of the memory.
    if (sizeof(KeyOf<T>) == 4 && count <= std::numeric_limits<uint32_t>::max()) {
      argsort_lines<T, uint32_t>(c);
    } else {
      argsort_lines<T, int64_t>(c);
    }
  });
}

// ---- searchsorted(a, v): how many elements of a are below v; flag: or equal to it; axes = {0}: a
// and v have a first axis of one size, and each row of v is searched in that of a

void searchsorted_infer(InferContext& c) {
  const bool rows = c.attrs->axes.rank() > 0;
  const Shape& a = c.inputs[0].shape;
  const Shape& v = c.inputs[1].shape;
  if (a.rank() != (rows ? 2 : 1)) fail(c, 0, "a", rows ? "two axes" : "one axis");
  if (rows && (v.rank() < 1 || v[0] != a[0])) {
    fail(c, 1, "v", "a first axis of size " + std::to_string(a[0]));
  }
  require_dtype(c, 1, "v", c.inputs[0].dtype);
  c.outputs[0].dtype = DType::int64;
  c.outputs[0].shape = v;
}

void search(const View& y, const View& a, const View& v, bool right) {
  const int64_t count = a.shape[0];
  const int64_t step = a.strides[0];
  Loop loop;
  make_loop(&loop, y.shape, &y, &v, 1);
  by_dtype(a.dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* const from = a.as<const T>();
    for_each_run(loop, kCostlyGrain, [&](char* const* at, const int64_t* s, int64_t n) {
      for (int64_t i = 0; i < n; ++i) {
        const auto key = key_of(typed<const T>(at[1])[i * s[1]]);
        int64_t low = 0;
        int64_t high = count;
        while (low < high) {
          const int64_t middle = low + (high - low) / 2;
          const auto here = key_of(from[middle * step]);
          if (here < key || (right && here == key)) {
            low = middle + 1;
          } else {
            high = middle;
          }
        }
        typed<int64_t>(at[0])[i * s[0]] = low;
      }
    });
  });
}

View row_of(View x, int64_t row) {
  x.data = static_cast<char*>(x.data) + row * x.strides[0] * itemsize(x.dtype);
  x.shape.erase(0);
  x.strides.erase(0);
  return x;
}

void searchsorted_eval(const EvalContext& c) {
  const View& y = c.outputs[0];
  const View& a = c.inputs[0];
  const View& v = c.inputs[1];
  if (c.attrs->axes.rank() == 0) return search(y, a, v, c.attrs->flag);
  for (int64_t row = 0; row < a.shape[0]; ++row) {
    search(row_of(y, row), row_of(a, row), row_of(v, row), c.attrs->flag);
  }
}

void searchsorted_batch(BatchContext& c) {
  Attrs attrs = c.attrs();
  if (attrs.axes.rank() == 0) {
    if (c.batched(0)) attrs.axes = {0};
    return c.emit({c.input(0), c.batched(0) ? c.full(1) : c.input(1)}, attrs);
  }
  // Examples of several rows: all rows together.
  Builder& b = c.builder();
  const Shape& a = c.example(0).shape;
  Shape v = c.example(1).shape;
  v[0] *= c.size();
  const Value flat =
      b.emit(searchsorted_op,
             {emit::reshape(b, c.full(0), {c.size() * a[0], a[1]}), emit::reshape(b, c.full(1), v)},
             attrs);
  c.set(0, emit::reshape(b, flat, c.with_batch(c.example_output().shape)));
}

}  // namespace

// Indices are integers: no gradient.
const OpDef argsort_op = {
    "argsort",          1,       1,         kAnyOrder, argsort_infer, argsort_eval,
    kNotDifferentiable, nullptr, batch_axes};
const OpDef searchsorted_op = {"searchsorted",
                               2,
                               1,
                               kAnyOrder | kPromote,
                               searchsorted_infer,
                               searchsorted_eval,
                               kNotDifferentiable,
                               nullptr,
                               searchsorted_batch};

}  // namespace fusegrad
