// Instruction-set levels: which ones this build contains, which ones this machine runs, which one
// is in use. The level is chosen once per process; FUSEGRAD_ISA in the environment may lower it.
#pragma once

#include <vector>

#include "fusegrad/api.h"

namespace fusegrad {

// Ordered from slowest to fastest within an architecture. All levels give the same bits.
enum class IsaLevel : int { baseline, avx2, avx512, neon };

// "baseline", "avx2", "avx512" or "neon".
FUSEGRAD_API const char* isa_level_name(IsaLevel level);

// Whether the processor and the operating system can run a level.
FUSEGRAD_API bool isa_level_supported(IsaLevel level);

// The levels in this build, slowest first.
FUSEGRAD_API const std::vector<IsaLevel>& isa_levels_compiled();

// The level in use.
FUSEGRAD_API IsaLevel isa_level();

// Null, or why FUSEGRAD_ISA could not be honoured (unknown name, not in this build, not supported
// by this machine); the fastest usable level is then in use.
FUSEGRAD_API const char* isa_request_error();

}  // namespace fusegrad
