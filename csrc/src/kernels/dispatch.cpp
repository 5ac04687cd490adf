// Chooses the kernel table once: the level that cpu.cpp decided on.
// Compiled for the plain architecture, like everything outside the per-level objects.
#include "kernels/kernels.h"

namespace fusegrad {

namespace simd {
#if defined(__x86_64__)
const KernelTable* table_baseline();
const KernelTable* table_avx2();
const KernelTable* table_avx512();
#else
const KernelTable* table_neon();
#endif
}  // namespace simd

const KernelTable* kernels_of(IsaLevel level) {
  if (!isa_level_supported(level)) return nullptr;
  switch (level) {
#if defined(__x86_64__)
    case IsaLevel::baseline: return simd::table_baseline();
    case IsaLevel::avx2: return simd::table_avx2();
    case IsaLevel::avx512: return simd::table_avx512();
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
