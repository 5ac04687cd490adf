// One ISA level's kernels: this file is compiled once per level, with that level's flags and with
// FUSEGRAD_ISA naming it, and defines one symbol, table_<level>(). Nothing here may be a template
// or inline function with external linkage: the linker could keep this level's copy for all levels.
#include "kernels/cross-entropy-inl.h"
#include "kernels/elementwise-inl.h"
#include "kernels/gather-inl.h"
#include "kernels/gemm-inl.h"
#include "kernels/kernels.h"
#include "kernels/limits-inl.h"
#include "kernels/math-inl.h"
#include "kernels/random-inl.h"
#include "kernels/reduce-inl.h"
#include "kernels/rowwise-inl.h"
#include "kernels/update-inl.h"
#include "kernels/vec-inl.h"

#define FUSEGRAD_JOIN_(a, b) a##b
#define FUSEGRAD_JOIN(a, b) FUSEGRAD_JOIN_(a, b)

namespace fusegrad::simd {
namespace FUSEGRAD_ISA {
namespace {

constexpr KernelTable kTable = {
#define FUSEGRAD_KERNEL(result, name, args) name,
#include "kernels/kernels.def"
#undef FUSEGRAD_KERNEL
};

}  // namespace
}  // namespace FUSEGRAD_ISA

const KernelTable* FUSEGRAD_JOIN(table_, FUSEGRAD_ISA)() { return &FUSEGRAD_ISA::kTable; }

}  // namespace fusegrad::simd
