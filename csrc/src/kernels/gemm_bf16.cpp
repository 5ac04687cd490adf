// Matrix product of bfloat16 operands for processors with AVX512_BF16, whose vdpbf16ps multiplies
// pairs of neighbouring k and adds both products to a float32 sum: twice the rate of float32.
//
// One element is one chain of such steps over ascending pairs in blocks of kBlockK, block sums
// added in order, so that tiles and threads cannot change a bit; other instruction sets give other
// bits. The instruction takes subnormal operands and sums for 0.
#include <utility>

#include "kernels/gemm-pack-inl.h"
#include "kernels/gemm-tile-inl.h"
#include "kernels/kernels.h"

namespace fusegrad::simd {

const KernelTable* table_avx512();
void gemm_avx512_bf16(const GemmArgs<float>& args);

namespace FUSEGRAD_ISA {
namespace {

constexpr int64_t kBlockK = 512;
static_assert(kBlockK / 2 <= kGemmBlockK, "gemm_workspace_bytes counts pairs as elements");
constexpr int kTallest = 14;
constexpr int64_t kLanes = kLanesF;

// ---- packing -------------------------------------------------------------------------------
// A packed panel is dst[p*width + i]: lane i, elements k = 2p (low half) and 2p + 1, 0 past the
// end. Pairs are typed float, so that they move through the vocabulary of vectors.

// The bfloat16 of the lanes of lo, then those of hi.
FUSEGRAD_INLINE VF to_bfloat16(VF lo, VF hi) {
  return (VF)_mm512_cvtne2ps_pbh((__m512)hi, (__m512)lo);
}

FUSEGRAD_INLINE VF to_pairs(VF even, VF odd) {
  const __m512i zipped =
      _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                       21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return (VF)_mm512_permutexvar_epi16(zipped, (__m512i)to_bfloat16(even, odd));
}

// Lanes lie next to each other.
inline void pack_lanes(float* dst, int64_t width, const float* src, int64_t depth_stride,
                       int64_t valid, int64_t depth) {
  for (int64_t k = 0; k < depth; k += 2) {
    const float* const even = src + k * depth_stride;
    const float* const odd = even + depth_stride;
    for (int64_t i = 0; i < valid; i += kLanes) {
      const int64_t n = at_most(kLanes, valid - i);
      store(dst + i, to_pairs(load_n(even + i, n), k + 1 < depth ? load_n(odd + i, n) : VF{}));
    }
    dst += width;
  }
}

// k lies next to each other: 16 lanes by 16 pairs are transposed in registers. Lanes past `valid`
// repeat the last one; what is stored past `width` is overwritten by the next row.
inline void pack_depth(float* dst, int64_t width, const float* src, int64_t lane_stride,
                       int64_t valid, int64_t depth) {
  int64_t offset[2 * kLanes];
  const int64_t last = (valid - 1) / kLanes * kLanes;
  for (int64_t i = 0; i < last + kLanes; ++i) offset[i] = at_most(i, valid - 1) * lane_stride;
  for (int64_t k = 0; k < depth; k += 2 * kLanes) {
    const int64_t left = depth - k;
    const int64_t low = at_most(left, kLanes);
    const int64_t high = at_most(left - low, kLanes);
    const int64_t pairs = at_most((left + 1) / 2, kLanes);
    for (int64_t i = last; i >= 0; i -= kLanes) {
      const auto row = [&](int64_t lane) {
        const float* const p = src + offset[i + lane] + k;
        return high == kLanes ? to_bfloat16(load(p), load(p + kLanes))
                              : to_bfloat16(load_n(p, low), load_n(p + low, high));
      };
      VF parts[kLanes], out[kLanes];
#pragma GCC unroll 4
      for (int q = 0; q < 4; ++q) {
        transpose_parts(parts + 4 * q, row(4 * q), row(4 * q + 1), row(4 * q + 2), row(4 * q + 3));
      }
      join_parts<float>(out, parts);
      if (pairs == kLanes) {
        for (int c = 0; c < kLanes; ++c) store(dst + c * width + i, out[c]);
      } else {
        for (int c = 0; c < pairs; ++c) store(dst + c * width + i, out[c]);
      }
    }
    dst += kLanes * width;
  }
}

// Any strides.
inline void pack_strided(float* dst, int64_t width, const float* src, int64_t lane_stride,
                         int64_t depth_stride, int64_t valid, int64_t depth) {
  alignas(64) float even[2 * kLanes] = {};
  alignas(64) float odd[2 * kLanes] = {};
  for (int64_t k = 0; k < depth; k += 2) {
    for (int64_t i = 0; i < valid; ++i) {
      even[i] = src[i * lane_stride + k * depth_stride];
      odd[i] = k + 1 < depth ? src[i * lane_stride + (k + 1) * depth_stride] : 0.0f;
    }
    for (int64_t i = 0; i < valid; i += kLanes) {
      store(dst + i, to_pairs(load(even + i), load(odd + i)));
    }
    dst += width;
  }
}

// Packs `valid` <= width lanes, at most 32; dst needs kLanes elements of slack.
inline void pack_pairs(float* dst, int64_t width, const float* src, int64_t lane_stride,
                       int64_t depth_stride, int64_t valid, int64_t depth) {
  if (lane_stride == 1) {
    pack_lanes(dst, width, src, depth_stride, valid, depth);
  } else if (depth_stride == 1) {
    pack_depth(dst, width, src, lane_stride, valid, depth);
  } else {
    pack_strided(dst, width, src, lane_stride, depth_stride, valid, depth);
  }
}

// ---- tiles ---------------------------------------------------------------------------------

// acc + a[0] b[0] + a[1] b[1] for the pair in each lane
FUSEGRAD_INLINE VF add_products(VF acc, VF a, VF b) {
  return (VF)_mm512_dpbf16_ps((__m512)acc, (__m512bh)a, (__m512bh)b);
}

// kRows x (kVectors * kLanes) outputs of packed panels.
template <int kRows, int kVectors>
void tile_bf16(const float* a, const float* b, int64_t pairs, const TileOut<float>& out) {
  VF acc[kRows][kVectors] = {};
  for (int64_t p = 0; p < pairs; ++p) {
    VF bv[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) bv[v] = load(b + v * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const VF av = (VF)_mm512_set1_ps(a[i]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) acc[i][v] = add_products(acc[i][v], av, bv[v]);
    }
    a += kRows;
    b += kVectors * kLanes;
  }
  if (out.in_registers) {
    finish_registers(acc, out);
    return;
  }
  alignas(64) float rows[kRows * kVectors * kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) store(rows + (i * kVectors + v) * kLanes, acc[i][v]);
  }
  finish_tile(rows, kRows, kVectors * kLanes, out);
}

using Bf16Tile = void (*)(const float*, const float*, int64_t, const TileOut<float>&);

template <int kVectors, int... kIndex>
Bf16Tile tile_of(int64_t rows, std::integer_sequence<int, kIndex...>) {
  static constexpr Bf16Tile kTiles[] = {tile_bf16<kIndex + 1, kVectors>...};
  return kTiles[rows - 1];
}

// ---- loops ---------------------------------------------------------------------------------

void apply_unary(UnaryOp op, float* c, int64_t cs, int64_t n) {
  table_avx512()->unary_f32(op, c, cs, c, cs, n);
}

// The product with lanes along n.
void multiply(const GemmArgs<float>& g) {
  constexpr int64_t kColumns = kGemmPanelBytes / static_cast<int64_t>(sizeof(float));
  constexpr auto kHeights = std::make_integer_sequence<int, kTallest>();
  TileOut<float> out = start_output(g);
  const RowPanels panels = split_rows(g.m, kTallest);
  constexpr int64_t kGroup = kGemmRows / kTallest;  // row panels packed at a time
  const int64_t pairs_max = (at_most(g.k, kBlockK) + 1) / 2;
  float* const a_pack = static_cast<float*>(g.workspace);
  float* const b_pack = a_pack + (at_most(g.m, kGemmRows) + 16) * pairs_max;

  for (int64_t j0 = 0; j0 < g.n; j0 += kColumns) {
    const int64_t columns = at_most(kColumns, g.n - j0);
    for (int64_t k0 = 0; k0 == 0 || k0 < g.k; k0 += kBlockK) {
      const int64_t depth = at_most(kBlockK, g.k - k0);
      const int64_t pairs = (depth + 1) / 2;
      out.first = k0 == 0;
      out.last = k0 + kBlockK >= g.k;
      for (int64_t p0 = 0; p0 < panels.count; p0 += kGroup) {
        const int64_t p1 = at_most(p0 + kGroup, panels.count);
        const int64_t row0 = panels.start(p0);
        for (int64_t p = p0; p < p1; ++p) {
          const int64_t i = panels.start(p);
          const int64_t rows = panels.rows(p);
          pack_pairs(a_pack + (i - row0) * pairs, rows, g.a + i * g.a_rs + k0 * g.a_cs, g.a_rs,
                     g.a_cs, rows, depth);
        }
        for (int64_t j = 0; j < columns; j += 2 * kLanes) {
          out.cols = at_most(2 * kLanes, columns - j);
          const int64_t width = out.cols > kLanes ? 2 * kLanes : kLanes;
          // A panel is packed where it is used first; one that no other group of rows uses stays in
          // the nearest cache.
          float* const b = b_pack + (kGroup < panels.count ? j * pairs : 0);
          if (p0 == 0) {
            pack_pairs(b, width, g.b + k0 * g.b_rs + (j0 + j) * g.b_cs, g.b_cs, g.b_rs, out.cols,
                       depth);
          }
          for (int64_t p = p0; p < p1; ++p) {
            const int64_t i = panels.start(p);
            const int64_t rows = panels.rows(p);
            out.c = g.c + i * g.c_rs + (j0 + j) * g.c_cs;
            out.bias = g.bias == nullptr
                           ? nullptr
                           : g.bias + i * g.bias_stride_m + (j0 + j) * g.bias_stride_n;
            const Bf16Tile tile =
                width == kLanes ? tile_of<1>(rows, kHeights) : tile_of<2>(rows, kHeights);
            tile(a_pack + (i - row0) * pairs, b, pairs, out);
          }
        }
        if (out.last) {
          activate<float, apply_unary>(g.act, g.c + row0 * g.c_rs + j0 * g.c_cs, g.c_rs, g.c_cs,
                                       panels.start(p1) - row0, columns);
        }
      }
    }
  }
}

// Lanes run along n: exchanges the operands where c is contiguous along m instead.
void gemm_bf16(const GemmArgs<float>& args) {
  GemmArgs<float> g = args;
  if (g.m <= 0 || g.n <= 0) return;
  if ((g.n == 1 && g.m > 1) || (g.m > 1 && g.c_cs != 1 && g.c_rs == 1)) exchange(g);
  multiply(g);
}

}  // namespace
}  // namespace FUSEGRAD_ISA

void gemm_avx512_bf16(const GemmArgs<float>& args) { FUSEGRAD_ISA::gemm_bf16(args); }

}  // namespace fusegrad::simd
