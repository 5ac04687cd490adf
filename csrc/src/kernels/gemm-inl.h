// Matrix product: the choice of tile and packing, and the loops around the tiles. Every
// element is one chain acc = fma(a, b, acc) per block of kGemmBlockK, block sums added in order, so
// nothing here (tile, packing, operand order) can change a bit of the result.
#pragma once

#include "kernels/elementwise-inl.h"
#include "kernels/gemm-few-rows-inl.h"
#include "kernels/gemm-pack-inl.h"
#include "kernels/gemm-tile-inl.h"
#include "kernels/gemv-inl.h"
#include "kernels/kernels.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// ---- loops ---------------------------------------------------------------------------------

// Vectors of the next panel when `left` columns remain and the widest panel has `widest` vectors.
template <class T>
inline int64_t panel_vectors(int64_t left, int64_t widest) {
  const int64_t vectors = (left + Vec<T>::kLanes - 1) / Vec<T>::kLanes;
  if (vectors >= widest) return widest;
  return vectors >= 2 ? 2 : 1;
}

// After each tile, about as many cache lines as memory delivers while a tile is computed.
inline void prefetch_some(PrefetchQueue* queue) {
  constexpr int kLines = 24;
  constexpr int64_t kLineBytes = 64;
  for (int i = 0; i < kLines && queue->row != queue->end; ++i) {
    __builtin_prefetch(queue->data + *queue->row * queue->row_stride + queue->offset, 0, 2);
    queue->offset += kLineBytes;
    if (queue->offset >= queue->row_bytes) {
      queue->offset = 0;
      ++queue->row;
    }
  }
}

inline void apply_unary(UnaryOp op, float* c, int64_t cs, int64_t n) {
  unary_f32(op, c, cs, c, cs, n);
}
inline void apply_unary(UnaryOp op, double* c, int64_t cs, int64_t n) {
  unary_f64(op, c, cs, c, cs, n);
}

// True where the unit stride of c runs along m, so that lanes along n are transposed when stored.
template <class T>
inline bool is_turned(const GemmArgs<T>& g) {
  return g.c_cs != 1 && g.c_rs == 1 && g.m <= kGemmTurnedRows;
}

// Cost of lanes along the columns, in thirds of a multiply-add of vectors: that is about what it
// takes to transpose one element of b while packing, or of c while storing.
template <class T>
inline int64_t cost_of_lanes(const GemmArgs<T>& g) {
  constexpr int kLanes = Vec<T>::kLanes;
  constexpr int64_t kScattered = 16;  // an element of c that is stored by itself
  const int64_t vectors = (g.n + kLanes - 1) / kLanes;
  int64_t cost = 3 * vectors * g.m * g.k;
  if (g.b_cs != 1 && !has_few_rows(g)) cost += g.n * g.k;
  if (g.c_cs != 1) {
    cost += g.n * g.m * (g.c_rs == 1 && g.m <= kGemmTurnedRows ? 1 : kScattered);
  }
  return cost;
}

template <class T>
struct Plan {
  int64_t vectors;      // of the widest panel
  RowPanels panels;     // of the broadcast operand
  int64_t group;        // row panels packed at a time
  bool pack_a, pack_b;  // false: read in place
};

template <class T>
Plan<T> make_plan(const GemmArgs<T>& g) {
  constexpr int kLanes = Vec<T>::kLanes;
  const int64_t columns = (g.n + kLanes - 1) / kLanes;
  Plan<T> plan;
  plan.vectors = columns == 1 ? 1 : (columns >= 3 && g.m <= kRows4 / 2 ? 4 : 2);
  const int64_t tallest = plan.vectors == 1 ? kRows1 : (plan.vectors == 2 ? kRows2 : kRows4);
  plan.panels = split_rows(g.m, tallest);
  // Packing pays when it is reused: a packed row serves every column panel, a packed column
  // every row panel. Rows that follow k are read in place for longer, unless they displace each
  // other in the nearest cache.
  const bool along_k = g.a_cs == 1 && g.a_rs * static_cast<int64_t>(sizeof(T)) % 4096 != 0;
  plan.pack_a = columns > (along_k ? 4 : 3) * plan.vectors || g.bfloat16;
  plan.pack_b = g.b_cs != 1 || g.bfloat16 || (plan.panels.count > 4 && g.k * g.n > 4096);
  plan.group = plan.pack_a ? kGemmRows / tallest : plan.panels.count;
  return plan;
}

// The product with lanes along n. `scratch` holds the packed panels.
template <class T>
void multiply(const GemmArgs<T>& g, T* scratch) {
  constexpr int kLanes = Vec<T>::kLanes;
  constexpr int64_t kColumns = kGemmPanelBytes / static_cast<int64_t>(sizeof(T));
  TileOut<T> out = start_output(g);
  const Plan<T> plan = make_plan(g);
  const int64_t depth_max = at_most(g.k, kGemmBlockK);
  T* const b_pack = scratch;  // first, so that its vectors are aligned
  T* const a_pack = b_pack + (at_most(g.n, kColumns) + 64) * depth_max;

  for (int64_t j0 = 0; j0 < g.n; j0 += kColumns) {
    const int64_t columns = at_most(kColumns, g.n - j0);
    const int64_t whole = columns / kLanes * kLanes;
    for (int64_t k0 = 0; k0 == 0 || k0 < g.k; k0 += kGemmBlockK) {
      const int64_t depth = at_most(kGemmBlockK, g.k - k0);
      const T* const b0 = g.b + k0 * g.b_rs + j0 * g.b_cs;
      out.first = k0 == 0;
      out.last = k0 + kGemmBlockK >= g.k;
      for (int64_t p0 = 0; p0 < plan.panels.count; p0 += plan.group) {
        const int64_t p1 = at_most(p0 + plan.group, plan.panels.count);
        const int64_t row0 = plan.panels.start(p0);
        const int64_t share = (depth + p1 - p0 - 1) / (p1 - p0);
        if (plan.pack_a) {
          for (int64_t p = p0; p < p1; ++p) {
            const int64_t i = plan.panels.start(p);
            pack_panel(a_pack + (i - row0) * depth, plan.panels.rows(p),
                       g.a + i * g.a_rs + k0 * g.a_cs, g.a_rs, g.a_cs, plan.panels.rows(p), depth);
            if (g.bfloat16) {
              round_to_bfloat16(a_pack + (i - row0) * depth, plan.panels.rows(p) * depth);
            }
          }
        }
        for (int64_t j = 0; j < columns;) {
          // In place, only the vector that would read past the last column is packed.
          const bool packed = plan.pack_b || j >= whole;
          const int64_t left = packed ? columns - j : whole - j;
          const int64_t vectors = panel_vectors<T>(left, plan.vectors);
          const int64_t width = vectors * kLanes;
          const T* b = b0 + j;
          int64_t ldb = g.b_rs;
          out.cols = at_most(width, columns - j);
          if (packed) {
            // A panel is packed where it is used first. Panels that no other group of rows uses
            // share one place, which stays in the nearest cache.
            T* const panel = b_pack + (plan.group < plan.panels.count ? j * depth : 0);
            ldb = width;
            if (p0 == 0) {
              pack_panel(panel, ldb, b0 + j * g.b_cs, g.b_cs, g.b_rs, out.cols, depth);
              if (g.bfloat16) round_to_bfloat16(panel, ldb * depth);
            }
            b = panel;
          }
          // Each tile of this panel fetches a part of the next one from where that will be read.
          const bool unread = p0 == 0 || !packed;
          const bool rows_of_b = unread && g.b_cs == 1;
          out.next = rows_of_b ? b0 + j + width : b + ldb * depth;
          out.next_stride = rows_of_b ? g.b_rs : ldb;
          out.next_rows = j + width < columns && (rows_of_b || !unread) ? share : 0;
          for (int64_t p = p0; p < p1; ++p) {
            const int64_t i = plan.panels.start(p);
            const int64_t rows = plan.panels.rows(p);
            const int64_t at = i * g.c_rs + (j0 + j) * g.c_cs;
            out.c = g.c + at;
            out.relu_of = g.relu_of == nullptr ? nullptr : g.relu_of + at;
            out.bias = g.bias == nullptr
                           ? nullptr
                           : g.bias + i * g.bias_stride_m + (j0 + j) * g.bias_stride_n;
            if (plan.pack_a) {
              find_tile<T, true>(rows, vectors)(a_pack + (i - row0) * depth, 1, rows, b, ldb, depth,
                                                out);
            } else {
              find_tile<T, false>(rows, vectors)(g.a + i * g.a_rs + k0 * g.a_cs, g.a_rs, g.a_cs, b,
                                                 ldb, depth, out);
            }
            out.next += out.next_rows * out.next_stride;
            if (g.prefetch != nullptr) prefetch_some(g.prefetch);
          }
          j += width;
        }
        if (out.last) {
          activate<T, apply_unary>(g.act, g.c + row0 * g.c_rs + j0 * g.c_cs, g.c_rs, g.c_cs,
                                   plan.panels.start(p1) - row0, columns);
        }
      }
    }
  }
}

// The same where the unit stride of c runs along m: blocks of columns are computed in scratch
// memory and transposed on their way out.
template <class T>
void multiply_turned(const GemmArgs<T>& g, T* scratch) {
  for (int64_t j = 0; j < g.n; j += kGemmTurned) {
    GemmArgs<T> block = g;
    block.n = at_most(kGemmTurned, g.n - j);
    block.b += j * g.b_cs;
    if (g.bias != nullptr) block.bias += j * g.bias_stride_n;
    block.c = scratch, block.c_rs = kGemmTurned, block.c_cs = 1;
    block.relu_of = nullptr;
    multiply(block, scratch + kGemmTurned * kGemmTurnedRows);
    T* const c = g.c + j * g.c_cs;
    store_transposed(c, g.c_cs, scratch, kGemmTurned, block.n, g.m);
    if (g.relu_of == nullptr) continue;
    const T* const y = g.relu_of + j * g.c_cs;
    for (int64_t i = 0; i < block.n; ++i) {
      T* const column = c + i * g.c_cs;
      run<T, 2>(loop<T, ReluGrad>, column, 1, {{column, 1}, {y + i * g.c_cs, 1}}, g.m);
    }
  }
}

// The same with few rows, one vector of columns at a time.
template <class T>
void multiply_few_rows(const GemmArgs<T>& g) {
  TileOut<T> out = start_output(g);
  out.first = out.last = true;
  const auto tile = find_few_rows<T>(g.m);
  for (int64_t j = 0; j < g.n; j += Vec<T>::kLanes) {
    tile(g, j, at_most(Vec<T>::kLanes, g.n - j), out);
    if (g.prefetch != nullptr) prefetch_some(g.prefetch);
  }
  if (g.c_cs == 1) {
    activate<T, apply_unary>(g.act, g.c, g.c_rs, 1, g.m, g.n);
  } else {
    activate<T, apply_unary>(g.act, g.c, g.c_cs, 1, g.n, g.m);
  }
}

template <class T>
void gemm(const GemmArgs<T>& args) {
  GemmArgs<T> g = args;
  if (g.m <= 0 || g.n <= 0) return;
  if ((g.m == 1 || g.n == 1) && g.relu_of == nullptr) {
    if (g.n == 1 && g.m > 1) exchange(g);
    if (g.n > 1 && (g.b_cs == 1 || g.b_rs == 1) && !g.bfloat16) {
      gemv(g);
      activate<T, apply_unary>(g.act, g.c, g.n * g.c_cs, g.c_cs, g.m, g.n);
      return;
    }
  } else {
    const int64_t along_n = cost_of_lanes(g);
    exchange(g);
    if (along_n <= cost_of_lanes(g)) exchange(g);
    if (has_few_rows(g)) return multiply_few_rows(g);
  }
  T* const scratch = static_cast<T*>(g.workspace);
  is_turned(g) ? multiply_turned(g, scratch) : multiply(g, scratch);
}

void gemm_f32(const GemmArgs<float>& args) { gemm(args); }
void gemm_f64(const GemmArgs<double>& args) { gemm(args); }
void gemm_bf16(const GemmArgs<float>& args) { gemm(args); }

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
