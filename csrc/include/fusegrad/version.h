// How this library was built: what fusegrad.config.show() prints.
// All strings are static; nothing here allocates or fails.
// The version is the one of pyproject.toml.
#pragma once

#include "fusegrad/api.h"

namespace fusegrad {

FUSEGRAD_API const char* version() noexcept;     // "0.1.0"
FUSEGRAD_API const char* compiler() noexcept;    // "GCC 12.2.0"
FUSEGRAD_API const char* build_type() noexcept;  // "Release"
FUSEGRAD_API const char* sanitizers() noexcept;  // "address,undefined"; "" for none

}  // namespace fusegrad
