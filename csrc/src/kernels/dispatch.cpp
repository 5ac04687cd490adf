// Chooses the kernel table once: the level that cpu.cpp decided on.
// Compiled for the plain architecture, like everything outside the per-level objects.
#include "kernels/kernels.h"

namespace fusegrad {

namespace simd {
#if defined(__x86_64__)
const KernelTable* table_baseline();
const KernelTable* table_avx2();
const KernelTable* table_avx512();
void gemm_avx512_bf16(const GemmArgs<float>& args);
#else
const KernelTable* table_neon();
#endif
}  // namespace simd

#if defined(__x86_64__)
namespace {

// AVX-512, with the bfloat16 instructions where the processor has them.
const KernelTable* avx512_table() {
  static const KernelTable table = [] {
    KernelTable result = *simd::table_avx512();
    if (__builtin_cpu_supports("avx512bf16")) result.gemm_bf16 = simd::gemm_avx512_bf16;
    return result;
  }();
  return &table;
}

}  // namespace
#endif

const KernelTable* kernels_of(IsaLevel level) {
  if (!isa_level_supported(level)) return nullptr;
  switch (level) {
#if defined(__x86_64__)
    case IsaLevel::baseline: return simd::table_baseline();
    case IsaLevel::avx2: return simd::table_avx2();
    case IsaLevel::avx512: return avx512_table();
#else
    case IsaLevel::neon: return simd::table_neon();
#endif
    default: return nullptr;
  }
}

const KernelTable& kernels() {
  static const KernelTable* const table = kernels_of(isa_level());
  return *table;
}

}  // namespace fusegrad
