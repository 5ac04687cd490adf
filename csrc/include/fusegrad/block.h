// Blocks of memory for what lives shortly: elements of small arrays, and the nodes of a tape.
#pragma once

#include <cstdint>

#include "fusegrad/api.h"

namespace fusegrad {

// Uninitialised, 64-byte aligned, recycled by the thread that frees it; null where there is no
// memory.
FUSEGRAD_API void* take_block(int64_t bytes) noexcept;
FUSEGRAD_API void give_block(void* block, int64_t bytes) noexcept;

}  // namespace fusegrad
