// The facts of this build, as static strings.
// CMake defines FUSEGRAD_VERSION, FUSEGRAD_BUILD_TYPE and FUSEGRAD_SANITIZE for this file alone,
// so a new version recompiles nothing else.
#include "fusegrad/version.h"

#define FUSEGRAD_TEXT_OF(x) #x
#define FUSEGRAD_TEXT(x) FUSEGRAD_TEXT_OF(x)

namespace fusegrad {

const char* version() noexcept { return FUSEGRAD_VERSION; }

const char* compiler() noexcept {
#if defined(__clang__)
  return "Clang " FUSEGRAD_TEXT(__clang_major__) "." FUSEGRAD_TEXT(
      __clang_minor__) "." FUSEGRAD_TEXT(__clang_patchlevel__);
#elif defined(__GNUC__)
  return "GCC " FUSEGRAD_TEXT(__GNUC__) "." FUSEGRAD_TEXT(__GNUC_MINOR__) "." FUSEGRAD_TEXT(
      __GNUC_PATCHLEVEL__);
#else
  return "unknown";
#endif
}

const char* build_type() noexcept { return FUSEGRAD_BUILD_TYPE; }

const char* sanitizers() noexcept { return FUSEGRAD_SANITIZE; }

}  // namespace fusegrad
