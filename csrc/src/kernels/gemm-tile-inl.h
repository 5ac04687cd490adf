// The register tiles of the matrix product and their epilogue. A tile computes one chain
// acc = fma(a, b, acc) per element over one block of k, then adds it to what earlier blocks left.
#pragma once

#include "kernels/kernels.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// Rows of a tile of 1, 2 and 4 vectors. A tile's accumulators, one row of the lane operand and a
// broadcast must fit the registers (32 on AVX-512 and AArch64, 16 elsewhere; the emulated multiply-
// add of the baseline needs most of them itself).
#if defined(__AVX512F__)
constexpr int kRows1 = 14, kRows2 = 14, kRows4 = 6;
#elif defined(__AVX2__)
constexpr int kRows1 = 12, kRows2 = 6, kRows4 = 3;
#elif defined(__aarch64__)
constexpr int kRows1 = 14, kRows2 = 12, kRows4 = 6;
#else
constexpr int kRows1 = 4, kRows2 = 2, kRows4 = 1;
#endif

// Tiles of packed panels with that many steps fetch what is needed after them.
constexpr int64_t kLongDepth = 96;

// What happens to a finished tile: c = (first ? 0 : c) + acc, then bias, activation and the slope
// of the relu before if last.
template <class T>
struct TileOut {
  T* c;
  int64_t c_rs, c_cs;
  int64_t cols;       // valid columns; only the tile's last vector may have fewer than its lanes
  bool first, last;   // first and last block of k
  bool in_registers;  // c has unit stride and a simple bias
  const T* bias;
  int64_t bias_rs, bias_cs;
  Activation act;  // linear, relu or leaky_relu
  T slope;
  const T* relu_of;  // null, or where the relu's output lies that belongs to c
  const T* next;     // rows of the next panel to be fetched meanwhile, each as wide as the tile
  int64_t next_stride, next_rows;
};

// The activations that are applied to a tile; others follow on finished rows.
inline bool is_in_tile(Activation act) {
  return act == Activation::linear || act == Activation::relu || act == Activation::leaky_relu;
}

// Applies the others by kApply(op, c, stride, count), to rows that have just been written.
template <class T, void (*kApply)(UnaryOp, T*, int64_t, int64_t)>
void activate(Activation act, T* c, int64_t c_rs, int64_t c_cs, int64_t m, int64_t n) {
  if (is_in_tile(act)) return;
  const UnaryOp op = act == Activation::sigmoid ? UnaryOp::sigmoid
                     : act == Activation::tanh  ? UnaryOp::tanh
                                                : UnaryOp::softplus;
  if (c_rs == n * c_cs) {
    kApply(op, c, c_cs, m * n);
    return;
  }
  for (int64_t i = 0; i < m; ++i) kApply(op, c + i * c_rs, c_cs, n);
}

// Whether finish_values() can read the bias: one value for each row or each column.
template <class T>
inline bool has_simple_bias(const GemmArgs<T>& g) {
  return g.bias == nullptr || g.bias_stride_n == 0 ||
         (g.bias_stride_n == 1 && g.bias_stride_m == 0);
}

// What is the same for all tiles of a product.
template <class T>
inline TileOut<T> start_output(const GemmArgs<T>& g) {
  TileOut<T> out = {};
  out.c_rs = g.c_rs, out.c_cs = g.c_cs;
  out.bias_rs = g.bias_stride_m, out.bias_cs = g.bias_stride_n;
  out.in_registers = g.c_cs == 1 && has_simple_bias(g);
  out.act = is_in_tile(g.act) ? g.act : Activation::linear;
  out.slope = static_cast<T>(g.act_param);
  return out;
}

template <class A>
inline void swap_values(A& x, A& y) {
  const A old = x;
  x = y;
  y = old;
}

// Exchanges the operands: c^T = b^T a^T.
template <class T>
inline void exchange(GemmArgs<T>& g) {
  swap_values(g.a, g.b);
  swap_values(g.a_rs, g.b_cs);
  swap_values(g.a_cs, g.b_rs);
  swap_values(g.c_rs, g.c_cs);
  swap_values(g.m, g.n);
  swap_values(g.bias_stride_m, g.bias_stride_n);
}

// The epilogue of a tile whose sums are still in registers, one step for all of them at a time:
// bias, activation and the relu's slope, if this is the last block.
template <class T, int kRows, int kVectors>
FUSEGRAD_INLINE void finish_values(typename Vec<T>::V (&acc)[kRows][kVectors],
                                   const TileOut<T>& out) {
  typedef typename Vec<T>::V V;
  constexpr int kLanes = Vec<T>::kLanes;
  constexpr int kLast = kVectors - 1;
  const int64_t tail = out.cols - kLast * kLanes;
  if (out.last) {
    if (out.bias != nullptr && out.bias_cs == 1) {
      V bias[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kLast; ++v) bias[v] = load(out.bias + v * kLanes);
      bias[kLast] = load_part(out.bias + kLast * kLanes, tail);
#pragma GCC unroll 32
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) acc[i][v] = acc[i][v] + bias[v];
      }
    } else if (out.bias != nullptr) {
#pragma GCC unroll 32
      for (int i = 0; i < kRows; ++i) {
        const V bias = set1(out.bias[i * out.bias_rs]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) acc[i][v] = acc[i][v] + bias;
      }
    }
    if (out.act == Activation::relu) {
#pragma GCC unroll 32
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) acc[i][v] = relu(acc[i][v]);
      }
    } else if (out.act == Activation::leaky_relu) {
      const V slope = set1(out.slope);
#pragma GCC unroll 32
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) acc[i][v] = leaky_relu(acc[i][v], slope);
      }
    }
    if (out.relu_of != nullptr) {
      const T* y = out.relu_of;
#pragma GCC unroll 32
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
        for (int v = 0; v < kLast; ++v) acc[i][v] = relu_grad(acc[i][v], load(y + v * kLanes));
        acc[i][kLast] = relu_grad(acc[i][kLast], load_part(y + kLast * kLanes, tail));
        y += out.c_rs;
      }
    }
  }
}

// The same, and what earlier blocks left before it, and c after it.
template <class T, int kRows, int kVectors>
FUSEGRAD_INLINE void finish_registers(typename Vec<T>::V (&acc)[kRows][kVectors],
                                      const TileOut<T>& out) {
  constexpr int kLanes = Vec<T>::kLanes;
  constexpr int kLast = kVectors - 1;
  const int64_t tail = out.cols - kLast * kLanes;
  if (!out.first) {
    const T* c = out.c;
#pragma GCC unroll 32
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kLast; ++v) acc[i][v] = load(c + v * kLanes) + acc[i][v];
      acc[i][kLast] = load_part(c + kLast * kLanes, tail) + acc[i][kLast];
      c += out.c_rs;
    }
  }
  finish_values<T>(acc, out);
  T* c = out.c;
#pragma GCC unroll 32
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kLast; ++v) store(c + v * kLanes, acc[i][v]);
    store_part(c + kLast * kLanes, acc[i][kLast], tail);
    c += out.c_rs;
  }
}

// One row segment of at most kLanes columns through the full epilogue.
template <class T>
inline void finish_segment(typename Vec<T>::V acc, T* c, const TileOut<T>& out, const T* bias,
                           const T* relu_of, int64_t count) {
  typedef typename Vec<T>::V V;
  constexpr int kLanes = Vec<T>::kLanes;
  const auto load_as_c = [&](const T* p) {
    if (out.c_cs == 1) return load_n(p, count);
    V v = {};
    for (int j = 0; j < kLanes; ++j) {
      if (j < count) v[j] = p[j * out.c_cs];
    }
    return v;
  };
  V x = out.first ? acc : load_as_c(c) + acc;
  if (out.last) {
    if (bias != nullptr) {
      V b = {};
      if (out.bias_cs == 0) {
        b = set1(*bias);
      } else if (out.bias_cs == 1) {
        b = load_n(bias, count);
      } else {
        for (int j = 0; j < kLanes; ++j) {
          if (j < count) b[j] = bias[j * out.bias_cs];
        }
      }
      x = x + b;
    }
    if (out.act == Activation::relu) x = relu(x);
    if (out.act == Activation::leaky_relu) x = leaky_relu(x, set1(out.slope));
    if (relu_of != nullptr) x = relu_grad(x, load_as_c(relu_of));
  }
  if (out.c_cs == 1) {
    store_part(c, x, count);
  } else {
    for (int j = 0; j < kLanes; ++j) {
      if (j < count) c[j * out.c_cs] = x[j];
    }
  }
}

// The epilogue for any strides, out of line so that the tiles stay small: acc is rows x width.
template <class T>
__attribute__((noinline)) void finish_tile(const T* acc, int64_t rows, int64_t width,
                                           const TileOut<T>& out) {
  constexpr int kLanes = Vec<T>::kLanes;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < out.cols; j += kLanes) {
      const int64_t left = out.cols - j;
      const T* bias = out.bias;
      if (bias != nullptr) bias += i * out.bias_rs + j * out.bias_cs;
      const int64_t at = i * out.c_rs + j * out.c_cs;
      finish_segment(load(acc + i * width + j), out.c + at, out, bias,
                     out.relu_of == nullptr ? nullptr : out.relu_of + at,
                     left < kLanes ? left : kLanes);
    }
  }
}

// kRows x (kVectors * kLanes) outputs over `depth` steps. The broadcast operand is packed
// ([k][kRows]) or has strides a_rs, a_cs; the lane operand has rows of unit stride, ldb apart.
template <class T, int kRows, int kVectors, bool kPacked>
void tile(const T* a, int64_t a_rs, int64_t a_cs, const T* b, int64_t ldb, int64_t depth,
          const TileOut<T>& out) {
  typedef typename Vec<T>::V V;
  constexpr int kLanes = Vec<T>::kLanes;
  const int64_t rs = kPacked ? 1 : a_rs;
  const int64_t cs = kPacked ? kRows : a_cs;
  V acc[kRows][kVectors] = {};
  const auto step = [&]() FUSEGRAD_INLINE_LAMBDA {
    V bv[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) bv[v] = load(b + v * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const V av = set1(a[i * rs]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) acc[i][v] = fma(av, bv[v], acc[i][v]);
    }
    a += cs;
    b += ldb;
  };
  if (kPacked && depth >= kLongDepth) {
    // A row is fetched with each step. Those of c come so late that they are still in the nearest
    // cache when the sums are done: rows a power of two apart displace each other there.
    constexpr int64_t kLastSteps = kRows * kVectors < 14 ? 48 : 24;
    const int64_t before = depth - kLastSteps - kRows;
    const int64_t next = out.next_rows < before ? out.next_rows : before;
    const struct {
      int64_t steps;
      const T* row;
      int64_t stride;
    } fetches[] = {
        {next, out.next, out.next_stride}, {before - next, b, 0}, {kRows, out.c, out.c_rs}};
#pragma GCC unroll 1
    for (const auto& fetch : fetches) {
      const T* row = fetch.row;
      for (int64_t k = 0; k < fetch.steps; ++k) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) __builtin_prefetch(row + v * kLanes);
        row += fetch.stride;
        step();
      }
    }
    depth = kLastSteps;
  }
  for (int64_t k = 0; k < depth; ++k) step();
  if (out.in_registers) {
    finish_registers(acc, out);
    return;
  }
  alignas(64) T rows[kRows * kVectors * kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) store(rows + (i * kVectors + v) * kLanes, acc[i][v]);
  }
  finish_tile(rows, kRows, kVectors * kLanes, out);
}

// ---- the tile of given size ----------------------------------------------------------------

template <class T>
using TileFunction = void (*)(const T*, int64_t, int64_t, const T*, int64_t, int64_t,
                              const TileOut<T>&);

// Tiles of kVectors vectors and 1 .. kMax rows.
template <class T, int kVectors, int kMax, bool kPacked>
struct Tiles {
  template <int... kIndex>
  struct List {
    static constexpr TileFunction<T> kFunctions[] = {tile<T, kIndex, kVectors, kPacked>...};
  };
  template <int kNext, int... kIndex>
  struct Build : Build<kNext - 1, kNext, kIndex...> {};
  template <int... kIndex>
  struct Build<0, kIndex...> : List<kIndex...> {};
  static TileFunction<T> of(int64_t rows) { return Build<kMax>::kFunctions[rows - 1]; }
};

template <class T, bool kPacked>
TileFunction<T> find_tile(int64_t rows, int64_t vectors) {
  if (vectors == 1) return Tiles<T, 1, kRows1, kPacked>::of(rows);
  if (vectors == 2) return Tiles<T, 2, kRows2, kPacked>::of(rows);
  return Tiles<T, 4, kRows4, kPacked>::of(rows);
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
