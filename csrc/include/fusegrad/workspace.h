// Scratch memory that each thread keeps.
#pragma once

#include <cstdint>

#include "fusegrad/api.h"

namespace fusegrad {

// Scratch of this thread, at least `bytes`, 64-byte aligned; grows and is kept. Contents are lost
// at the next call from this thread.
FUSEGRAD_API void* thread_workspace(int64_t bytes);

}  // namespace fusegrad
