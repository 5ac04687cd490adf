# Two interface targets that our own C++ links:
#   fusegrad_options   what every translation unit needs (also what Cython generates)
#   fusegrad_warnings  what our hand-written code is held to

add_library(fusegrad_options INTERFACE)
target_compile_features(fusegrad_options INTERFACE cxx_std_17)
# The numerics contract: a*b+c is two roundings unless the source says fma, in every build.
target_compile_options(fusegrad_options INTERFACE -ffp-contract=off -fno-math-errno)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  # Name only the libraries that are used; above all not libm, whose newest symbols would tie a
  # wheel to the C library it was built on.
  target_link_options(fusegrad_options INTERFACE -Wl,--as-needed)
endif()
if(FUSEGRAD_SANITIZE)
  target_compile_options(
    fusegrad_options INTERFACE "-fsanitize=${FUSEGRAD_SANITIZE}" -fno-sanitize-recover=all
                               -fno-omit-frame-pointer -g1)
  # The last word on optimisation, also for kernels: instrumented at -O3 they compile for minutes,
  # and with the checks in line, or more of debug information than lines, for another one.
  target_compile_options(fusegrad_options INTERFACE -O1)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND FUSEGRAD_SANITIZE MATCHES "address")
    target_compile_options(fusegrad_options INTERFACE
                           "SHELL:--param asan-instrumentation-with-call-threshold=50")
  endif()
  target_link_options(fusegrad_options INTERFACE "-fsanitize=${FUSEGRAD_SANITIZE}")
endif()

add_library(fusegrad_warnings INTERFACE)
target_compile_options(
  fusegrad_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
                              -Wnon-virtual-dtor)
if(FUSEGRAD_WERROR)
  target_compile_options(fusegrad_warnings INTERFACE -Werror)
endif()
